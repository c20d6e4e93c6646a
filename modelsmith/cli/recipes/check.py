"""``modelsmith recipes check``: everything that is wrong with recipes, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.lint.formats import FORMATS

if TYPE_CHECKING:
    from modelsmith.errors import ModelsmithError
    from modelsmith.lint.report import Report


@click.command("check")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(("text", *FORMATS)), default="text", show_default=True, help="How to say it."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings too.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing where nothing is wrong.")
def check(paths: tuple[Path, ...], form: str, as_json: bool, strict: bool, quiet: bool) -> int:
    r"""Check recipes: files, or all in folders (default: this one).

    In a folder every YAML file with a name and `from`, `extends` or `create` counts as a recipe. Keys, references, inputs,
    parameters, profiles and combinations are checked, and what a recipe extends and includes. No model is needed.

    Exit codes: 0 fine, 1 something is wrong, 3 a file or a recipe elsewhere cannot be read.

    \b
    Examples:
      modelsmith recipes check
      modelsmith recipes check recipes/ --format github
      modelsmith recipes check my-model.yaml --json
    """
    from modelsmith.cli.lint.view import show_failure
    from modelsmith.cli.shared.failure import printable, show_diagnostic
    from modelsmith.lint.formats import write

    form = "json" if as_json else form
    files, reports = _checked(paths or (Path(),))
    if form != "text":
        click.echo(write(form, reports), nl=False)
    for report in reports if form == "text" else ():
        for diagnostic in report.diagnostics:
            show_diagnostic(diagnostic, report.source)
    for report in reports:
        if report.failed:
            show_failure(report)
    errors = sum(diagnostic.severity == "error" for report in reports for diagnostic in report.diagnostics)
    warnings = sum(diagnostic.severity == "warning" for report in reports for diagnostic in report.diagnostics)
    if form == "text" and not (quiet and not errors + warnings):
        said = f"{errors} errors, {warnings} warnings" if errors + warnings else "nothing is wrong"
        click.echo(printable(f"{files} recipes checked: {said}"))
    if any(report.failed for report in reports):
        return 3
    return int(bool(errors or (strict and warnings)))


def _checked(paths: tuple[Path, ...]) -> tuple[int, list[Report]]:
    from modelsmith.cli.shared.find_files import find_files
    from modelsmith.lint.report import Report
    from modelsmith.recipe.read.check import PATTERNS, check_recipe, looks_like_recipe, same_names
    from modelsmith.source import Source

    failed: list[Report] = []

    def refused(error: ModelsmithError) -> None:
        failed.append(Report(Source("", "."), failed=error.message, hint=error.hint))

    named = {path.absolute() for path in paths}
    recipes = []
    found: dict[str, Report] = {}
    count = 0
    for path in find_files(paths, patterns=PATTERNS, refused=refused):
        if path.absolute() not in named and not looks_like_recipe(path):
            continue
        count += 1
        recipe, reports = check_recipe(path)
        recipes += [recipe] if recipe is not None else []
        for report in reports:
            found.setdefault(report.path, report)
    for recipe, diagnostic in same_names(recipes):
        name = recipe.sources[0].name
        report = found.get(name) or Report(recipe.sources[0])
        found[name] = Report(recipe.sources[0], (*report.diagnostics, diagnostic))
    return count, [*failed, *(found[name] for name in sorted(found))]
