"""The values in which two models can differ: parameters, texts, renderer and parser, metadata of their GGUFs.

What a Modelfile says stands over what its FROM brings along; licences add up (Ollama ``server/create.go``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.compare.side import SIZE
from modelsmith.syntax.modelfile.table import NOTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.compare.side import Side


@dataclass(frozen=True, slots=True)
class Value:
    """One value of both sides; None where a side does not have it. Lists that are sets (stop) are sorted.

    ``decides`` False: it follows from others, and is shown so that one sees what they amount to.
    """

    name: str
    a: Any
    b: Any
    decides: bool = True

    @property
    def same(self) -> bool:
        """Whether both sides have the same value; 1 and 1.0 are the same number, True is none, NaN is itself."""
        alike = self.a == self.b and isinstance(self.a, bool) == isinstance(self.b, bool)
        return alike or repr(self.a) == repr(self.b)

    @property
    def removed(self) -> tuple[Any, ...]:
        """Items of a list that only the first side has."""
        return _without(self.a, self.b)

    @property
    def added(self) -> tuple[Any, ...]:
        """Items of a list that only the second side has."""
        return _without(self.b, self.a)


def compared_values(a: Side, b: Side) -> Iterator[Value]:
    """Yield every value that at least one side has; a bare template has none but what follows from it."""
    yield Value("template that runs", runs(a), runs(b), decides=False)
    yield Value("capabilities", sorted(a.effective.capabilities), sorted(b.effective.capabilities), decides=False)
    if a.is_bare or b.is_bare:
        return
    if a.modelfile is not None or b.modelfile is not None:
        known = a.from_known and b.from_known
        yield Value("FROM", a.draft.modelfile.from_, b.draft.modelfile.from_, decides=not known)
    for name, ours, theirs in zip(_NAMES, _scalars(a), _scalars(b), strict=True):
        if ours is not None or theirs is not None:
            yield Value(name, ours, theirs)
    ours, theirs = _parameters(a), _parameters(b)
    for name in sorted({*ours, *theirs}):
        yield Value(f"PARAMETER {name}", ours.get(name), theirs.get(name))


def runs(side: Side) -> str:
    """Say in a few words what builds the prompts."""
    names = {"go": "Go TEMPLATE", "parser": "Go TEMPLATE (PARSER is set)", "jinja": "Jinja template"}
    return side.unseen or names.get(side.effective.source, "Ollama's default")


_NAMES = ("ADAPTER", "DRAFT", "SYSTEM", *NOTED.values(), "LICENSE", "MESSAGE", "further weights")


def _scalars(side: Side) -> tuple[Any, ...]:
    """Return the values of one side in the order of _NAMES: what the Modelfile says over what FROM brings along."""
    draft, modelfile, inherited = side.draft, side.draft.modelfile, side.draft.inherited
    said = [(message["role"], message["content"]) for message in inherited.messages]
    messages = [(message.role, message.content) for message in modelfile.messages] or said
    return (
        modelfile.adapter or None,
        modelfile.draft or None,
        draft.system or None,
        *(draft.noted.get(command) or None for command in NOTED),
        sorted((*inherited.licenses, *modelfile.licenses)) or None,
        [f"{role}: {content}" for role, content in messages] or None,
        sorted(inherited.extra_layers) or None,
    )


def _parameters(side: Side) -> dict[str, Any]:
    return {
        name: sorted(set(map(str, value))) if isinstance(value, list | tuple) else value
        for name, value in side.draft.parameters.items()
    }


def compared_metadata(a: Side, b: Side) -> Iterator[Value]:
    """Yield what differs in the GGUFs; where one cannot be read, nothing is known of a difference."""
    if a.metadata is None or b.metadata is None:
        return
    if _digest(a) and _digest(b) and _digest(a) != _digest(b):
        yield Value("weights", _digest(a), _digest(b), decides=_digests_tell(a, b))
    for key in dict.fromkeys((*a.metadata, *b.metadata)):
        # How large a file is follows from everything in it, padding and the Jinja template too.
        value = Value(key, a.metadata.get(key), b.metadata.get(key), decides=key != SIZE)
        if not value.same:
            yield value


def untold(a: Side, b: Side) -> Iterator[str]:
    """Say what of the weights could not be compared."""
    if a.is_bare or b.is_bare:
        return
    for side in (a, b):
        if side.metadata is None and side.from_known:
            yield f"the GGUF of {side.spec} cannot be read from here: its metadata is not compared"
    weights = [side.draft.inherited.weights for side in (a, b)]
    if weights[0] != weights[1] and all(weights) and not _digests_tell(a, b):
        yield "of the GGUFs the metadata is compared, and not what the tensors hold"


def _digests_tell(a: Side, b: Side) -> bool:
    """Say whether the digests tell if the tensors are the same: they do not where the Jinja template differs anyway."""
    same_template = a.draft.inherited.chat_template == b.draft.inherited.chat_template
    return bool(_digest(a) and _digest(b)) and (_digest(a) == _digest(b) or same_template)


def _digest(side: Side) -> str:
    """Return the digest of weights that lie in a store, by their name."""
    weights = side.draft.inherited.weights
    return weights.name.replace("-", ":", 1) if weights is not None and weights.name.startswith("sha256-") else ""


def _without(items: Any, others: Any) -> tuple[Any, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(item for item in items if not isinstance(others, list) or item not in others)
