"""``modelsmith gguf get``: print metadata of a GGUF."""

from __future__ import annotations

import json
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.gguf.source import found_sample
from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Entry

ITEM = re.compile(r"(?P<key>.+)\[(?P<index>\d+)\]", re.DOTALL)


@click.command("get")
@click.argument("file", type=click.Path(path_type=Path), callback=found_sample)
@click.argument("keys", nargs=-1, metavar="[KEY…]")
@click.option("--raw", is_flag=True, help="Print the exact bytes of one text, with no line break after it.")
@json_option
def command(file: Path, keys: tuple[str, ...], raw: bool, as_json: bool) -> int:
    r"""Print metadata of FILE: all keys with type and value, or the values of KEYs.

    A KEY can have `*` for anything, and [N] for one item of an array. With --json each value comes with its type, as
    `gguf set --patch` reads it.

    \b
    Examples:
      modelsmith gguf get model.gguf
      modelsmith gguf get model.gguf general.name 'tokenizer.ggml.*_token_id'
      modelsmith gguf get model.gguf 'tokenizer.ggml.tokens[128001]'
      modelsmith gguf get model.gguf tokenizer.chat_template --raw > chat.jinja
      modelsmith gguf get a.gguf tokenizer.chat_template --json |
        modelsmith gguf set b.gguf --patch -
    """
    from modelsmith.errors import UsageError
    from modelsmith.weights.gguf.edit.inplace_plan import open_to_edit

    gguf = open_to_edit(file)
    found = {name: entry for key in keys for name, entry in _entries(gguf, key)} if keys else _all(gguf)
    if raw:
        entries = [*found.values()]
        if len(entries) != 1 or entries[0].type != 8:
            raise UsageError("--raw prints one text", hint="name one KEY whose value is a text")
        data = entries[0].raw()[8:]
        if sys.stdout.isatty():  # where control characters are shown, not sent
            click.echo(data.decode(errors="replace"), nl=False)
            return 0
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    elif as_json:
        click.echo(
            json.dumps({key: _json(entry, whole=bool(keys)) for key, entry in found.items()}, ensure_ascii=False)
        )
    elif len(keys) == 1 and len(found) == 1:
        from modelsmith.cli.shared.failure import printable

        click.echo(printable(_plain(next(iter(found.values())))))
    else:
        _table(found)
    return 0


def _all(gguf: GGUFFile) -> dict[str, Entry]:
    return {key: gguf.metadata.entry(key) for key in gguf.metadata}


def _entries(gguf: GGUFFile, key: str) -> list[tuple[str, Entry]]:
    """Return what a KEY of the command line names."""
    from modelsmith.errors import UsageError
    from modelsmith.weights.gguf.edit.edit import entry_in
    from modelsmith.weights.gguf.values import item_of

    item = ITEM.fullmatch(key)
    if item and key not in gguf.metadata:
        return [(key, item_of(item["key"], entry_in(gguf, item["key"]), int(item["index"])))]
    if any(char in key for char in "*?") and key not in gguf.metadata:
        names = [name for name in gguf.metadata if fnmatchcase(name, key)]
        if not names:
            raise UsageError(
                f'{gguf.path} has no key like "{key}"', hint=f"`modelsmith gguf get {gguf.path}` lists all"
            )
        return [(name, gguf.metadata.entry(name)) for name in names]
    return [(key, entry_in(gguf, key))]


def _plain(entry: Entry) -> str:
    """Return a value as it is: a text as text, anything else as JSON."""
    from modelsmith.cli.gguf.edit_view import value_json

    found = value_json(entry) or {}
    value = found["value"]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(entry: Entry, *, whole: bool) -> dict[str, Any]:
    from modelsmith.cli.gguf.edit_view import value_json
    from modelsmith.weights.gguf.values import ValueKind

    if entry.type == 9 and not whole:
        return {
            "type": f"[{(ValueKind.of(entry).item or ValueKind.of(entry).type).name.lower()}]",
            "count": entry.count,
        }
    return value_json(entry) or {}


def _table(found: dict[str, Entry]) -> None:
    from modelsmith.cli.gguf.edit_view import value_text
    from modelsmith.cli.shared.failure import printable

    width = min(max(map(len, found), default=0), 60)
    for key, entry in found.items():
        click.echo(f"{printable(key).ljust(width)}  {value_text(entry)}")
