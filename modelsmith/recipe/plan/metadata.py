"""The recipe key ``gguf``: which metadata changes, and what follows for the model; and the shards that become one GGUF."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import UsageError
from modelsmith.weights.convert.weights import open_weights
from modelsmith.weights.gguf.arrange.shards import SHARD, open_shards, place_of
from modelsmith.weights.gguf.edit.edit import edit
from modelsmith.weights.gguf.file import CHAT_TEMPLATE, GGUFFile
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.tokens.ends import text_ends
from modelsmith.weights.gguf.values import TypedValue, ValueKind, same_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.models.base import Base
    from modelsmith.models.draft import Draft
    from modelsmith.recipe.format.schema import GGUF

_ITEMS = 4


def metadata_changes(recipe: GGUF | None) -> dict[str, Any]:
    """Return what a recipe asks for: keys with values, lists and typed values, None to remove one."""
    if recipe is None:
        return {}
    return {key: _value(value) for key, value in recipe.set_.items()} | dict.fromkeys(recipe.unset)


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return TypedValue(ValueKind.parse(value["type"]), _value(value["value"]))
    return list(value) if isinstance(value, tuple) else value


def with_metadata(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """Return the draft whose GGUF gets these values; those that it has already change nothing.

    Raises UsageError where a value is not of its key's type, Unsupported for keys that are fixed.
    """
    wishes = {**draft.gguf, **changes}
    weights = draft.base.inherited.weights
    if not changes or weights is None:
        return replace(draft, gguf=wishes)
    gguf = open_weights(weights)
    after = edit(gguf, wishes)
    kept = {key: value for key, value in wishes.items() if _changes(gguf, after, key)}
    if not any(key.startswith("tokenizer.ggml.") for key in kept):
        return replace(draft, gguf=kept)
    inherited = replace(draft.base.inherited, ends=text_ends(after))
    return replace(draft, gguf=kept, base=replace(draft.base, inherited=inherited))


def _changes(before: GGUFFile, after: GGUFFile, key: str) -> bool:
    if key not in before.metadata or key not in after.metadata:
        return (key in before.metadata) != (key in after.metadata)
    return not same_value(before.metadata.entry(key), after.metadata.entry(key))


def metadata_rows(draft: Draft) -> Iterator[tuple[str, Any, Any]]:
    """Yield the keys that change, with their values before and after (None: not there), but for the chat template."""
    weights = draft.base.inherited.weights
    if weights is None or not draft.gguf:
        return
    gguf = open_weights(weights)
    after = edit(gguf, draft.gguf)
    for key in draft.gguf:
        if key != CHAT_TEMPLATE:
            yield key, _shown(gguf, key), _shown(after, key)


def _shown(gguf: GGUFFile, key: str) -> Any:
    value = gguf.metadata.get(key)
    if not isinstance(value, GGUFArray):
        return value
    return f"{value[:_ITEMS]}, {len(value):,} items" if len(value) > _ITEMS else list(value)


def differs(draft: Draft, stored: Path) -> str:
    """Return the first changed key that a stored file has otherwise than planned; ``""`` where it has all."""
    weights = draft.base.inherited.weights
    if weights is None or not draft.gguf:
        return ""
    planned, found = edit(open_weights(weights), draft.gguf), GGUFFile.open(stored)
    return next((key for key in draft.gguf if _changes(planned, found, key)), "")


def merged_base(base: Base, *, merge: bool) -> Base:
    """Return the base whose FROM is the first of all shards where they shall become one GGUF.

    Raises UsageError where they are not all there, where there is nothing to merge, and where only one shard is named
    without asking for it: Ollama would refuse that.
    """
    weights = base.inherited.weights
    if base.inherited.stored or weights is None:
        if merge:
            raise UsageError(
                f"{base.spec} has no shards to merge", hint="name the first shard: from: ./m-00001-of-00003.gguf"
            )
        return base
    place = place_of(open_weights(weights))
    named = [base.folder / Path(instruction.value).expanduser() for instruction in base.modelfile.find("FROM")]
    if not merge:
        if place is not None and len(named) == 1 and named[0].is_file():
            raise UsageError(
                f"{weights} is one of {place.count} shards, and Ollama refuses a single one",
                hint="say `merge-shards: true` in the recipe, or name all of them in FROM lines",
            )
        return base
    if place is None:
        raise UsageError(f"{weights} is a whole model: there are no shards to merge", hint="leave merge-shards out")
    given = [path for path in named if path.is_file() and SHARD.fullmatch(path.name)]
    first = open_shards(given if len(given) > 1 else [weights])[0].path
    modelfile = base.modelfile.set_from(str(first.absolute()))
    return replace(base, modelfile=modelfile, inherited=replace(base.inherited, weights=first))


def merged_name(name: str) -> str:
    """Return the name of the GGUF that the shards become."""
    match = SHARD.fullmatch(name)
    return f"{match['prefix']}.gguf" if match else name
