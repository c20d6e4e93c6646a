"""Cut what stands between two contents into the end of one message and the beginning of the next.

Any cut is right; the one that gives the shortest template is taken, so that role headers are not torn apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from modelsmith.template.convert.to_go.orders import SYSTEM, UNIT
from modelsmith.template.convert.to_go.tree import Grower, common_end, common_start, grow, leaves, trimmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.template.convert.to_go.observe import Observation
    from modelsmith.template.convert.to_go.tree import Sample, Tree

Key: TypeAlias = "tuple[tuple[str, str], ...]"
Texts: TypeAlias = "dict[Key, str]"
Ends: TypeAlias = "dict[str, Texts]"
"""For each role what follows its contents; for START, and what a whole prompt is about, what begins the prompt."""

START = ""
_CUTS = 6
_ROUNDS = 2
_BEGINNINGS = 3
_QUESTION_COST = 30


def best_ends(samples: Samples) -> Ends:
    """Return for each role the text that follows its contents, and what stands before all messages."""
    after: dict[str, list[str]] = {}
    for observation in samples.seen:
        if observation.text is not None and observation.left and observation.left != UNIT:
            after.setdefault(observation.left, []).append(observation.text)
    choices: dict[str, list[Texts]] = {
        role: [dict.fromkeys([()], cut) for cut in _cuts(common_start(texts))] for role, texts in after.items()
    }
    choices[START] = _starts(samples.seen) or [{}]
    found: list[tuple[int, Ends]] = []
    for first in range(_BEGINNINGS):
        ends: Ends = {role: texts[min(first, len(texts) - 1)] for role, texts in choices.items()} | {START: {}}
        for _ in range(_ROUNDS):
            for role, candidates in choices.items():
                costs = [_cost(samples, {**ends, role: candidate}) for candidate in candidates]
                ends[role] = candidates[costs.index(min(costs))]
        found.append((_cost(samples, ends), ends))
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
    return (
        () if observation.left else tuple(pair for pair in observation.facts if pair[0] in {"system", "think", "tools"})
    )


def _cost(samples: Samples, ends: Ends) -> int:
    texts = [text for role, end in ends.items() if role != START for text in end.values()]
    return sum(map(len, texts)) + sum(_length(tree) for tree in samples.trees(ends).values())


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


class Samples:
    """What was seen, role by role, ready to be told apart."""

    def __init__(self, seen: Sequence[Observation]) -> None:
        self.seen = seen
        roles: dict[str, list[Observation]] = {}
        for observation in seen:
            if observation.text is not None:
                roles.setdefault(observation.role, []).append(observation)
        self._roles = {
            role: (
                Grower([dict(observation.facts) for observation in found]),
                [(observation.text or "", observation.left, _key(observation)) for observation in found],
            )
            for role, found in roles.items()
        }

    def trees(self, ends: Ends) -> dict[str, Tree]:
        """Return for each role what is printed before a content, less the end of the message before."""
        starts: list[Sample] = [(dict(key), text) for key, text in ends.get(START, {}).items()]
        return {
            role: grower.tree([text[len(ends.get(left, {}).get(key, "")) :] for text, left, key in found])
            for role, (grower, found) in self._roles.items()
        } | ({START: grow(starts)} if starts else {})
