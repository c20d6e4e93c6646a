"""``modelsmith show``: a stored model as a Modelfile that can be taken elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_models
from modelsmith.cli.shared.options import json_option, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.store.model import StoredModel


@click.command("show")
@click.argument("name", metavar="NAME", shell_complete=complete_models)
@store_option
@click.option("--modelfile", "part", flag_value="modelfile", default=True, help="Print a Modelfile. The default.")
@click.option("--template", "part", flag_value="template", help="Print the template alone.")
@click.option("--system", "part", flag_value="system", help="Print the system prompt alone.")
@click.option("--parameters", "part", flag_value="parameters", help="Print the parameters alone.")
@click.option("--license", "part", flag_value="license", help="Print the licenses alone.")
@click.option("--paths", is_flag=True, help="In the Modelfile, name the file of the weights instead of the model.")
@json_option
def command(name: str, where: str | None, part: str, paths: bool, as_json: bool) -> int:
    r"""Print the model NAME as a Modelfile that Ollama reads back as the same instructions.

    FROM names the model, so that the text works wherever the model is; --paths names its file instead.

    \b
    Examples:
      modelsmith show mario --store ./models
      modelsmith show mario --store ./models --json
      modelsmith show deepseek-r1:8b > Modelfile
      modelsmith show deepseek-r1:8b --template
    """
    from modelsmith.models.portable import portable_modelfile
    from modelsmith.name import ModelName
    from modelsmith.store.open import open_existing_store

    model = open_existing_store(where).show(ModelName.strict(name))
    if as_json:
        click.echo(json.dumps(_data(model), ensure_ascii=False))
    elif part == "modelfile":
        click.echo(str(portable_modelfile(model, weights=_weights(model) if paths else None)), nl=False)
    else:
        _print(_part(model, part))
    return 0


def _weights(model: StoredModel) -> Path:
    from modelsmith.errors import Unsupported

    if model.weights is None:
        raise Unsupported(
            f"the weights of {model.name.short} cannot be read here", hint="leave --paths out, or run it on the server"
        )
    return model.weights


def _part(model: StoredModel, part: str) -> str:
    if part == "parameters":
        rows = [
            (name, item)
            for name, value in model.parameters.items()
            for item in (value if isinstance(value, list) else [value])
        ]
        return "\n".join(f"{name} {json.dumps(item, ensure_ascii=False)}" for name, item in rows)
    return {"template": model.template or "", "system": model.system, "license": "\n".join(model.licenses)}[part]


def _print(text: str) -> None:
    from modelsmith.cli.shared.failure import printable

    click.echo(printable(text), nl=bool(text) and not text.endswith("\n"))


def _data(model: StoredModel) -> dict[str, object]:
    return {
        "name": model.name.short,
        "digest": model.digest,
        "size": model.size,
        "family": model.family,
        "capabilities": sorted(model.capabilities),
        "template": model.template,
        "chat_template": model.chat_template,
        "chat_template_known": model.chat_template_known,
        "system": model.system,
        "parameters": dict(model.parameters),
        "messages": [dict(message) for message in model.messages],
        "licenses": list(model.licenses),
        **model.noted,
        "weights": str(model.weights) if model.weights else None,
        "weights_digest": str(model.weights_digest) if model.weights_digest else None,
        "extra_layers": list(model.extra_layers),
    }
