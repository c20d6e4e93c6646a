"""The parts of a Markdown (or plain) text that are code: fenced blocks, inline code, and lines that are clearly commands.

Source: CommonMark 0.31, sections 4.5 (fenced code blocks) and 6.1 (code spans); reStructuredText's ````…```` spans.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.doctor.excerpt import BlockKind, Excerpt, Language
from modelsmith.doctor.modelfiles import is_modelfile
from modelsmith.doctor.shell import PROMPT
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_FENCE = re.compile(
    r"(?P<before>(?:[ \t>]|(?:[-*+]|\d{1,3}[.)])(?=[ \t]))*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)"
)
_INLINE = re.compile(
    r"(?<!`)(?P<ticks>`{1,2})(?!`)(?P<code>.{1,400}?)(?<!`)(?P=ticks)(?!`)|<code>(?P<html>[^<\n]{1,400})</code>"
)
_LONGEST = 4000
"""Lines that nobody typed as a command are not searched for one."""
_BULLET = re.compile(r"[ \t]*(?:>[ \t]?)*(?:[-*+•][ \t]+|\d{1,3}[.)、][ \t]*)?")
_COMMAND = re.compile(
    r"(?:sudo (?:-\w+ \w+ )?)?(?:[A-Z_]+=\S+ )*(?:(?:docker|podman) (?:run|exec|compose exec) |ollama(?: |--)[a-z-]|OLLAMA_[A-Z_]+=\S|curl \S*.*(?:11434|api/(?:generate|chat|create))"
    r"|(?:export|set|setx|launchctl setenv) OLLAMA_|\$[eE]nv:OLLAMA_|Environment=\"?OLLAMA_|apt-get install .*nvidia-docker2)",
)
_NAMES: dict[str, Language] = {
    **dict.fromkeys(["bash", "sh", "shell", "zsh", "fish", "console", "shell-session", "shellsession", "terminal", "command", "cmd", "bat", "batch", "dos", "term"], Language.SHELL),
    **dict.fromkeys(["powershell", "ps1", "pwsh", "ps", "posh"], Language.POWERSHELL),
    **dict.fromkeys(["ini", "env", "dotenv", "systemd", "conf", "properties", "service", "toml"], Language.SETTINGS),
    **dict.fromkeys(["yaml", "yml", "compose", "docker-compose"], Language.YAML),
    **dict.fromkeys(["dockerfile", "docker", "containerfile"], Language.DOCKERFILE),
    "modelfile": Language.MODELFILE,
    **dict.fromkeys(["python", "py", "python3"], Language.PYTHON),
    **dict.fromkeys(["xml", "plist"], Language.PLIST),
    **dict.fromkeys(["", "text", "txt", "plaintext", "plain", "none", "json", "markdown"], Language.TEXT),
}  # fmt: skip


def blocks(text: str) -> Iterator[Excerpt]:
    """Yield every part of a text that may hold commands, settings or Modelfiles, in order."""
    rows = [
        Span(*match.span())
        for match in re.finditer(r"[^\n]*", text)
        if match.end() > match.start() or _at_line(text, match.start())
    ]
    place = 0
    while place < len(rows):
        fence = _FENCE.match(text, rows[place].start, rows[place].end)
        if fence is None:
            taken = yield from _loose(text, rows, place)
            place += taken
            continue
        place += 1
        inner: list[Span] = []
        while place < len(rows) and not _closes(text, rows[place], fence["fence"]):
            inner.append(_inside(text, rows[place], fence["before"]))
            place += 1
        place += 1
        if inner:
            yield _fenced(text, inner, fence["info"])


def _at_line(text: str, start: int) -> bool:
    return start == 0 or text[start - 1] == "\n"


def _closes(text: str, row: Span, fence: str) -> bool:
    line = re.sub(r"^[ \t>]*", "", row.of(text)).rstrip()
    return len(line) >= len(fence) and set(line) == {fence[0]}


def _inside(text: str, row: Span, before: str) -> Span:
    """Cut what stands before the fence (indentation, quote marks) from a line of the block."""
    start = row.start
    for char in before:
        if start < row.end and text[start] in " \t>" and (text[start] == char or char not in ">"):
            start += 1
        else:
            break
    end = row.end - 1 if row.end > start and text[row.end - 1] == "\r" else row.end
    return Span(start, max(start, end))


def _fenced(text: str, inner: list[Span], info: str) -> Excerpt:
    words = re.split(r"[\s{:,]+", info.strip().lower().lstrip("{."))
    language = _NAMES.get(words[0].rstrip("}"), Language.OTHER)
    excerpt = Excerpt.of(text, inner, language, BlockKind.FENCE)
    if language in {Language.TEXT, Language.DOCKERFILE, Language.SHELL}:
        language = _guess(excerpt, language)
    return Excerpt(excerpt.text, excerpt.starts, excerpt.origins, language, BlockKind.FENCE)


def _guess(excerpt: Excerpt, named: Language) -> Language:
    if is_modelfile(excerpt.text):
        return Language.MODELFILE
    if named is not Language.TEXT:
        return named
    if re.search(r"(?m)^services:[ \t\r]*$|^[ \t]+image:[ \t]*\S", excerpt.text):
        return Language.YAML
    if re.search(r"(?m)^\[(?:Service|Unit)\]|^Environment=", excerpt.text):
        return Language.SETTINGS
    if re.search(r"(?m)^FROM \S+$", excerpt.text) and re.search(r"(?m)^(?:RUN|COPY|CMD|ENTRYPOINT) ", excerpt.text):
        return Language.DOCKERFILE
    for line in excerpt.text.splitlines():
        match = PROMPT.match(line)
        if _COMMAND.match(line[match.end() if match else 0 :].lstrip()):
            return Language.SHELL
    return Language.TEXT


def _loose(text: str, rows: list[Span], place: int) -> Generator[Excerpt, None, int]:
    """Yield what a line outside fences holds; return how many lines were taken."""
    row = rows[place]
    if row.end - row.start > _LONGEST:
        return 1
    start = _BULLET.match(text, row.start, row.end)
    begin = start.end() if start else row.start
    prompt = PROMPT.match(text, begin, row.end)
    if _COMMAND.match(text, prompt.end() if prompt else begin, row.end):
        pieces = [Span(begin, row.end)]
        while pieces[-1].of(text).rstrip().endswith("\\") and place + len(pieces) < len(rows):
            pieces.append(rows[place + len(pieces)])
        yield Excerpt.of(text, pieces, Language.SHELL, BlockKind.LINE)
        return len(pieces)
    for match in _INLINE.finditer(text, row.start, row.end):
        group = "code" if match["code"] is not None else "html"
        yield Excerpt.of(text, [Span(*match.span(group))], Language.SHELL, BlockKind.INLINE)
    return 1
