"""``modelsmith rules``: what lint looks for, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.complete import complete_rules
from modelsmith.cli.shared.options import json_option

if TYPE_CHECKING:
    from modelsmith.lint.rule import Rule


@click.command("rules")
@click.argument("wanted", nargs=-1, metavar="[CODE|NAME]...", shell_complete=complete_rules)
@json_option
def command(wanted: tuple[str, ...], as_json: bool) -> int:
    r"""List the rules of lint, or explain those that are named: by code, by name, or by the beginning of codes.

    \b
    Examples:
      modelsmith rules
      modelsmith rules MS104
      modelsmith rules template-not-used
      modelsmith rules MS3 --json
    """
    rules = _chosen(wanted)
    if as_json:
        click.echo(json.dumps([_as_json(rule) for rule in rules], indent=2))
    elif wanted and not any(_is_group(word) for word in wanted):
        click.echo("\n\n".join(_explained(rule) for rule in rules))
    else:
        width = max(len(rule.name) for rule in rules)
        for rule in rules:
            click.echo(f"{click.style(rule.code, bold=True)} {rule.name:<{width}}  {rule.severity:<7}  {rule.summary}")
    return 0


def _is_group(word: str) -> bool:
    from modelsmith.lint.rules import all_rules

    return word.upper() not in all_rules() and any(code.startswith(word.upper()) for code in all_rules())


def _chosen(wanted: tuple[str, ...]) -> list[Rule]:
    from modelsmith.diagnostic import did_you_mean
    from modelsmith.errors import UsageError
    from modelsmith.lint.rules import all_rules

    every = all_rules()
    chosen: dict[str, Rule] = {} if wanted else dict(every)
    for word in wanted:
        found = {
            code: rule for code, rule in every.items() if code.startswith(word.upper()) or rule.name == word.lower()
        }
        if not found:
            names = [*every, *(rule.name for rule in every.values())]
            raise UsageError(
                f'there is no rule "{word}"{did_you_mean(word, names)}', hint="`modelsmith rules` lists them"
            )
        chosen |= found
    return list(chosen.values())


def _explained(rule: Rule) -> str:
    title = click.style(f"{rule.code} {rule.name}", bold=True)
    lines = [f"{title} ({rule.severity})", rule.summary]
    for heading, text in rule.sections.items():
        body = "\n".join(f"  {line}" for line in text.splitlines() if not line.startswith(("```", "<!--")))
        lines.append(f"\n{click.style(heading, fg='green')}\n{body}")
    return "\n".join(lines)


def _as_json(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "summary": rule.summary,
        "sections": dict(rule.sections),
    }
