"""``modelsmith lsp``: the language server for Modelfiles and templates."""

from __future__ import annotations

import click

from modelsmith.errors import UsageError


@click.command("lsp")
def command() -> int:
    r"""Serve editors over stdin and stdout by the Language Server Protocol.

    Findings as you type, hover, completion, fixes, formatting, outline, folding and colours for Modelfiles and Go templates;
    syntax errors for Jinja templates. An editor starts this command; docs/editors.md says how to tell it. It needs pygls:
    pip install "modelsmith[lsp]".

    \b
    Exit codes: 0 the editor said goodbye, 1 it left without, 2 pygls is missing.

    \b
    Example:
      modelsmith lsp
    """
    try:
        from modelsmith.cli.lsp.serve import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise UsageError(
            "the language server needs pygls, which is not installed", hint='pip install "modelsmith[lsp]"'
        ) from error
    from modelsmith.template.allowance import unbounded

    with unbounded():  # each request has a deadline of its own
        return serve()
