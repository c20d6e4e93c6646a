"""The doctor itself: a command line or a whole text in, diagnostics out."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.diagnostic import Severity
from modelsmith.doctor.blocks import blocks
from modelsmith.doctor.checks.address import check_addresses
from modelsmith.doctor.checks.assigned import check_build, check_powershell
from modelsmith.doctor.checks.container import Mounts
from modelsmith.doctor.checks.line import check_line
from modelsmith.doctor.checks.python import check_python
from modelsmith.doctor.checks.setting import CLIENTS, PROXIES, check_setting, proxy_for_client
from modelsmith.doctor.checks.text import check_lines, check_prose
from modelsmith.doctor.checks.unit import check_unit
from modelsmith.doctor.compose import check_services
from modelsmith.doctor.excerpt import BlockKind, Excerpt, Language
from modelsmith.doctor.invocation import invocation
from modelsmith.doctor.modelfiles import check_modelfile, is_modelfile, is_part, loose_modelfiles
from modelsmith.doctor.plist import check_plist
from modelsmith.doctor.scene import Scene
from modelsmith.doctor.settings import Form, file_settings, settings_of, written_settings
from modelsmith.doctor.shell import commands
from modelsmith.errors import UnreadableFile
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.modelfiles import LintModelfile
    from modelsmith.versions import Version

MOST_MODELFILES = 1_000
"""Different Modelfiles in one text that are judged; to lint a small one takes about a millisecond."""
MOST_FINDINGS = 3_000
_LONG_LINE = re.compile(r"[^\n]{20001,}")
_IGNORE = re.compile(r"modelsmith: ignore(?:\[(?P<codes>[\w, ]+)\])?")
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})")
_DENIES = re.compile(
    r"\bnot\b|\bno such|\b(?:is|are|has|have) no\b|n't\b|\binvalid|\bunknown|\bnever\b|\bwithout\b|\binstead of\b|\bignored\b|\binvent|\bremoved\b|\bdeprecated"
    r"|不存在|没有|沒有|并不|不支持|不支援|无效|無效",
    re.IGNORECASE,
)


def check_command(text: str, version: str | Version | None = None) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a command line (or several), a setting or a here-document; spans count code points.

    Raises UsageError where ``version`` is no version of Ollama.
    """
    scene = Scene(Excerpt.whole(text), text, resolve(version))
    return _ordered((*_shell(scene, Mounts(), lambda _: ()), *check_addresses(text)))


