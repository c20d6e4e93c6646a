"""Build a Go template from observations: one range over the messages, one branch a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert.to_go.ends import START, Samples, best_ends
from modelsmith.template.convert.to_go.observe import observe
from modelsmith.template.convert.to_go.orders import (
    CALLING,
    CONCATENATED,
    CONTENT,
    END,
    FIRST,
    INLINE,
    KEPT,
    LONG_DATE,
    SHORT_DATE,
    SILENT,
    UNIT,
)
from modelsmith.template.convert.to_go.tree import Branch, grow, leaves, tests
from modelsmith.template.convert.to_go.write import Writer, month

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.template.convert.to_go.ends import Ends
    from modelsmith.template.convert.to_go.observe import Observation
    from modelsmith.template.convert.to_go.orders import Coverage
    from modelsmith.template.convert.to_go.reference import Reference
    from modelsmith.template.convert.to_go.tree import Sample, Tree


def build(render: Reference, coverage: Coverage, opening: str) -> str:
    """Return the Go template; raises ConversionError where what was seen cannot be told by a Go template."""
    seen = observe(render, coverage)
    if any(observation.text for observation in seen if _after_begun(observation)):
        raise ConversionError("something is printed after an answer that the model shall go on with")
    seen = [observation for observation in seen if not _after_begun(observation)]
    samples = Samples(seen)
    ends = best_ends(samples)
    trees = samples.trees(ends)
    return _written(trees, {role: _shown(seen, role) for role in coverage.roles}, ends, coverage, opening)


def _after_begun(observation: Observation) -> bool:
    answers, facts = {"assistant", CALLING}, dict(observation.facts)
    begun = facts.get("role") in answers and facts.get(SILENT) == "no"
    return observation.role == END and begun and observation.left in answers


def _of_answers(tree: Tree, *, answers: bool) -> Tree:
    """Return what a tree says where the message is the assistant's, or where it is not."""
    if isinstance(tree, str):
        return tree
    yes, no = (_of_answers(side, answers=answers) for side in (tree.yes, tree.no))
    if tree.test == ("role", "assistant"):
        return yes if answers else no
    return yes if yes == no else Branch(tree.test, yes, no)


def _shown(seen: Sequence[Observation], role: str) -> Tree:
    """Return the tree that says "yes" where a message of this role is printed."""
    found: list[Sample] = [
        (dict(observation.facts), "" if observation.text is None else "yes")
        for observation in seen
        if observation.role == role
    ]
    return grow(found) if found else ""


def _written(trees: Mapping[str, Tree], shown: Mapping[str, Tree], ends: Ends, coverage: Coverage, opening: str) -> str:
    placement = coverage.placement
    body = Writer(placement, opening, coverage.format)
    questions = {test for tree in (*trees.values(), *shown.values()) for test in tests(tree)}
    names = {name for name, _ in questions}
    word = "if"
    for role, tree in shown.items():
        if tree == "":
            continue
        # (len .ToolCalls): Ollama takes the first text in an `if .ToolCalls` for what opens a call in the model's answer
        asks = f'eq .Role "{role}"'
        if role == CALLING:
            asks = 'and (eq .Role "assistant") (len .ToolCalls)'
        elif role == "assistant":
            asks = 'and (eq .Role "assistant") (or (not $last) .Content .Thinking .ToolCalls)'
        body.control(f"{word} {asks}")
        word = "else if"
        if isinstance(tree, Branch):
            body.shown(tree)
        unit = trees.get(UNIT + role, CONTENT)
        _message(body, role, (trees[role], unit), ends.get(role, {}).get((), ""), remember="previous" in names)
        if isinstance(tree, Branch):
            body.control("end")
    body.control("end")
    _remember(body, names)
    for asks, answers in (
        ('ne .Role "assistant"', False),
        ('eq .Role "assistant") (not (or .Content .Thinking .ToolCalls)', True),
    ):
        tree = _of_answers(trees.get(END, ""), answers=answers)
        if any(leaves(tree)):
            body.control(f"if and $last ({asks})")
            body.tree(tree)
            body.control("end")
    whole = Writer(placement, opening, coverage.format)
    _head(whole, names, trees, placement)
    whole.tree(trees.get(START, ""))
    last = "$last" in str(body)
    whole.control("range $i, $_ := .Messages" if last or "$i" in str(body) else "range .Messages")
    if last:
        whole.control("$last := eq (len (slice $.Messages $i)) 1")
    definitions, beginning = whole.definitions(body), str(whole)
    line = "\n" if definitions and beginning.startswith("{{-") else ""
    return f"{definitions}{line}{beginning}\n{body!s}\n{{{{- end }}}}"


def _message(body: Writer, role: str, trees: tuple[Tree, Tree], end: str, *, remember: bool) -> None:
    before, content = trees
    body.tree(before)
    body.tree(content)
    opens = end and role in {"assistant", CALLING}
    if opens:
        body.control("if not $last")
    body.text(end)
    if opens:
        body.control("end")
    if remember:
        body.control(f'$previous = "{role}"')


def _remember(body: Writer, names: set[str]) -> None:
    """Write what keeps in mind who spoke; it counts messages that are not printed too."""
    if "spoken" in names:
        body.control('if and (ne .Role "system") (or (not $last) (ne .Role "assistant"))')
        body.control("$spoken = .Role")
        body.control("end")
    for name, marks in (("output", ("true", "false")), ("ever", ("true", ""))):
        if name in names:
            body.control('if eq .Role "tool"')
            body.control(f"${name} = {marks[0]}")
            if marks[1]:
                body.control("else if gt (len .ToolCalls) 0")
                body.control(f"${name} = {marks[1]}")
            body.control("end")


def _head(writer: Writer, names: set[str], trees: Mapping[str, Tree], placement: str) -> None:
    texts = "".join(text for tree in trees.values() for text in leaves(tree))
    if SHORT_DATE in texts or LONG_DATE in texts:
        month(writer)
    keeps, asks = placement in KEPT, bool(names & {"last_user", "after_last_user", "user"})
    knows = placement == INLINE and "system" in names
    if keeps or knows:
        writer.control('$system := ""' if keeps else "$system := false")
    if asks:
        writer.control("$lastUser := -1")
    if keeps or knows or asks:
        writer.control("range $i, $_ := .Messages" if asks or placement == FIRST else "range .Messages")
        if knows:  # a system message without text is one too
            writer.control('if eq .Role "system"')
            writer.control("$system = true")
            writer.control("end")
        if keeps:
            first = "and (eq $i 0) " if placement == FIRST else ""
            writer.control(f'if {first}(eq .Role "system")' if first else 'if eq .Role "system"')
            writer.control("$system = print $system .Content" if placement == CONCATENATED else "$system = .Content")
            writer.control("end")
        if asks:
            writer.control('if eq .Role "user"')
            writer.control("$lastUser = $i")
            writer.control("end")
        writer.control("end")
    for name, value in (("previous", '""'), ("spoken", '""'), ("output", "false"), ("ever", "false")):
        if name in names:
            writer.control(f"${name} := {value}")
