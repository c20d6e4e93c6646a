"""Build a Go template from observations: one range over the messages, one branch a role.

What stands between two contents is cut into the end of one message and the beginning of the next. Any cut is right; the
one that gives the shortest template is taken, so that role headers are not torn apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from modelsmith.errors import ConversionError
from modelsmith.template.convert_observe import END, FIRST, KEPT, LONG_DATE, PILED, SHORT_DATE, SYSTEM, observe
from modelsmith.template.convert_tree import Branch, common_end, common_start, grow, leaves, tests, trimmed
from modelsmith.template.convert_write import Writer, month

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.template.convert_observe import Observation, Reference, Scope
    from modelsmith.template.convert_tree import Sample, Tree

Key: TypeAlias = "tuple[tuple[str, str], ...]"
Texts: TypeAlias = "dict[Key, str]"
Ends: TypeAlias = "dict[str, Texts]"
"""For each role what follows its contents; for START, and what a whole prompt is about, what begins the prompt."""

START = ""
_CUTS = 6
_ROUNDS = 2
_BEGINNINGS = 3
_QUESTION_COST = 30


def build(render: Reference, scope: Scope, opening: str) -> str:
    """Return the Go template; raises ConversionError where what was seen cannot be told by a Go template."""
    seen = observe(render, scope)
    if any(observation.text for observation in seen if _after_begun(observation)):
        raise ConversionError("something is printed after an answer that the model shall go on with")
    seen = [observation for observation in seen if not _after_begun(observation)]
    ends = _best_ends(seen)
    trees = _trees(seen, ends)
    return _written(trees, {role: _shown(seen, role) for role in scope.roles}, ends, scope.placement, opening)


def _after_begun(observation: Observation) -> bool:
    return (
        observation.role == END and dict(observation.facts)["role"] == "assistant" and observation.left == "assistant"
    )


def _best_ends(seen: Sequence[Observation]) -> Ends:
    """Return for each role the text that follows its contents, and what stands before all messages."""
    after: dict[str, list[str]] = {}
    for observation in seen:
        if observation.text is not None and observation.left:
            after.setdefault(observation.left, []).append(observation.text)
    choices: dict[str, list[Texts]] = {
        role: [dict.fromkeys([()], cut) for cut in _cuts(common_start(texts))] for role, texts in after.items()
    }
    choices[START] = _starts(seen) or [{}]
    found: list[tuple[int, Ends]] = []
    for first in range(_BEGINNINGS):
        ends: Ends = {role: texts[min(first, len(texts) - 1)] for role, texts in choices.items()} | {START: {}}
        for _ in range(_ROUNDS):
            for role, candidates in choices.items():
                costs = [_cost(seen, {**ends, role: candidate}) for candidate in candidates]
                ends[role] = candidates[costs.index(min(costs))]
        found.append((_cost(seen, ends), ends))
    return min(found, key=lambda item: item[0])[1]


def _cuts(text: str) -> list[str]:
    """Return the places where a text may be cut: after a tag or a line, before a tag; the text itself, and nothing."""
    places = [place for place in range(1, len(text)) if text[place - 1] in ">]\n " or text[place] in "<[" + SYSTEM]
    return ["", *(text[:place] for place in places[:_CUTS]), text]


def _starts(seen: Sequence[Observation]) -> list[Texts]:
    """Return what could stand before all messages: less and less of what the beginnings of one kind share."""
    begun: dict[Key, list[str]] = {}
    for observation in seen:
        if observation.text is not None and not observation.left:
            begun.setdefault(_key(observation), []).append(observation.text)
    cuts = {key: _cuts(common_start(texts)) for key, texts in begun.items()}
    most = max(len(places) for places in cuts.values()) if cuts else 0
    return [{key: places[max(len(places) - 1 - less, 0)] for key, places in cuts.items()} for less in range(most)]


def _key(observation: Observation) -> Key:
    """Return the facts that are the same for a whole prompt, as far as it has begun with nothing."""
    return () if observation.left else tuple(pair for pair in observation.facts if pair[0] in {"system", "think"})


def _cost(seen: Sequence[Observation], ends: Ends) -> int:
    texts = [text for role, end in ends.items() if role != START for text in end.values()]
    return sum(map(len, texts)) + sum(_length(tree) for tree in _trees(seen, ends).values())


def _length(tree: Tree) -> int:
    """Return about how long a tree gets in Go, what its texts share counted once."""
    if isinstance(tree, str):
        return len(tree)
    texts = leaves(tree)
    start = len(common_start(texts))
    end = len(common_end([text[start:] for text in texts]))
    inner = trimmed(tree, start, end)
    if isinstance(inner, str):
        return start + end + len(inner)
    return start + end + _QUESTION_COST + _length(inner.yes) + _length(inner.no)


def _trees(seen: Sequence[Observation], ends: Ends) -> dict[str, Tree]:
    samples: dict[str, list[Sample]] = {}
    for observation in seen:
        if observation.text is not None:
            cut = len(ends.get(observation.left, {}).get(_key(observation), ""))
            samples.setdefault(observation.role, []).append((dict(observation.facts), observation.text[cut:]))
    starts: list[Sample] = [(dict(key), text) for key, text in ends.get(START, {}).items()]
    return {role: grow(found) for role, found in samples.items()} | ({START: grow(starts)} if starts else {})


def _shown(seen: Sequence[Observation], role: str) -> Tree:
    """Return the tree that says "yes" where a message of this role is printed."""
    found: list[Sample] = [
        (dict(observation.facts), "" if observation.text is None else "yes")
        for observation in seen
        if observation.role == role
    ]
    return grow(found) if found else ""


def _written(trees: Mapping[str, Tree], shown: Mapping[str, Tree], ends: Ends, placement: str, opening: str) -> str:
    body = Writer(placement, opening)
    questions = {test for tree in (*trees.values(), *shown.values()) for test in tests(tree)}
    names = {name for name, _ in questions}
    word = "if"
    for role, tree in shown.items():
        if tree == "":
            continue
        body.control(f'{word} eq .Role "{role}"')
        word = "else if"
        if isinstance(tree, Branch):
            body.shown(tree)
        _message(body, role, trees[role], ends.get(role, {}).get((), ""), remember="previous" in names)
        if isinstance(tree, Branch):
            body.control("end")
    body.control("end")
    if any(leaves(trees.get(END, ""))):
        body.control('if and $last (ne .Role "assistant")')
        body.tree(trees[END])
        body.control("end")
    whole = Writer(placement, opening)
    _head(whole, names, trees, placement)
    whole.tree(trees.get(START, ""))
    last = "$last" in str(body)
    whole.control("range $i, $_ := .Messages" if last or "$i" in str(body) else "range .Messages")
    if last:
        whole.control("$last := eq (len (slice $.Messages $i)) 1")
    return f"{whole}{chr(10)}{body!s}\n{{{{- end }}}}"


def _message(body: Writer, role: str, tree: Tree, end: str, *, remember: bool) -> None:
    body.tree(tree)
    body.value(".Content")
    if end and role == "assistant":
        body.control("if not $last")
    body.text(end)
    if end and role == "assistant":
        body.control("end")
    if remember:
        body.control(f'$previous = "{role}"')


def _head(writer: Writer, names: set[str], trees: Mapping[str, Tree], placement: str) -> None:
    texts = "".join(text for tree in trees.values() for text in leaves(tree))
    if SHORT_DATE in texts or LONG_DATE in texts:
        month(writer)
    keeps, asks = placement in KEPT, bool(names & {"last_user", "after_last_user", "user"})
    if keeps:
        writer.control('$system := ""')
    if asks:
        writer.control("$lastUser := -1")
    if keeps or asks:
        writer.control("range $i, $_ := .Messages" if asks or placement == FIRST else "range .Messages")
        if keeps:
            first = "and (eq $i 0) " if placement == FIRST else ""
            writer.control(f'if {first}(eq .Role "system")' if first else 'if eq .Role "system"')
            writer.control("$system = print $system .Content" if placement == PILED else "$system = .Content")
            writer.control("end")
        if asks:
            writer.control('if eq .Role "user"')
            writer.control("$lastUser = $i")
            writer.control("end")
        writer.control("end")
    if "previous" in names:
        writer.control('$previous := ""')
