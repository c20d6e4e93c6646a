"""Where in a file, or in a model, a template is wrong.

Source of the places of run-time errors: Go text/template/parse (ErrorContext: a line, and bytes before the node on it).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError, TemplateSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.errors import TemplateRenderError
    from modelsmith.source import Source, Span

_GO_PLACE = re.compile(r"^template: [^:]*:(\d+):(?:(\d+):)? ")
_JINJA_PLACE = re.compile(r" \(line (\d+)(?:, column (\d+))?\)$")


def show_template_error(specs: tuple[str, ...], where: str | None = None) -> bool:
    """Print where the first template that cannot be read is wrong, with a caret; False where no place was found.

    ``specs`` are files and models as commands take them, ``where`` the store. Each is read again and parsed.
    """
    from modelsmith.cli.shared.failure import show_diagnostic

    for spec in specs:
        for text, source, start, kind in _templates(spec, where):
            try:
                _parse(text, kind)
            except TemplateSyntaxError as error:
                show_diagnostic(_diagnostic(error, text, source, start), source)
                return True
    return False


def show_render_error(error: TemplateRenderError, spec: str, where: str | None = None) -> bool:
    """Print where a template failed while it rendered, with a caret; False where the error does not say, or it is nowhere."""
    from modelsmith.cli.shared.failure import show_diagnostic
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Span

    go, jinja = _GO_PLACE.match(error.message), _JINJA_PLACE.search(error.message)
    if not (go or jinja):
        return False
    for text, source, start, kind in _templates(spec, where):
        if kind != ("go" if go else "jinja"):
            continue
        place_of = (int(go[1]), int(go[2] or 0)) if go else _jinja_place(error.message)
        offset = _offset(text, *place_of) if place_of else None
        if offset is None:
            continue
        offset = min(start + offset, len(source.text))
        place = Span(offset, min(offset + 1, len(source.text)))
        message = _GO_PLACE.sub("", error.message) if go else _JINJA_PLACE.sub("", error.message)
        show_diagnostic(Diagnostic("template-render", message, place, hint=error.hint), source)
        return True
    return False


def caret_place(text: str, offset: int) -> Span:
    """Return the character at an offset; where nothing but white space follows, which shows no caret, the last one before it."""
    from modelsmith.source import Span

    start = min(offset, len(text) if text[offset:].strip() else len(text.rstrip()))
    return Span(start, min(start + 1, len(text)))


def _jinja_place(message: str) -> tuple[int, int] | None:
    """Return the line and the bytes before the place on it that an error about a Jinja template names."""
    found = _JINJA_PLACE.search(message)
    return (int(found[1]), int(found[2] or 1) - 1) if found else None


def _offset(text: str, line: int, before: int) -> int | None:
    """Return the character of a text that is behind so many bytes of a line; None where there is no such line."""
    lines = text.split("\n")
    if line > len(lines):
        return None
    column = len(lines[line - 1].encode("utf-8", "surrogatepass")[:before].decode("utf-8", "replace"))
    return sum(len(earlier) + 1 for earlier in lines[: line - 1]) + column


def _parse(text: str, kind: str) -> None:
    from modelsmith.template.go.template import Template
    from modelsmith.template.jinja.template import ChatTemplate

    if kind == "jinja":
        ChatTemplate.parse(text)
    else:
        Template.parse(text)


def _diagnostic(error: TemplateSyntaxError, text: str, source: Source, start: int) -> Diagnostic:
    from modelsmith.diagnostic import Diagnostic

    offset = error.offset
    if offset is None:
        offset = _offset(text, *(_jinja_place(error.message) or (error.line or 1, 0))) or 0
    message = _JINJA_PLACE.sub("", _GO_PLACE.sub("", error.message))
    return Diagnostic("template-syntax", message, caret_place(source.text, start + offset), hint=error.hint)


def _templates(spec: str, where: str | None) -> Iterator[tuple[str, Source, int, str]]:
    """Yield the texts of templates, what to show of each, where it begins there, and ``go`` or ``jinja``."""
    from modelsmith.models.find import find_base
    from modelsmith.models.sources.bare import is_bare, is_jinja, read_template
    from modelsmith.source import Source
    from modelsmith.store.open import open_store_or_absent

    folder = Path.cwd()
    if is_bare(spec, folder):
        text = read_template(spec, folder)
        yield text, Source(text, spec), 0, "jinja" if is_jinja(spec) else "go"
        return
    yield from _in_modelfile(spec)
    try:
        inherited = find_base(spec, open_store_or_absent(where), folder).inherited
    except ModelsmithError:
        return
    if inherited.template:
        yield inherited.template, Source(inherited.template, f"{spec} TEMPLATE"), 0, "go"
    if inherited.chat_template:
        yield inherited.chat_template, Source(inherited.chat_template, f"{spec} tokenizer.chat_template"), 0, "jinja"


def _in_modelfile(spec: str) -> Iterator[tuple[str, Source, int, str]]:
    from modelsmith.source import Source
    from modelsmith.syntax.modelfile.modelfile import Modelfile

    path = Path(spec)
    try:
        if not path.is_file() or path.stat().st_size > 16 << 20:
            return
        data = path.read_bytes()
    except OSError:
        return
    if data.startswith(b"GGUF"):
        return
    modelfile = Modelfile.parse(data)
    for instruction in modelfile.find("TEMPLATE")[-1:]:
        start = instruction.value_span.start
        if modelfile.text.startswith(instruction.value, start):
            yield instruction.value, Source(modelfile.text, spec), start, "go"
        else:  # Ollama drops characters of it: its places are not those of the file
            yield instruction.value, Source(instruction.value, f"{spec} TEMPLATE"), 0, "go"
