"""What a schema cannot say: references, defaults and choices of inputs, and values of PARAMETERs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidParameter, TemplateSyntaxError
from modelsmith.parameters import DEPRECATED, PARAMETERS, REMOVED_SINCE, typed_parameters
from modelsmith.recipe.format.schema import Content
from modelsmith.recipe.read.advice.forms import as_typed, glued
from modelsmith.recipe.read.complaints import STATIC, found
from modelsmith.recipe.read.inputs import EXPECTED, allowed, fits, large_enough
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode
from modelsmith.recipe.read.references import check_references, references, refers, written_as
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from modelsmith.recipe.format.input import Input
    from modelsmith.recipe.read.report import Report


def check_inputs(root: MapNode, inputs: Mapping[str, Input], report: Report) -> None:
    """Check every reference to an input, and that defaults and choices are what the inputs' types say."""
    known = {*inputs, "profile"} if "profiles" in root.items else {*inputs}
    for key, node in root.items.items():
        if key not in STATIC:
            check_references(node, known, report)
    _check_names(root, inputs, report)
    declarations = root.items.get("inputs")
    earlier: list[str] = []
    for name, declared in inputs.items():
        if isinstance(declarations, MapNode) and isinstance(node := declarations.items[name], MapNode):
            _check_origin(name, declared, node, report)
            _check_choices(name, declared, node, report)
            _check_default(name, declared, node, earlier, inputs, report)
        earlier.append(name)


def check_input_value(where: str, node: ScalarNode, declared: Input, report: Report) -> None:
    """Report a value that is not what an input takes."""
    if refers(node):
        report.add("reference", f"{where}: values of inputs are taken literally here", node)
    elif not fits(node.value, declared.type):
        message = f"{where}: expected {EXPECTED[declared.type]}, found {found(node)}"
        report.add("input-type", message, node, as_typed(declared.type, node))
    elif not large_enough(node.value, declared):
        report.add("input-minimum", f"{where}: expected at least {declared.minimum:g}, found {found(node)}", node)
    elif not allowed(node.value, declared):
        report.add("input-choice", f"{where}: {found(node)} is not among the choices", node)


def _check_names(root: MapNode, inputs: Mapping[str, Input], report: Report) -> None:
    """Report secrets in the names of models: everybody sees those."""
    for node in _names(root):
        for reference in references(node.value) if isinstance(node, ScalarNode) and isinstance(node.value, str) else ():
            if reference.name in inputs and inputs[reference.name].secret:
                message = f'create: "{reference.name}" is a secret, and everybody sees the name of a model'
                report.add("secret", message, node)


def _names(root: MapNode) -> Iterator[Node]:
    """Yield what names models: the recipe's own and those of its profiles."""
    if "create" in root.items:
        yield root.items["create"]
    profiles = root.items.get("profiles")
    for profile in profiles.items.values() if isinstance(profiles, MapNode) else ():
        if isinstance(profile, MapNode) and "create" in profile.items:
            yield profile.items["create"]


def _check_origin(name: str, declared: Input, node: MapNode, report: Report) -> None:
    """Report what an input of a recipe from elsewhere may not say, and secrets that stand in a file."""
    if declared.env is not None and (env := node.items["env"]).source.root is not None:
        message = f"inputs.{name}.env: a recipe from elsewhere may not read the environment"
        hint = f"extend it with a recipe of your own that says inputs: {{{name}: {{env: {declared.env}}}}}, or give --set {name}=…"
        report.add("foreign-env", message, env, hint)
    if declared.secret and "default" in node.items:
        message = f"inputs.{name}.default: a secret that stands in a file is none"
        report.add("secret", message, node.items["default"], "leave default out; give it with --set, or by env")
    if declared.secret and declared.choices is not None:
        report.add("secret", f"inputs.{name}.choices: a secret has no known values", node.items["choices"])


def _check_choices(name: str, declared: Input, node: MapNode, report: Report) -> None:
    choices = node.items.get("choices")
    for index, choice in enumerate(choices.items if isinstance(choices, ListNode) else ()):
        if isinstance(choice, ScalarNode) and not fits(choice.value, declared.type):
            where = f"inputs.{name}.choices[{index}]"
            report.add("input-type", f"{where}: expected {EXPECTED[declared.type]}, found {found(choice)}", choice)


def _check_default(
    name: str, declared: Input, node: MapNode, earlier: Collection[str], inputs: Collection[str], report: Report
) -> None:
    default = node.items.get("default")
    if not isinstance(default, ScalarNode) or default.value is None:
        return
    where = f"inputs.{name}.default"
    if refers(default):
        check_references(default, inputs, report)
        for reference in references(default.text):
            if reference.name in inputs and reference.name not in earlier:
                message = f'{where}: refers to "{reference.name}", which is not declared before it'
                hint = f"declare {reference.name} above {name}" if reference.name != name else ""
                report.add("input-order", message, default, hint)
    else:
        check_input_value(where, default, declared, report)


