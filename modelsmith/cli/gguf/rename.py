"""``modelsmith gguf rename``: give a metadata key of a GGUF another name."""

from __future__ import annotations

from pathlib import Path

import click

from modelsmith.cli.gguf.edit_view import EditOptions, carry_out, edit_options


@click.command("rename")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("old")
@click.argument("new")
@edit_options
def command(file: Path, old: str, new: str, options: EditOptions) -> int:
    r"""Give the key OLD of FILE the name NEW; its value and its place stay.

    \b
    Examples:
      modelsmith gguf rename model.gguf tokenizer.chat_template.tool_use \
        tokenizer.chat_template
      modelsmith gguf rename model.gguf general.licence general.license --dry-run
    """
    from modelsmith.weights.gguf.edit.edit import renamed
    from modelsmith.weights.gguf.edit.inplace_plan import open_to_edit

    gguf = open_to_edit(file)
    return carry_out(gguf, renamed(gguf, {old: new}).metadata, f"rename {old} to {new}"[:200], options)
