"""The first recipe of a model, a folder of Safetensors or a Modelfile: what there is to say, found out by looking at it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.files.paths import looks_like_path
from modelsmith.recipe.emit.yaml_text import yaml_text
from modelsmith.syntax.modelfile.modelfile import Modelfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.models.base import Base
    from modelsmith.models.draft import Draft

_UNSAYABLE = ("RENDERER", "PARSER", "ADAPTER", "DRAFT")
_CAPABILITIES = ("tools", "thinking", "insert")
_LONGEST_NAME = 40


def first_recipe(draft: Draft, target: Path) -> str:
    """Return the text of a recipe for a draft that changes nothing yet; ``target`` is where it will be written.

    It makes a model that is as the base is, keeps what Modelfiles say as keys, and promises what holds already.
    """
    base = draft.base
    modelfile = base.modelfile if _is_modelfile(base) else Modelfile.parse("")
    whole = bool(modelfile.instructions) and (
        any(modelfile.find(keyword) for keyword in _UNSAYABLE) or len(modelfile.find("FROM")) != 1
    )
    data: dict[str, Any] = {
        "name": _name(target),
        "description": f"Made from {_shown(base.spec, target)}: say in one sentence what the new model does better.",
        "inputs": {"base": {"description": "the model to start from", "default": _from(base, target, whole=whole)}},
        "from": "${base}",
    }
    if base.inherited.checkpoint:
        data["advised-parameters"] = True
        data["quantize"] = "Q4_K_M"
    if not whole:
        data |= _keys(modelfile, draft)
    data["create"] = "${base.stem}-" + _name(target)
    promises = [*([] if "template" in data else [{"history-unchanged": True}]), *_promises(draft)]
    if promises:
        data["expect"] = promises
    comments = [f"what {_shown(base.spec, target)} is: {line}" for line in _facts(draft)]
    comments += ["try it, nothing is written by plan: modelsmith plan " + _command(target)]
    return yaml_text(data, "\n".join(comments))


def _name(target: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", target.stem.lower()).strip("-")[:_LONGEST_NAME].strip("-")
    return name or "my-recipe"


def _command(target: Path) -> str:
    return str(target) if "/" in str(target) else f"./{target}"


def _is_modelfile(base: Base) -> bool:
    spec = base.spec
    return looks_like_path(spec) and not spec.lower().endswith(".gguf") and not base.inherited.checkpoint


def _shown(spec: str, target: Path) -> str:
    """Return a base for people: a path as seen from the recipe, which may lie anywhere on another machine."""
    if not looks_like_path(spec):
        return spec
    shown = os.path.relpath(Path(spec).expanduser(), target.absolute().parent)
    return shown if shown.startswith(".") else f"./{shown}"


def _from(base: Base, target: Path, *, whole: bool) -> str:
    """Return where the recipe starts: a path as seen from it, a name as it is."""
    modelfile_from = base.modelfile.from_
    spec = modelfile_from if _is_modelfile(base) and not whole and modelfile_from else base.spec
    folder = base.folder if spec is modelfile_from else Path.cwd()
    path = folder / Path(spec).expanduser()
    if not (looks_like_path(spec) or (spec is not base.spec and path.exists())):
        return _literal(spec)
    shown = os.path.relpath(path, target.absolute().parent)
    return _literal(shown if shown.startswith(".") else f"./{shown}")


def _keys(modelfile: Modelfile, draft: Draft) -> dict[str, Any]:
    """Return what a Modelfile says beside FROM, as keys of a recipe."""
    data: dict[str, Any] = {}
    if modelfile.template:
        data["template"] = _literal(modelfile.template)
    if modelfile.system:
        data["system"] = _literal(modelfile.system)
    if parameters := {name: draft.parameters[name] for name in modelfile.parameters}:
        data["parameters"] = {name: _parameter(value) for name, value in parameters.items()}
    if messages := modelfile.messages:
        data["messages"] = [{"role": message.role, "content": _literal(message.content)} for message in messages]
    if modelfile.licenses:
        data["license"] = [_literal(text) for text in modelfile.licenses]
    if modelfile.requires:
        data["requires"] = modelfile.requires
    return data


def _parameter(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.7g}")  # Ollama keeps 32 bits; the rest is noise
    return [_literal(item) for item in value] if isinstance(value, list) else value


def _literal(text: str) -> str:
    """Return a text as a recipe says it where references are replaced."""
    return text.replace("${", "$${")


def _promises(draft: Draft) -> Iterator[dict[str, Any]]:
    if draft.base.missing:
        return  # which template runs may depend on what is not here
    effective = draft.effective
    yield {"effective": [effective.source]}
    if capabilities := [capability for capability in _CAPABILITIES if capability in effective.capabilities]:
        yield {"capabilities": capabilities}
        if "thinking" in capabilities:
            yield {"splits-reasoning": True}


def _facts(draft: Draft) -> Iterator[str]:
    if draft.base.missing:
        yield f"which template runs is not known here: {draft.base.modelfile.from_ or 'its FROM'} is not at hand"
        return
    inherited, effective = draft.inherited, draft.effective
    if inherited.architecture or inherited.family:
        yield f"architecture {inherited.architecture or inherited.family}, weights {inherited.format or 'gguf'}"
    yield f"the template that runs: {effective.source} ({effective.reason})"
    capabilities = ", ".join(sorted(effective.capabilities)) or "text alone"
    yield f"capabilities: {capabilities}"
    if draft.parameters:
        yield "PARAMETERs: " + ", ".join(f"{name} {_parameter(value)}" for name, value in draft.parameters.items())
    if draft.runs_jinja and draft.template_text is not None:
        yield "its TEMPLATE is not used by Ollama 0.30 and later: edit it with steps, and add make-effective"
    if "thinking" in effective.capabilities:
        yield "it can reason: extends: force-think or no-think changes when"
