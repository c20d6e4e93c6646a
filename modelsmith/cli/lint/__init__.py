"""``modelsmith lint``: what will not work in Modelfiles and templates, or works otherwise than it looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import store_option
from modelsmith.lint.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIONS = (
    click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]..."),
    click.option("--fix", "fixes", is_flag=True, help="Mend what can be mended safely, and write the files."),
    click.option("--unsafe-fixes", "unsafe", is_flag=True, help="With --fix: also mend what is likely but not certainly meant."),
    click.option("--diff", is_flag=True, help="Print what --fix would change, and write nothing."),
    click.option(
        "--format",
        "form",
        type=click.Choice(("text", *FORMATS)),
        default="text",
        show_default=True,
        help="How findings are printed; concise: one line each.",
    ),
    click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
    click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Print findings into this file."),
    click.option("--select", multiple=True, metavar="CODES", help="Only these rules: MS104, or MS3 for all of the kind. Repeatable, or with commas."),
    click.option("--ignore", multiple=True, metavar="CODES", help="Not these rules."),
    click.option("--target-ollama", metavar="VERSION", help="The Ollama that will serve the models. Default: latest."),
    click.option("--gguf", metavar="FILE", help="A GGUF to know as the base model, wherever FROM leads."),
    store_option,
    click.option("--text-only", is_flag=True, help="Look at the text alone, not at the files and models that it names."),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="Pass by files and folders of this name; repeatable."),
    click.option("--fail-on", type=click.Choice(("error", "warning", "info")), help="Exit with 1 from this severity on. Default: warning."),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found."),
    click.option("--statistics", is_flag=True, help="Print how often each rule found something, not the findings."),
    click.option("--stdin-filename", metavar="NAME", help="What the text on stdin is called; Modelfile is the default."),
    click.option("--config", type=InputFile(), metavar="FILE", help="Configuration. Default: the nearest modelsmith.toml or pyproject.toml."),
    click.option("--baseline", type=InputFile(), metavar="FILE", help="Keep silent on the findings in this file."),
    click.option("--write-baseline", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a baseline of everything that is found now."),
    click.option("--force", is_flag=True, help="With -o and --write-baseline: replace what stands there; it is kept as FILE.old."),
    click.option("--upgrade-from", metavar="VERSION", help="List what changes for these files after this Ollama."),
    click.option("--to", metavar="VERSION", help="With --upgrade-from: up to this one. Default: latest."),
    click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes. Default: one a core for many files."),
    click.option("-q", "--quiet", is_flag=True, help="Do not sum up."),
)  # fmt: skip


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("lint")
@_with_options
def command(**values: Any) -> int:
    r"""Say what will not work in Modelfiles and templates, or works otherwise than it looks.

    Each FILE is linted, and every Modelfile, Modelfile.*, *.modelfile and *.gotmpl in each FOLDER (default: here); - is
    stdin. A recipe (.yaml) is read as `plan` reads it, where it is named. An error is what Ollama refuses; a warning is accepted and does something else than it seems; info is advice.
    The files and models that FROM and ADAPTER name are looked at where they are at hand. `modelsmith rules` explains.
    Weights and other binary files are passed by, and never changed.

    A comment on the line above silences: # modelsmith: ignore[MS104] and the reason.

    Exit codes: 0 nothing found, 1 findings (see --fail-on), 2 wrong usage, 3 a file cannot be read.

    \b
    Examples:
      modelsmith lint
      modelsmith lint models/ --fix
      modelsmith lint models recipes/*.yaml --format github
      modelsmith lint Modelfile --gguf ./model.gguf --target-ollama 0.30
      modelsmith lint --format sarif -o modelsmith.sarif
      modelsmith lint models/ --upgrade-from 0.20 --to 0.33
      cat Modelfile | modelsmith lint - --fix > Modelfile.new
    """
    from modelsmith.cli.lint.options import LintOptions
    from modelsmith.cli.lint.output import lint_files, lint_stdin

    options = LintOptions.of(**values)
    if options.upgrade_from is not None:
        from modelsmith.cli.lint.upgrade import list_changes

        return list_changes(options)
    return lint_stdin(options) if "-" in options.paths else lint_files(options)
