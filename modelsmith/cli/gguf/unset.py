"""``modelsmith gguf unset``: remove metadata of a GGUF."""

from __future__ import annotations

from pathlib import Path

import click

from modelsmith.cli.gguf.edit_view import EditOptions, carry_out, edit_options


@click.command("unset")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
@edit_options
def command(file: Path, keys: tuple[str, ...], options: EditOptions) -> int:
    r"""Remove KEYs from FILE, in place: what they took becomes room for later edits.

    \b
    Examples:
      modelsmith gguf unset model.gguf tokenizer.chat_template
      modelsmith gguf unset model.gguf general.url general.source.url -o new.gguf
    """
    from modelsmith.weights.gguf.edit.edit import edit, entry_in
    from modelsmith.weights.gguf.edit.inplace_plan import open_to_edit

    gguf = open_to_edit(file)
    for key in keys:
        entry_in(gguf, key)
    after = edit(gguf, dict.fromkeys(keys))
    return carry_out(gguf, after.metadata, f"unset {', '.join(keys)}"[:200], options)
