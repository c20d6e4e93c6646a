"""``modelsmith lint --upgrade-from``: what another Ollama changes for these files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.lint.options import version
from modelsmith.cli.lint.output import lint_files
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from modelsmith.cli.lint.options import LintOptions


def list_changes(options: LintOptions) -> int:
    """Print the changes like findings; raises UsageError where the versions are not in order."""
    before, after = version(options.upgrade_from or ""), version(options.to or "latest")
    if not before < after:
        raise UsageError(
            f"{after} is not newer than {before}",
            hint="write --upgrade-from OLDER --to NEWER; --to is latest by default",
        )
    if options.changes:
        raise UsageError("--upgrade-from only lists", hint="run --fix --target-ollama in a second run")
    if not options.quiet:
        click.echo(f"what Ollama {after} does otherwise than {before}:", err=True)
    return lint_files(options, (before, after))
