"""MSD03, MSD10: units of systemd and environment files in which a variable does not arrive.

Sources: systemd.syntax(7) (assignments outside of a section are ignored), systemd.exec(5) (``ProtectHome=``,
``EnvironmentFile=``), Compose's syntax of env files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.doctor.excerpt import BlockKind, Language
from modelsmith.doctor.findings import finding
from modelsmith.doctor.scene import found
from modelsmith.doctor.settings import file_settings, unit_words
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene

_ENVIRONMENT = re.compile(r"(?m)^[ \t]*Environment=[\"']?OLLAMA_\w+=")
_SECTION = re.compile(r"(?m)^[ \t]*\[(?P<name>[^\]\n]+)\]")
_ECHOED = re.compile(
    r"echo[^\n|>]{0,200}?(?P<place>Environment=)[\"']?OLLAMA_\w{1,60}=[^\n|>]{0,400}(?:\||>)[^\n]{0,400}\.service\.d/[\w.-]+\.conf"
)
_SERVICE = re.compile(r"\[Service\]")
_HIDES = re.compile(r"(?m)^[ \t]*ProtectHome=(?P<value>yes|true|on|1|read-only|tmpfs)\b")
_HOME = re.compile(r"/(?:home|root|run/user)\b.*")
_KEY = re.compile(r"(?m)^[ \t]*(?P<key>[A-Za-z]\w*)[ \t]*=[ \t]*[\"']?(?P<variable>OLLAMA_\w+)[ \t]*=")
_KEYS = ("Environment", "PassEnvironment", "UnsetEnvironment")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_NO_EQUALS = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?(?P<name>OLLAMA_[A-Z_]+)[ \t]+(?!=)(?:value[ \t]*=[ \t]*)?[\"']?(?P<value>[^\"'\s#]+)[\"']?[ \t]*$"
)
_FARTHEST = 20_000
"""How far the end of a drop-in is looked for, in characters."""
_HERE = re.compile(r"<<-?[ \t]*([\"']?)(\w+)\1")
_EXPORT = re.compile(r"(?m)^[ \t]*(?P<word>export)[ \t]+(?P<variable>OLLAMA_\w+)=(?P<value>[^\n#]*)$")
_READ_AS_FILE = re.compile(r"EnvironmentFile=|--env-file\b|env_file:")
_HINT = "begin the file with a line [Service], and run: systemctl daemon-reload && systemctl restart ollama"


def check_unit(scene: Scene) -> Iterator[Diagnostic]:
    """Yield what keeps the variables of a unit, a drop-in or an environment file from Ollama."""
    text = scene.excerpt.text
    if scene.excerpt.language is Language.SETTINGS:
        yield from _section(text, scene)
        yield from _protected(text, scene)
        yield from _words(text)
        yield from _exported(text, scene)
        for match in _NO_EQUALS.finditer(text):
            yield finding(
                "MSD10",
                f"this sets nothing: an environment file wants {match['name']}=VALUE",
                Span(*match.span("name")),
                f"write {match['name']}={match['value']}",
            )
    elif scene.excerpt.language is Language.SHELL and scene.excerpt.kind is not BlockKind.INLINE:
        for match in _ECHOED.finditer(text):
            if "[Service]" not in match[0]:
                yield _outside(Span(*match.span("place")))
        for span in _written_units(text):
            yield from (_shifted(diagnostic, span.start) for diagnostic in _in_file(span.of(text)))


def _written_units(text: str) -> Iterator[Span]:
    """Yield the here-documents that are written into drop-ins of systemd."""
    place = text.find(".service.d/")
    while place >= 0:
        start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place)
        match = _HERE.search(text, start, end) if end >= 0 else None
        close = re.compile(rf"(?m)^[ \t]*{match[2]}[ \t]*$").search(text, end, end + _FARTHEST) if match else None
        if match is not None and close is not None:
            yield Span(match.end(), close.start())
        place = text.find(".service.d/", close.end() if close else end) if end >= 0 else -1


def _in_file(text: str) -> Iterator[Span]:
    """Yield the assignment that stands before any section, or in another one than [Service]."""
    for match in _ENVIRONMENT.finditer(text):
        section = ""
        for head in _SECTION.finditer(text, 0, match.start()):
            section = head["name"]
        if section != "Service":
            yield Span(match.start(), match.end())
        return


def _shifted(span: Span, by: int) -> Diagnostic:
    return _outside(span.shift(by))


def _outside(span: Span) -> Diagnostic:
    return finding("MSD10", "this sets nothing: systemd ignores Environment= that is not below [Service]", span, _HINT)


def _section(text: str, scene: Scene) -> Iterator[Diagnostic]:
    """Yield what a fragment lacks, unless its text names [Service] elsewhere and so tells where it goes."""
    if _SECTION.search(text) is None and found(_SERVICE, scene.whole):
        return
    yield from (_outside(span) for span in _in_file(text))


def _protected(text: str, scene: Scene) -> Iterator[Diagnostic]:
    hides = _HIDES.search(text)
    for setting in file_settings(scene) if hides else ():
        if setting.name == "OLLAMA_MODELS" and _HOME.fullmatch(setting.value) and hides:
            can = "only read" if hides["value"] == "read-only" else "not see"
            yield finding(
                "MSD03",
                f"{setting.value} is in a home, which the service can {can}: ProtectHome={hides['value']}",
                setting.value_span,
                "keep the models elsewhere, such as /var/lib/ollama/models, or set ProtectHome=no",
            )


def _exported(text: str, scene: Scene) -> Iterator[Diagnostic]:
    """Yield ``export`` in a unit, and in a file that systemd or Docker reads: neither is a shell."""
    is_unit = bool(_SECTION.search(text))
    if not is_unit and not found(_READ_AS_FILE, scene.whole):
        return
    for match in _EXPORT.finditer(text):
        how = (
            f'Environment="{match["variable"]}={match["value"]}"'
            if is_unit
            else f"{match['variable']}={match['value']}"
        )
        reader = "systemd runs no shell" if is_unit else "systemd and Docker read this file, and they are no shell"
        yield finding("MSD10", f"this sets nothing: {reader}", Span(*match.span("word")), f"write {how}")


def _words(text: str) -> Iterator[Diagnostic]:
    """Yield what systemd does not read of a unit's variables: other names of keys, values cut at a blank, blanks around =."""
    for match in _KEY.finditer(text):
        if match["key"] not in _KEYS:
            message = f"this sets nothing: systemd has no {match['key']}="
            yield finding("MSD10", message, Span(*match.span("key")), f"write Environment={match['variable']}=…")
    before = ""
    for word in unit_words(text):
        if word.value == "export":
            yield finding(
                "MSD10", "systemd runs no shell: export is no part of Environment=", word.span, "leave it out"
            )
        elif word.value == "=" and "OLLAMA_" in before:
            message = f"this sets nothing: systemd wants {before}=VALUE without blanks"
            yield finding("MSD10", message, word.span, f"write Environment={before}=…")
        elif (
            not _ASSIGNED.match(word.value)
            and before != "="
            and "OLLAMA_" in (before if not word.quoted else word.value)
        ):
            if word.quoted:
                hint = 'write "NAME=VALUE" without blanks around the ='
                yield finding(
                    "MSD10", f'this sets nothing: systemd wants NAME=VALUE, not "{word.value}"', word.span, hint
                )
            else:
                hint = f'quote the whole: Environment="{before} {word.value}"'
                yield finding("MSD10", f'the blank ends the value: systemd drops "{word.value}"', word.span, hint)
        before = word.value