def check_parameters(root: MapNode, report: Report, *, filled: bool) -> None:
    """Check names and values of PARAMETERs as Ollama would; until inputs are ``filled`` in, not what refers to one."""
    for path, parameters in _parameters(root):
        for name, node in parameters.items.items():
            where = f"{path}.{name}: "
            if name in DEPRECATED:
                message = f'"{name}" was removed from Ollama and has no effect'
                report.add("parameter", f"{path}: {message}", parameters.keys[name])
            elif name not in PARAMETERS:
                close, hint = _meant(name)
                report.add("parameter", f'{path}: unknown parameter "{name:.60}"{close}', parameters.keys[name], hint)
            else:
                _check_value(name, where, node, report, filled=filled)


def _meant(name: str) -> tuple[str, str]:
    """Return what an unknown parameter is called here, and what there is to know of it."""
    from modelsmith.lint.facts.parameter_names import ELSEWHERE, RENAMES, UNSURE, close_to

    key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).casefold().replace("-", "_")
    if hint := glued(name):
        return "", hint
    if key in PARAMETERS:
        return f'; did you mean "{key}"?', "parameters have small letters and underscores"
    if meant := RENAMES.get(key):
        return f'; did you mean "{meant}"?', UNSURE.get(key, f"Ollama calls it {meant}")
    if key in Content.model_json_schema()["properties"]:
        return "", f"{key} is a key of the recipe itself, beside parameters"
    if key in REMOVED_SINCE:
        return "", f"Ollama {REMOVED_SINCE[key]} removed it, and nothing replaces it"
    if key in ELSEWHERE:
        return "", ELSEWHERE[key]
    if meant := close_to(key):
        return f'; did you mean "{meant}"?', ""
    return "", f"one of {', '.join(PARAMETERS)}"


def _parameters(root: MapNode) -> Iterator[tuple[str, MapNode]]:
    """Yield the mappings of PARAMETERs: the recipe's own, those it expects, and those of its profiles."""
    yield from _parameters_of(root, "")
    profiles = root.items.get("profiles")
    for name, profile in profiles.items.items() if isinstance(profiles, MapNode) else ():
        if isinstance(profile, MapNode):
            yield from _parameters_of(profile, f"profiles.{name}.")


def _parameters_of(node: MapNode, path: str) -> Iterator[tuple[str, MapNode]]:
    if isinstance(own := node.items.get("parameters"), MapNode):
        yield f"{path}parameters", own
    expectations = node.items.get("expect")
    for index, item in enumerate(expectations.items if isinstance(expectations, ListNode) else ()):
        for key in ("parameters", "options") if isinstance(item, MapNode) else ():
            if isinstance(item, MapNode) and isinstance(expected := item.items.get(key), MapNode):
                yield f"{path}expect[{index}].{key}", expected


def _check_value(name: str, where: str, node: Node, report: Report, *, filled: bool) -> None:
    if isinstance(node, ListNode) and not PARAMETERS[name].is_list:
        report.add("parameter", f"{where}expected one value, found a list", node)
        return
    for item in node.items if isinstance(node, ListNode) else (node,):
        if not isinstance(item, ScalarNode) or item.value is None or (refers(item) and not filled):
            continue
        try:
            typed_parameters({name: [written_as(item.value)]})
        except InvalidParameter as error:
            report.add("parameter", f"{where}{error.hint or error.message}, not {found(item)}", item)


def check_template(node: Node, text: str, report: Report) -> None:
    """Report a template that Ollama refuses, at its line where the file has the template line by line."""
    from modelsmith.template.go.template import Template  # not needed to read a recipe that has none

    try:
        Template.parse(text)
    except TemplateSyntaxError as error:
        place = _line_of(node, error.line)
        report.add_at("template", f"template: Ollama refuses it: {error.message}", place, node.source, error.hint)


def _line_of(node: Node, number: int | None) -> Span:
    """Return the place of a line of a literal block scalar; of any other text the whole."""
    written = node.span.of(node.source.text)
    lines = written.splitlines(keepends=True)
    if number is None or not written.startswith(("|", ">")) or number >= len(lines):
        return node.span
    start = node.span.start + sum(map(len, lines[:number]))
    line = lines[number]
    indent = len(line) - len(line.lstrip())
    return Span(start + indent, start + len(line.rstrip("\r\n")))
