"""A plan in a file: what was planned, for which store, on what, so that exactly that is carried out, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from modelsmith.errors import UnreadableFile
from modelsmith.hidden import unseen
from modelsmith.recipe.lock.drift import Moved, moved
from modelsmith.recipe.lock.file import checked
from modelsmith.recipe.lock.format import LockedModel, Part
from modelsmith.recipe.lock.text import dumps, read

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.recipe.plan.plan import Plan

KIND = "modelsmith plan"
VERSION = 1


class SavedPlan(Part):
    """A plan that was written down.

    ``store`` is where it is for, ``replaces`` the digest of the model that stood there, ``target`` the Ollama that was asked for,
    ``modelfile`` the file of ``--modelfile``, ``model`` everything that the plan rests on, ``shown`` what people were shown.
    """

    kind: Literal["modelsmith plan"]
    version: Literal[1]
    name: str
    store: str
    replaces: str | None = None
    target: str | None = None
    modelfile: str | None = None
    model: LockedModel
    shown: dict[str, Any] = Field(default_factory=dict)


def saved_bytes(plan: Plan, model: LockedModel, store: str, *, target: str | None, shown: dict[str, Any]) -> bytes:
    """Return the text of a plan's file."""
    saved = SavedPlan(
        kind="modelsmith plan",
        version=1,
        name=plan.name.short,
        store=store,
        replaces=_standing(plan),
        target=target,
        modelfile=str(plan.modelfile) if plan.modelfile else None,
        model=model,
        shown=shown,
    )
    head = {"kind": KIND, "version": VERSION}
    text = dumps(head | saved.model_dump(mode="json", exclude_defaults=True)).decode("utf-8", "surrogatepass")
    return unseen(text).encode("utf-8", "surrogatepass")


def is_saved(data: bytes) -> bool:
    """Say whether a file is a plan of ours, by how it begins."""
    return data.startswith(b'{\n  "kind": "modelsmith plan",')


def read_saved(path: Path) -> SavedPlan:
    """Read a plan's file; raises UnreadableFile where it is none."""
    data = read(path)
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise UnreadableFile(f"{path} is no plan of modelsmith", hint="write one with modelsmith plan RECIPE -o FILE")
    if data.get("version") != VERSION:
        raise UnreadableFile(
            f"{path} has version {data.get('version')!r:.40}, and this modelsmith reads version {VERSION}",
            hint="plan again with this modelsmith",
        )
    return checked(SavedPlan, data, str(path))


def moved_since(saved: SavedPlan, plan: Plan, now: LockedModel, store: str) -> tuple[Moved, ...]:
    """Return what is not as it was when the plan was written: what it rests on, the tools, the store, the model that stands there.

    A model that is the planned one already is as it should be.
    """
    found = [Moved(change.what, change.name, change.before, change.now) for change in moved(saved.model, now)]
    if saved.store != store:
        found.append(Moved("target", "store", saved.store, store))
    if saved.name != plan.name.short:
        found.append(Moved("target", "name", saved.name, plan.name.short))
    standing = _standing(plan)
    planned = (saved.model.result.manifest or "").removeprefix("sha256:")
    if standing != saved.replaces and not (standing and standing == planned):
        found.append(Moved("target", plan.name.short, (saved.replaces or "")[:12], (standing or "")[:12]))
    return tuple(found)


def _standing(plan: Plan) -> str | None:
    """Return what stands under the name: a digest, what is damaged about it, None for nothing."""
    if plan.replaces is not None:
        return plan.replaces.digest
    return plan.damaged or None
