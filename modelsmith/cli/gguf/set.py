"""``modelsmith gguf set``: change metadata of a GGUF."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.gguf.edit_view import EditOptions, carry_out, edit_options
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from modelsmith.weights.gguf.edit.edit import MetadataValue
    from modelsmith.weights.gguf.file import GGUFFile

_WAYS = "gguf set FILE KEY VALUE, KEY --from-file TEXT, or --patch CHANGES.json"


@click.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option(
    "--type", "-t", "kind", metavar="TYPE", help="u32, i32, f32, bool, string …; [string] is an array of texts."
)
@click.option(
    "--from-file", type=click.Path(path_type=Path), metavar="TEXT", help="Take the value from a file; - is stdin."
)
@click.option("--patch", metavar="JSON", help="Take many changes from a JSON file; - is stdin.")
@edit_options
def command(
    file: Path,
    key: str | None,
    value: str | None,
    kind: str | None,
    from_file: Path | None,
    patch: str | None,
    options: EditOptions,
) -> int:
    r"""Set KEY of FILE to VALUE: any type, in place where it fits. The tensors' data stays as it is.

    A KEY keeps its type unless --type says another; a new one has its usual type, else it needs --type. An array is given as
    JSON, KEY[N] is one item of it. A patch is a JSON object: {"KEY": VALUE, "KEY": null removes it, "KEY": {"type": "u32",
    "value": 1}}.

    \b
    Examples:
      modelsmith gguf set model.gguf general.name "My model"
      modelsmith gguf set model.gguf tokenizer.ggml.eos_token_id 128009
      modelsmith gguf set m.gguf tokenizer.chat_template --from-file chat.jinja
      modelsmith gguf set model.gguf general.tags '["chat", "thinking"]'
      modelsmith gguf set model.gguf 'tokenizer.ggml.token_type[128009]' 3
      modelsmith gguf set model.gguf my.key 7 --type u32 -o edited.gguf
      modelsmith gguf set model.gguf --patch changes.json --dry-run
    """
    from modelsmith.weights.gguf.edit.edit import edit
    from modelsmith.weights.gguf.edit.inplace_plan import open_to_edit

    if patch is not None and (key is not None or from_file is not None or kind is not None):
        raise UsageError("--patch says all there is to change", hint=_WAYS)
    if patch is None and (key is None or (value is None) == (from_file is None)):
        raise UsageError("say what to set", hint=_WAYS)
    gguf = open_to_edit(file)
    if patch is not None:
        changes = _patch(_read(patch, "the patch"))
    else:
        text = value if value is not None else _read(str(from_file), "the value")
        changes = {**_one(gguf, key or "", text or "", kind)}
    after = edit(gguf, changes)
    _warn(gguf, after)
    return carry_out(gguf, after.metadata, f"set {', '.join(changes)}"[:200], options)


def _one(gguf: GGUFFile, key: str, text: str, kind: str | None) -> dict[str, MetadataValue]:
    """Return the change that the command line asks for."""
    from modelsmith.cli.gguf.get import ITEM
    from modelsmith.weights.gguf.edit.edit import entry_in
    from modelsmith.weights.gguf.values import TypedValue, ValueKind, array_of, parse_value, usual_kind, with_item

    item = ITEM.fullmatch(key)
    if item and key not in gguf.metadata:
        entry = entry_in(gguf, item["key"])
        wanted = ValueKind(array_of(item["key"], entry).item_type)
        return {item["key"]: with_item(item["key"], entry, int(item["index"]), parse_value(key, wanted, text))}
    if kind is not None:
        found: ValueKind | None = ValueKind.parse(kind)
    else:
        found = ValueKind.of(gguf.metadata.entry(key)) if key in gguf.metadata else usual_kind(key)
    if found is None:
        raise UsageError(f'"{key}" is a new key without a usual type', hint=f"say it: {_guess(text)}")
    return {key: TypedValue(found, parse_value(key, found, text))}


def _guess(text: str) -> str:
    from modelsmith.weights.gguf.values import ValueKind, parse_value

    for name in ("bool", "u32", "i32", "f32"):
        try:
            parse_value("", ValueKind.parse(name), text)
        except UsageError:
            continue
        if name != "u32" or not text.startswith("-"):
            return f"--type {name} (or --type string)"
    return "--type string"


def _patch(text: str) -> dict[str, MetadataValue | None]:
    from modelsmith.weights.gguf.values import TypedValue, ValueKind, parse_json

    data = parse_json(text, "the patch")
    if not isinstance(data, dict):
        raise UsageError("the patch is no JSON object", hint='{"general.name": "My model", "general.url": null}')
    changes: dict[str, MetadataValue | None] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            if set(value) != {"type", "value"} or not isinstance(value["type"], str):
                raise UsageError(f'the patch\'s "{key}" is no value', hint='a typed one is {"type": "u32", "value": 7}')
            changes[key] = TypedValue(ValueKind.parse(value["type"]), value["value"])
        else:
            changes[key] = value
    return changes


def _read(path: str, what: str) -> str:
    from modelsmith.files.text import read_text_file

    data = sys.stdin.buffer.read() if path == "-" else read_text_file(Path(path))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{what} in {path} is not UTF-8: byte {error.start}", hint="save it as UTF-8") from error


def _warn(before: GGUFFile, after: GGUFFile) -> None:
    """Say what the new values break, if they do: a template with an error, a token that is not in the vocabulary."""
    from modelsmith.weights.gguf.metadata import GGUFArray

    if after.chat_template and after.chat_template != before.chat_template:
        from modelsmith.errors import TemplateError
        from modelsmith.template.jinja.template import ChatTemplate

        try:
            ChatTemplate.parse(after.chat_template)
        except TemplateError as error:
            _say(f"the template has an error: {error.message}")
    tokens = after.metadata.get("tokenizer.ggml.tokens")
    for key in after.metadata:
        number = after.metadata[key] if key.startswith("tokenizer.ggml.") and key.endswith("_token_id") else None
        if isinstance(number, int) and isinstance(tokens, GGUFArray) and not 0 <= number < len(tokens):
            _say(f"{key} is {number}, and the vocabulary has {len(tokens):,} tokens")


def _say(text: str) -> None:
    from modelsmith.cli.shared.failure import printable

    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {printable(text)}", err=True)
