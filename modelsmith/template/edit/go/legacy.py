r"""Candidates for an injection into a legacy template, which Ollama renders once a turn.

The same text renders past turns and the open one, and an answer can be empty in both: where a system message follows a
user's, Ollama prints that turn without an answer. What tells them apart is that Ollama cuts the template for the last
rendering: it drops every node, and every argument of a call, that comes after the first ``.Response``. So

    {{ $.Response }}{{ if … }}{{ slice "<think>\n" (len .Response) 0 }}{{ end }}

prints ``"<think>\n"[0:]`` in the open turn and ``"<think>\n"[0:0]``, nothing, in a past one. ``$.Response`` is the answer
without being a place of the cut. Source: Ollama template/template.go (Execute, deleteNode).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from modelsmith.source import Edit
from modelsmith.syntax.gotemplate.nodes import Action, Field, Identifier, If, Number, Parenthesized, String
from modelsmith.syntax.gotemplate.tree import walk
from modelsmith.template.edit.addition import code, literal
from modelsmith.template.edit.go.places import Candidate
from modelsmith.template.edit.go.scope import clear_of_trims, offset_after, offset_before, offset_before_tag, paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.gotemplate.nodes import Operand, Pipeline
    from modelsmith.syntax.gotemplate.tree import Tree
    from modelsmith.template.edit.addition import Addition

_TURN = "and (not .Response) (or .Prompt (not .System))"
_WHY = "{{/* only in the open turn: Ollama drops there what follows .Response, the 0 too */}}"


def legacy_candidates(tree: Tree, addition: Addition) -> Iterator[Candidate]:
    """Yield the candidates, the plainest first."""
    yield from _more(tree, addition)
    whole = _block(addition)
    for item in walk(tree.root):
        if isinstance(item, Action) and (fields := list(_responses(item.pipeline))):
            uncut = tuple(Edit.insert(field.start, "$") for field in fields)
            yield Candidate((*uncut, Edit.insert(offset_after(tree.text, item), whole)), natural=True)
            yield from _around_condition(tree, item, uncut, whole)
            yield Candidate((Edit.insert(offset_before(tree.text, paths(tree)[id(item)][-1]), whole),), natural=True)
            break
    end = offset_before_tag(tree.text, tree.root)
    yield Candidate((Edit.insert(end, "{{ $.Response }}" + whole),), natural=True)
    yield Candidate((Edit.insert(end, whole),), natural=True)


def _block(addition: Addition) -> str:
    """Return the code of an open turn: choose the text first, nothing can be chosen behind ``.Response``."""
    if addition.unset == addition.on == addition.off:
        return f"{{{{ if {_TURN} }}}}{_cut(literal(addition.on))}{{{{ end }}}}"
    return f"{{{{ if {_TURN} }}}}{_choice('$open', addition)}{_cut('$open')}{{{{ end }}}}"


def _choice(name: str, addition: Addition) -> str:
    first = f'{{{{ {name} := "" }}}}'
    return first + code(addition, root="", write=lambda text: f"{{{{ {name} = {literal(text)} }}}}")


def _cut(text: str) -> str:
    return f"{_WHY}{{{{ slice {text} (len .Response) 0 }}}}"


def _more(tree: Tree, addition: Addition) -> Iterator[Candidate]:
    """Offer to prolong what an earlier injection prints."""
    for item in walk(tree.root):
        text = _cut_text(item) if isinstance(item, Action) else None
        if text is None:
            continue
        if isinstance(text, String) and addition.unset == addition.on == addition.off:
            yield Candidate((Edit(text.span, literal(text.value + addition.on)),), natural=True)
        else:
            names = (f"$more{number or ''}" for number in itertools.count())
            name = next(name for name in names if f"{name} :=" not in tree.text)
            both = f"(print {tree.text[text.start : text.end]} {name})"
            edits = (Edit.insert(item.start, _choice(name, addition)), Edit(text.span, both))
            yield Candidate(edits, natural=True)


def _around_condition(tree: Tree, item: Action, uncut: tuple[Edit, ...], whole: str) -> Iterator[Candidate]:
    """Offer to take ``.Response`` apart from a condition that hides it: ``{{ if .Response }}a{{ .Response }}b{{ end }}``."""
    path = paths(tree)[id(item)]
    if len(path) != 2 or not isinstance(block := path[0].node, If) or block.otherwise:
        return
    text = tree.text
    behind = clear_of_trims(text, item.end)
    again = f"{{{{ end }}}}{whole}{text[block.opening.start : block.opening.end]}"
    yield Candidate((*uncut, Edit.insert(behind, again)), natural=True)


def _responses(pipeline: Pipeline) -> Iterator[Field]:
    """Yield the places in an action at which Ollama would cut."""
    for command in pipeline.commands:
        for operand in command.operands:
            if isinstance(operand, Parenthesized):
                yield from _responses(operand.pipeline)
            elif isinstance(operand, Field) and operand.names == ("Response",):
                yield operand


def _cut_text(action: Action) -> Operand | None:
    """Return what ``{{ slice TEXT (len .Response) 0 }}`` slices."""
    pipeline = action.pipeline
    if len(pipeline.commands) != 1 or pipeline.declared or len(pipeline.commands[0].operands) != 4:
        return None
    function, text, length, zero = pipeline.commands[0].operands
    named = (
        isinstance(function, Identifier) and function.name == "slice" and isinstance(zero, Number) and zero.value == 0
    )
    if not named or not isinstance(length, Parenthesized) or len(length.pipeline.commands) != 1:
        return None
    operands = length.pipeline.commands[0].operands
    return text if len(operands) == 2 and isinstance(operands[1], Field) else None
