"""The documentation of rules as Markdown, made from their docstrings: a page for each, and a table of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.lint.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.lint.rule import Rule

GROUPS = {
    "MS0": "Comments for modelsmith itself",
    "MS1": "The file: encoding, instructions, quotes",
    "MS2": "Parameters",
    "MS3": "Templates",
    "MS4": "Thinking",
    "MS5": "Models, files and versions that the file names",
    "MS6": "Safety and licences",
    "MS7": "Policy of an organisation, silent until it is configured",
}
"""What the first digit of a code says."""


def page(rule: Rule) -> str:
    """Return the page of one rule."""
    body = rule.doc.partition("\n")[2].strip("\n")
    return (
        f"# {rule.code} {rule.name}\n\n{rule.summary}\n\n"
        f"Severity: {rule.severity} unless a finding says otherwise. "
        f"Silence it with `# modelsmith: ignore[{rule.code}] reason` on the line above.\n\n{body}\n"
    )


def index(folder: str = "rules") -> str:
    """Return the tables of all rules, one a group; links lead into ``folder``."""
    parts = []
    for group, title in GROUPS.items():
        rows = [rule for code, rule in all_rules().items() if code.startswith(group)]
        lines = [
            f"| [{rule.code}]({folder}/{rule.code}.md) | {rule.name} | {rule.severity} | {rule.summary} |"
            for rule in rows
        ]
        if lines:
            parts.append(
                "\n".join((f"## {title}\n", "| code | name | severity | |", "| --- | --- | --- | --- |", *lines))
            )
    return "\n\n".join(parts) + "\n"


def pages() -> Mapping[str, str]:
    """Return the page of every rule by its file name."""
    return {f"{code}.md": page(rule) for code, rule in all_rules().items()}