def check_markdown(
    text: str,
    lint_modelfile: LintModelfile,
    version: str | Version | None = None,
    language: Language | None = None,
) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the commands, settings, requests and Modelfiles of a text.

    ``lint_modelfile`` judges a Modelfile. ``language`` None means Markdown or plain text, else the whole text is of this
    language, as a shell script is. Lines that nobody typed (longer than 20,000 characters) are passed over. Raises UsageError
    where ``version`` is no version of Ollama, UnreadableFile for a text of too many Modelfiles or findings.
    """
    target, mounts = resolve(version), Mounts()
    text, lint_modelfile = _LONG_LINE.sub(_blank, text), _bounded(lint_modelfile)
    found: list[Diagnostic] = []
    if language is None:
        parts: Iterable[Excerpt] = blocks(text)
        found += check_prose(text)
        found += _loose(text, lint_modelfile)
    else:
        parts = (replace(Excerpt.whole(text, language), kind=BlockKind.FENCE),)
    found += _addresses(text)
    for excerpt in parts:
        scene = Scene(excerpt, text, target)
        for diagnostic in _block(scene, mounts, lint_modelfile):
            found.append(excerpt.outside(diagnostic))
            if len(found) > MOST_FINDINGS:
                raise UnreadableFile(
                    f"a text with more than {MOST_FINDINGS:,} findings is not judged to its end", hint="split it"
                )
    return _once(_ordered(_heard(found, text)))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _bounded(lint: LintModelfile) -> LintModelfile:
    """Lint a Modelfile that stands in a text many times once, and refuse a text of too many others."""
    known: dict[str, tuple[Diagnostic, ...]] = {}

    def judged(modelfile: str) -> tuple[Diagnostic, ...]:
        if modelfile not in known:
            if len(known) == MOST_MODELFILES:
                raise UnreadableFile(
                    f"a text of more than {MOST_MODELFILES:,} different Modelfiles is not judged",
                    hint="split it, or lint the Modelfiles as files of their own",
                )
            known[modelfile] = tuple(lint(modelfile))
        return known[modelfile]

    return judged


def _addresses(text: str) -> Iterator[Diagnostic]:
    """Leave out those of which the line says that they are wrong."""
    for diagnostic in check_addresses(text):
        end = text.find("\n", diagnostic.span.end)
        if not _DENIES.search(text, text.rfind("\n", 0, diagnostic.span.start) + 1, end if end >= 0 else len(text)):
            yield diagnostic


def _loose(text: str, lint: LintModelfile) -> Iterator[Diagnostic]:
    fences = [match.start() for match in re.finditer(r"(?m)^[ \t>]*(?:```|~~~)", text)]
    for span in loose_modelfiles(text):
        if bisect_left(fences, span.start) % 2 == 0:
            for diagnostic in check_modelfile(span.of(text), lint):
                yield replace(diagnostic, span=diagnostic.span.shift(span.start))


def _block(scene: Scene, mounts: Mounts, lint: LintModelfile) -> Iterator[Diagnostic]:
    text, kind = scene.excerpt.text, scene.excerpt.kind
    match scene.excerpt.language:
        case Language.MODELFILE:
            yield from check_modelfile(text, lint, part=not is_modelfile(text) and is_part(text))
        case Language.YAML:
            yield from check_services(scene)
        case Language.SETTINGS:
            yield from check_lines(scene)
            yield from check_unit(scene)
            for setting in file_settings(scene):
                yield from check_setting(setting, scene)
        case Language.SHELL | Language.POWERSHELL | Language.DOCKERFILE:
            if kind is BlockKind.INLINE:
                yield from _inline(scene, mounts, lint)
            else:
                yield from _shell(scene, mounts, lint)
        case Language.PYTHON:
            yield from check_python(scene)
        case Language.PLIST:
            yield from check_plist(scene)
        case Language.TEXT if is_part(text):
            yield from check_modelfile(text, lint, part=True)
        case _:
            pass


def _inline(scene: Scene, mounts: Mounts, lint: LintModelfile) -> Iterator[Diagnostic]:
    text = scene.excerpt.text
    if _DENIES.search(scene.around(0, lines=0)):
        return
    if is_part(text) and not re.search(r"[<>{}…]|\.\.\.", text):
        yield from check_modelfile(text, lint, part=True)
    elif re.search(r"ollama|OLLAMA|^--?[a-z]|docker run|nvidia-docker2|apt-key", text):
        yield from _shell(scene, mounts, lint)


def _shell(scene: Scene, mounts: Mounts, lint: LintModelfile) -> Iterator[Diagnostic]:
    yield from check_lines(scene)
    yield from check_unit(scene)
    proxies, downloads = [], False
    for simple in commands(scene.excerpt.text):
        if simple.body is not None and is_modelfile(simple.body.of(scene.excerpt.text)):
            for diagnostic in check_modelfile(simple.body.of(scene.excerpt.text), lint):
                yield replace(diagnostic, span=diagnostic.span.shift(simple.body.start))
        invoked = invocation(simple)
        if invoked is None:
            continue
        yield from check_line(invoked, scene, mounts)
        for setting in settings_of(invoked, scene):
            yield from check_setting(setting, scene)
            if setting.name in PROXIES and setting.form is Form.SESSION:
                proxies.append(setting)
        names = {word.value for word in invoked.arguments[:1]}
        downloads = downloads or (invoked.is_ollama and bool(names & {"pull", "run"} & CLIENTS))
    yield from check_powershell(scene)
    yield from check_build(scene)
    for setting in written_settings(scene):
        yield from check_setting(setting, scene)
    if downloads and not scene.runs_server:
        yield from (proxy_for_client(setting) for setting in proxies)


def _heard(found: Iterable[Diagnostic], text: str) -> Iterator[Diagnostic]:
    """Leave out what a comment on the line before, or before the block, says to ignore; what is left is in order."""
    waiting, near = sorted(_marks(text), reverse=True), list[_Mark]()
    for diagnostic in sorted(found, key=lambda diagnostic: diagnostic.span.start):
        place = diagnostic.span.start
        while waiting and waiting[-1].start <= place:
            near.append(waiting.pop())
        near = [mark for mark in near if place < mark.end]
        if not any(not mark.codes or diagnostic.code in mark.codes for mark in near):
            yield diagnostic


class _Mark(NamedTuple):
    """What a comment silences: from where to where, and which codes (none: all)."""

    start: int
    end: int
    codes: tuple[str, ...]


def _marks(text: str) -> Iterator[_Mark]:
    """Yield for each comment the next line, or the block that begins there."""
    unclosed: set[str] = set()
    for match in _IGNORE.finditer(text):
        start = text.find("\n", match.start()) + 1
        if start == 0:
            return
        fence = _FENCE.match(text, start)
        closing = "\n" if fence is None else f"\n{fence[0]}"
        end = -1 if closing in unclosed else text.find(closing, start if fence is None else fence.end())
        if end < 0:
            unclosed.add(closing)
        codes = tuple(re.split(r"[, ]+", match["codes"])) if match["codes"] else ()
        yield _Mark(start, end if end >= 0 else len(text), codes)


def _once(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Give each piece of advice once a text; what is wrong is said at every place."""
    said: set[str] = set()
    kept = []
    for diagnostic in found:
        if diagnostic.severity is not Severity.INFO or diagnostic.message not in said:
            kept.append(diagnostic)
            said.add(diagnostic.message)
    return tuple(kept)


def _ordered(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    unique = {(diagnostic.span, diagnostic.code, diagnostic.message): diagnostic for diagnostic in found}
    return tuple(sorted(unique.values(), key=lambda diagnostic: (diagnostic.span, diagnostic.code)))
