"""What cp, mv and tag share: a further name for a model, and no other model lost by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import ModelNotFound, UsageError
from modelsmith.name import ModelName

if TYPE_CHECKING:
    from modelsmith.store import Store


@dataclass(frozen=True, slots=True)
class Named:
    """A model and its further name; ``changed`` is False where both are one already."""

    store: Store
    source_name: ModelName
    target_name: ModelName
    changed: bool

    @property
    def source(self) -> str:
        """The model's name as it is written."""
        return self.source_name.short

    @property
    def target(self) -> str:
        """The further name as it is written."""
        return self.target_name.short


def give_name(where: str | None, source: str, target: str, *, force: bool) -> Named:
    """Give the model ``source`` the name ``target``; raises UsageError where another model has it, unless ``force``."""
    from modelsmith.store.open import open_existing_store, tidied

    old, new = ModelName.strict(source), ModelName.strict(target)
    store = tidied(open_existing_store(where))
    model = store.show(old)
    if old.same_as(new):
        return Named(store, old, new, changed=False)
    try:
        there = store.show(new)
    except ModelNotFound:
        there = None
    if there is not None and there.digest != model.digest and not force:
        raise UsageError(
            f"{new.short} is another model in {store.location}: it would be lost",
            hint=f"choose another name, remove it first (modelsmith rm {new.short}), or add --force",
        )
    store.copy(old, new)
    return Named(store, old, new, changed=True)
