"""Format a Modelfile or a template, and prove that it means what it meant: it is read alike, rendered alike, and stays so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.errors import ModelfileRefused, TemplateSyntaxError
from modelsmith.fmt.actions import action_edits
from modelsmith.fmt.check import check_modelfile, check_template, failed
from modelsmith.fmt.layout import layout_edits
from modelsmith.source import Edit, Source, apply_edits
from modelsmith.syntax.modelfile.nodes import Instruction
from modelsmith.syntax.modelfile.reading import NO_FROM
from modelsmith.syntax.modelfile.table import DOCUMENTED
from modelsmith.syntax.modelfile.text import Encoding, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.modelfile.modelfile import Modelfile

_SAVE_AS_UTF_8 = "save it as UTF-8; from an older encoding for example with: iconv -f CP949 -t UTF-8"
_KEPT = "# kept by fmt: "
_NO_TEXT = re.compile("[\ud800-\udfff]")


def format_bytes(data: bytes, name: str, *, templates: bool = False) -> bytes:
    """Return the bytes of a file in its one layout; ``name`` tells a template from a Modelfile.

    Raises as ``format_modelfile`` and ``format_template`` do.
    """
    if not is_template(name):
        from modelsmith.syntax.modelfile.modelfile import Modelfile

        return bytes(format_modelfile(Modelfile.parse(data), templates=templates))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise TemplateSyntaxError(f"byte {error.start + 1} is no valid UTF-8", hint=_SAVE_AS_UTF_8) from error
    return format_template(text).encode()


def is_template(name: str) -> bool:
    """Say whether a file is a Go template by itself, by its name."""
    return name.casefold().endswith((".gotmpl", ".tmpl"))


def format_modelfile(modelfile: Modelfile, *, templates: bool = False) -> Modelfile:
    """Return the Modelfile in its one layout, as UTF-8; all values stay as they are.

    With ``templates`` the actions of each TEMPLATE are formatted too, where it is one that Go accepts: it prints the same,
    and only its digest in the store changes. Raises ModelfileRefused for a file that Ollama's parser stops at (a missing
    FROM aside) or that is no text, VerificationFailed where the result would not mean the same.
    """
    documented = _as_comments(modelfile)
    if documented is not None:
        after = format_modelfile(documented, templates=templates)
        return after.parse(encode(after.text.replace(_KEPT, ""), after.encoding))
    _check_readable(modelfile)
    values: dict[int, str] = {}
    edits = list(layout_edits(modelfile))
    for number, node in _templates(modelfile) if templates else ():
        inside = _accepted_template_edits(node.value)
        if inside:
            start = node.value_span.start
            edits += [Edit(edit.span.shift(start), edit.text) for edit in inside]
            values[number] = apply_edits(node.value, inside)
    if not edits and modelfile.encoding == Encoding():
        return modelfile
    after = modelfile.parse(encode(apply_edits(modelfile.text, edits)))
    check_modelfile(modelfile, after, values)
    if next(layout_edits(after), None) is not None:
        failed("it a second time")
    return after


def format_template(text: str) -> str:
    """Return a Go template with its actions in one layout; it prints the same.

    Raises TemplateSyntaxError where Go or Ollama refuses the template, VerificationFailed where the result would print
    another thing.
    """
    return apply_edits(text, template_edits(text))


def template_edits(text: str) -> list[Edit]:
    """Return the edits that ``format_template`` makes, proven; raises as it does."""
    from modelsmith.template.go.template import Template

    Template.parse(text)
    edits = list(action_edits(text))
    if edits:
        after = apply_edits(text, edits)
        check_template(text, after)
        if next(action_edits(after), None) is not None:
            failed("it a second time")
    return edits


def _accepted_template_edits(text: str) -> list[Edit]:
    try:
        return template_edits(text) if next(action_edits(text), None) else []
    except TemplateSyntaxError:
        return []  # what is wrong with a template is not the layout's business


def _templates(modelfile: Modelfile) -> Iterator[tuple[int, Instruction]]:
    for number, node in enumerate(modelfile.nodes):
        # where Ollama drops characters, a place in the value is not one in the file
        if (
            isinstance(node, Instruction)
            and node.keyword == "TEMPLATE"
            and node.value == node.value_span.of(modelfile.text)
        ):
            yield number, node


def _as_comments(modelfile: Modelfile) -> Modelfile | None:
    """Return the Modelfile with its lines of instructions that only the documentation knows as comments; None where it has none.

    Nobody knows their syntax yet: they are kept as they are, one line each.
    """
    found = [
        node
        for node in modelfile.instructions
        if node.fault and node.keyword in DOCUMENTED and "\n" not in node.span.of(modelfile.text)
    ]
    if not found or _KEPT in modelfile.text:
        return None
    edits = [Edit.insert(node.span.start, _KEPT) for node in found]
    return modelfile.parse(encode(apply_edits(modelfile.text, edits), modelfile.encoding))


def _check_readable(modelfile: Modelfile) -> None:
    broken = _NO_TEXT.search(modelfile.text)
    if broken:
        line, column = Source(modelfile.text).position(broken.start())
        raise ModelfileRefused(
            f"line {line}, column {column} is no valid {modelfile.encoding.codec.upper()}",
            line=line,
            hint=_SAVE_AS_UTF_8,
        )
    error = modelfile.as_ollama().error
    if error is not None and error.message != NO_FROM:
        place = f"line {error.line}: " if error.line else ""
        raise ModelfileRefused(
            f"{place}Ollama refuses it: {error.message}", line=error.line, hint="`modelsmith parse` shows the place"
        )
