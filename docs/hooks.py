"""What MkDocs adds to the pages of this folder: one page a command, the recipe reference, the list of rules, the navigation.

All of it comes from the code, so that it is true of the version it is built with. ``mkdocs build`` calls the ``on_*`` functions.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mkdocs.structure.files import File

from modelsmith.cli import COMMANDS, group
from modelsmith.lint.rules import all_rules
from modelsmith.recipe.format.jsonschema import recipe_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

HERE = Path(__file__).parent

# Section of the navigation -> its pages, in order. A page that is named here and does not exist fails the build; one that nobody named
# stands among models and stores, so that none is lost.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("index.md", "start.md", "playground.md", "force-think.md", "guides/*.md", "clients.md", "faq.md"),
    "中文": ("zh/index.md", "zh/force-think.md"),
    "Modelfiles and templates": (
        "lint.md",
        "fmt.md",
        "render.md",
        "explain.md",
        "diff.md",
        "convert.md",
        "editors.md",
        "playground.md",
        "ci.md",
    ),
    "Recipes": ("recipes.md", "compose.md", "teams.md", "plan.md", "lock.md", "emit.md"),
    "Models and stores": (
        "models.md",
        "try.md",
        "store.md",
        "bundles.md",
        "offline.md",
        "docker.md",
        "registries.md",
        "hub.md",
        "doctor.md",
    ),
    "Weights": ("gguf.md", "gguf-edit.md", "gguf-quantize.md", "fit.md", "import.md", "adapters.md"),
    "What tutorials say": ("tutorials/*.md",),
    "Evidence": ("lint-calibration.md",),
    "Reference": ("exit-codes.md", "extend.md"),
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give the site its navigation."""
    sections: dict[str, list[Any]] = {
        section: [page for pattern in patterns for page in _matching(pattern)] for section, patterns in SECTIONS.items()
    }
    placed = {page for pages in sections.values() for page in pages}
    rest = sorted(
        page.relative_to(HERE).as_posix()
        for page in HERE.rglob("*.md")
        if page.parent.name not in {"rules", "team-repository"} and page.relative_to(HERE).as_posix() not in placed
    )
    sections["Models and stores"].extend(rest)
    sections["Reference"] = [
        {"Commands": ["commands/index.md", *(f"commands/{name}.md" for name in COMMANDS)]},
        "recipe-reference.md",
        {"Rules of lint": ["rules/index.md", *(f"rules/{code}.md" for code in sorted(all_rules()))]},
        *sections["Reference"],
    ]
    config.nav = [{section: pages} for section, pages in sections.items()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that come from the code."""
    for path, text in _generated():
        files.append(File.generated(config, path, content=text))
    return files


def _matching(pattern: str) -> list[str]:
    if "*" not in pattern:
        return [pattern]
    return sorted(path.relative_to(HERE).as_posix() for path in HERE.glob(pattern))


def _generated() -> Iterator[tuple[str, str]]:
    yield "commands/index.md", _commands_index()
    for name in COMMANDS:
        yield f"commands/{name}.md", _command_page(name)
    yield "recipe-reference.md", _recipe_reference()
    yield "rules/index.md", _rules_index()


def _commands_index() -> str:
    lines = ["# Commands", ""]
    for section in dict.fromkeys(row.section for row in COMMANDS.values()):
        lines += [f"## {section}", "", "| command | what it does |", "| --- | --- |"]
        lines += [
            f"| [`modelsmith {name}`]({name}.md) | {row.summary} |"
            for name, row in COMMANDS.items()
            if row.section == section
        ]
        lines.append("")
    return "\n".join(lines)


def _command_page(name: str) -> str:
    context = click.Context(group, info_name="modelsmith")
    command = group.get_command(context, name)
    if command is None:
        raise KeyError(name)
    return "\n".join([f"# modelsmith {name}", "", *_described(command, name, context, 2)])


def _described(command: click.Command, name: str, parent: click.Context, level: int) -> Iterator[str]:
    context = command.context_class(command, parent=parent, info_name=name)
    usage, _, rest = command.get_help(context).partition("\n\n")
    body, *lists = re.split(r"^(?=(?:Options|Commands):$)", rest, flags=re.MULTILINE)
    text, _, examples = body.partition("  Examples:\n")
    yield from ("```text", usage.removeprefix("Usage: "), "```", "", *_paragraphs(text), "")
    if examples.strip():
        yield from ("```sh", _unindented(examples), "```", "")
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from (f"{'#' * level} {context.command_path} {inner}", "")
                yield from _described(found, inner, context, min(level + 1, 5))
    for part in lists:
        if part.startswith("Options:"):
            yield from ("```text", part.rstrip(), "```", "")


def _paragraphs(text: str) -> list[str]:
    return re.sub(r"^  ", "", text, flags=re.MULTILINE).strip().replace("<", "&lt;").split("\n")


def _unindented(text: str) -> str:
    return re.sub(r"^    ", "", text.rstrip(), flags=re.MULTILINE)


def _rules_index() -> str:
    lines = [
        "# Rules of lint",
        "",
        "`modelsmith rules CODE` prints the same. How often each is right on real files is in the",
        "[calibration](../lint-calibration.md).",
        "",
        "| code | name | severity | what it finds |",
        "| --- | --- | --- | --- |",
    ]
    for code, rule in sorted(all_rules().items()):
        lines.append(f"| [{code}]({code}.md) | {rule.name} | {rule.severity} | {rule.summary} |")
    return "\n".join(lines) + "\n"


def _recipe_reference() -> str:
    schema = recipe_schema()
    lines = [
        "# Recipe reference",
        "",
        "Every key that a recipe can have. `modelsmith recipes schema` prints the JSON Schema that this page is made from;",
        "[Recipes](recipes.md) explains them with examples.",
        "",
        *_keys(schema),
        "",
    ]
    linked = set(re.findall(r"#/\$defs/([\w-]+)", json.dumps(schema)))
    for name, part in schema.get("$defs", {}).items():
        if part.get("properties") is not None or name in linked:
            lines += [f"## {name}", "", _cell(part.get("description", "")), "", *_keys(part), ""]
    return "\n".join(lines)


def _keys(schema: dict[str, Any]) -> list[str]:
    required = set(schema.get("required", ()))
    rows = ["| key | value | meaning |", "| --- | --- | --- |"]
    for key, value in schema.get("properties", {}).items():
        needed = " (required)" if key in required else ""
        rows.append(f"| `{key}`{needed} | {_kind(value)} | {_cell(value.get('description', ''))} |")
    return rows


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "enum" in value:
        return " \\| ".join(f"`{choice}`" for choice in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    for several in ("anyOf", "oneOf"):
        if several in value:
            kinds = dict.fromkeys(_kind(one) for one in value[several] if one.get("type") != "null")
            return " or ".join(kinds)
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if value.get("type") == "object" and value.get("properties"):
        return " ".join(_kind(one) for one in value["properties"].values())
    return {"object": "mapping", "string": "text"}.get(str(value.get("type", "")), str(value.get("type", "any value")))
