"""A stored model as a Modelfile that Ollama reads back as the same instructions, on any machine that has the model.

Ollama's own printer (``types/model``, ``cmd/cmd.go``: ``ollama show --modelfile``) names a blob's path in FROM, leaves REQUIRES out, and
breaks texts that hold its quotes; here every value goes through the edits of a Modelfile, which quote it so that it is read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidParameter, Unsupported
from modelsmith.models.draft import as_values
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.table import NOTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelsmith.store.model import StoredModel


def portable_modelfile(model: StoredModel, *, weights: Path | None = None) -> Modelfile:
    """Return the Modelfile of a stored model: FROM its own name, or ``weights`` where a path is given.

    A parameter that no Ollama takes any more stands in a comment. Raises UnquotableValue for a text that no Modelfile can
    carry, naming the instruction.
    """
    modelfile = Modelfile.parse(f"FROM {weights if weights is not None else model.name.short}\n")
    if model.template:
        modelfile = modelfile.set_template(model.template)
    if model.system:
        modelfile = modelfile.set_system(model.system)
    lost = []
    for name, value in model.parameters.items():
        try:
            modelfile = modelfile.set_parameter(name, *as_values(value))
        except InvalidParameter as error:
            lost.append(f"# not carried over: {name} ({error.message})".replace("\n", " "))
    for command, keyword in NOTED.items():
        if value := model.noted.get(command):
            modelfile = modelfile.set_text(keyword, value)
    if model.messages:
        modelfile = modelfile.set_messages([_turn(message) for message in model.messages])
    if model.licenses:
        modelfile = modelfile.set_license(*model.licenses)
    return Modelfile.parse(str(modelfile) + "".join(f"{line}\n" for line in lost)) if lost else modelfile


def _turn(message: Mapping[str, Any]) -> tuple[str, str]:
    return str(message.get("role", "")), str(message.get("content", ""))


def takes_away(before: Modelfile, after: Modelfile) -> bool:
    """Say whether an edit removed something that FROM the model's own name would bring back: then it must start at the weights."""
    for keyword in ("TEMPLATE", "SYSTEM", *NOTED.values()):
        if before.text_of(keyword) and not after.text_of(keyword):
            return True
    return (
        bool(set(before.parameters) - set(after.parameters))
        or (bool(before.messages) and not after.messages)
        or after.licenses[: len(before.licenses)] != before.licenses
    )


def recreating_modelfile(model: StoredModel, after: Modelfile) -> Modelfile:
    """Return the edited Modelfile of a model such that creating it under the model's own name gives just that.

    Raises Unsupported where something was taken away and the weights cannot be named: the model would inherit it again.
    """
    before = portable_modelfile(model)
    licenses = before.licenses
    if not takes_away(before, after):
        kept = after.licenses[len(licenses) :]
        return after.set_license(*kept) if licenses else after  # licenses pile up: FROM brings the old ones along
    if model.weights is None or model.extra_layers:
        what = ", ".join(model.extra_layers) or "they are on another machine"
        raise Unsupported(
            f"{model.name.short}: what it inherits cannot be taken away, because its weights cannot be named ({what})",
            hint="create the model anew from its files: modelsmith create NAME -f Modelfile",
        )
    return after.set_from(str(model.weights))
