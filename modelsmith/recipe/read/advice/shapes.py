"""How to write a value that has another shape than its place takes: the value itself, in the shape that is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.recipe.parts.fields import key_of
from modelsmith.recipe.read.advice.other_words import as_message, pattern_of
from modelsmith.recipe.read.advice.quoting import quoted
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode
from modelsmith.recipe.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.recipe.parts.fields import Part

_MAPPINGS: Mapping[str, str] = {
    "inputs": 'inputs: {base: {description: "model to start from"}}',
    "parameters": "parameters: {temperature: 0.7, num_ctx: 8192}",
    "expect.parameters": "parameters: {temperature: 0.7, num_ctx: 8192}",
    "expect.ask.options": "options: {temperature: 0, seed: 1}",
    "gguf": "gguf: {set: {general.name: My model}}",
    "gguf.set": "set: {general.name: My model}",
    "matrix": "matrix: {base: [llama3.2, qwen3]}",
    "profiles": "profiles: {fast: {quantize: Q4_0}}",
    "messages": "{role: user, content: Hi}",
    "set": "set: {base: llama3.2}",
    "expect.ask.calls": "calls: weather, or calls: {name: weather, arguments: {city: Rome}}",
}
"""What a mapping looks like, by its place."""
_LISTS: Mapping[str, str] = {
    "expect": "- history-unchanged: true",
    "messages": "- {role: user, content: Hi}",
    "template": "- inject: {text: …}",
    "expect.thinking-tags": "thinking-tags: [<think>, </think>]",
    "matrix.exclude": "exclude: [{base: llama3.2, quantization: Q8_0}]",
}
"""What a list, or an item of it, looks like, by its place."""
_TEXTS = frozenset({"expect.ask.contains", "expect.ask.lacks", "adapters"})
"""Lists of texts, where one text does as well."""
_MANY: Mapping[str, str] = {
    "create": "a recipe makes one model; matrix makes one for each value of an input",
    "extends": "a recipe extends one other, which can extend the next",
    "inputs.*.env": "an input reads one variable",
    "from": "a model starts from one other; matrix makes one for each value of an input",
    "quantize": "a model has one quantization; matrix makes one model for each value of an input",
}
"""Where a list of several cannot mean what it says."""
_PROSE = frozenset(
    {"system", "description", "text", "content", "prompt-ends-with", "prompt-has", "prompt-lacks", "ask"}
)
"""Keys whose value is a text of any kind, so that brackets may be a part of it."""
_FILES = frozenset({"file", "path", "from_file", "fromFile", "src"})
_NO_FILE = "the text itself stands here, indented, after |-: no file is read"
_LONGEST = 60


def as_mapping(location: tuple[str | int, ...], node: Node) -> str:
    """Return the way out where a mapping is due."""
    place = pattern_of(location)
    example = _MAPPINGS.get(place, "")
    if place == "messages":
        return f"such as {example}"
    if isinstance(node, ScalarNode):
        name = str(location[-1])
        if place == "inputs.*":
            default = f"default: {flow(node)}" if node.value is not None else ""
            return f"write {name}: {{{default}}}"
        if place.startswith("template.") and name in STEPS:
            return _with_options(name, node)
        return f"such as {example}" if example else ""
    if not isinstance(node, ListNode) or not node.items:
        return f"such as {example}" if example else ""
    first = node.items[0]
    if isinstance(first, MapNode) and first.items:
        if isinstance(name_node := first.items.get("name"), ScalarNode):
            rest = {key: item for key, item in first.items.items() if key != "name"}
            return f"the name is the key, and no list is needed: {name_node.text:.40}: {_flow_map(rest)}"
        key, value = next(iter(first.items.items()))
        return f"leave out the dashes: {key:.40}: {flow(value)}"
    if isinstance(first, ScalarNode) and "=" in first.text:
        name, _, text = first.text.partition("=")
        return f"leave out the dashes: {name.strip():.40}: {text.strip():.40}"
    if place == "inputs" and isinstance(first, ScalarNode):
        return f"leave out the dashes: {first.text:.40}: {{}}"
    return f"such as {example}" if example else ""


def _with_options(kind: str, node: ScalarNode) -> str:
    """Return a step whose only option was written as its value."""
    options: type[Part] = STEPS[kind].Options
    fields = options.model_fields
    needed = [key_of(name) for name, field in fields.items() if field.is_required()]
    if isinstance(node.value, bool) and not needed and "text" not in fields:
        return f"write {kind}: {{}}"
    if "text" in fields and isinstance(node.value, str):
        return f"write {kind}: {{text: {flow(node)}}}"
    if len(needed) == 1:
        return f"write {kind}: {{{needed[0]}: {flow(node)}}}"
    known = needed or [key_of(name) for name in fields]
    return f"write {kind}: {{{', '.join(f'{key}: …' for key in known[:2])}}}" if known else f"write {kind}: {{}}"


def as_list(location: tuple[str | int, ...], node: Node) -> str:
    """Return the way out where a list is due."""
    place = pattern_of(location)
    example = _LISTS.get(place, "")
    begins = "each item begins with a dash: "
    if isinstance(node, MapNode) and node.items:
        key, value = next(iter(node.items.items()))
        if key.startswith("-"):
            return f"a blank is missing behind the dash: - {key[1:]:.40}: {flow(value)}"
        if place == "messages" and (message := as_message(MapNode({key: value}, node.keys, node.span, node.source))):
            return begins + message
        if place == "template" and node.items.keys() & _FILES:
            return _NO_FILE
        if place == "template" and key not in STEPS:
            return f"a step is {example}; a whole template stands below the key, indented, after |-"
        if place == "messages":
            return begins + example
        if place == "license":
            return _NO_FILE
        if place in _TEXTS:
            return f"write a text, or a list of texts: {place.rpartition('.')[2]}: [a, b]"
        return f"{begins}- {key:.40}: {flow(value)}"
    if isinstance(node, ScalarNode) and place == "expect" and isinstance(node.value, str):
        return f"{begins}- {node.text:.40}: true" if node.text == "history-unchanged" else f"such as {example}"
    return f"such as {example}" if example else ""


def as_text(location: tuple[str | int, ...], node: Node) -> str:
    """Return the way out where text is due."""
    place = pattern_of(location)
    key = next((part for part in reversed(location) if isinstance(part, str) and part[:1] != "<"), "")
    written = node.span.of(node.source.text)
    if isinstance(node, ScalarNode):
        if "${" in node.text:
            return f"{node.text:.60} takes the type of its input: declare that as text"
        return f'quote it: "{node.text:.60}"' if node.value is not None else ""
    if place == "adapters" and isinstance(node, MapNode):
        return _as_adapter(node)
    if isinstance(node, MapNode) and node.items.keys() & _FILES and (key in _PROSE or place == "template"):
        return _NO_FILE
    inner = list(node.items.values() if isinstance(node, MapNode) else node.items)
    if isinstance(node, ListNode) and len(inner) > 1 and place in _MANY:
        return _MANY[place]
    is_flow = written.startswith(("{", "[")) and "\n" not in written
    empty = isinstance(node, ListNode) or all(isinstance(item, ScalarNode) and item.value is None for item in inner)
    if key in _PROSE and is_flow and empty and all(isinstance(item, ScalarNode) for item in inner):
        return f"quote it, brackets are text there only then: {quoted(written)}"
    if len(inner) == 1 and isinstance(inner[0], ScalarNode) and inner[0].value is not None:
        return f"write only the text: {key}: {flow(inner[0])}"
    if key in _PROSE and isinstance(node, ListNode):
        return "write one text; one of several lines stands below its key, indented, after |-"
    return "one text is due; text that starts with { or [ needs quotes"


def _as_adapter(node: MapNode) -> str:
    path = next((node.items[key] for key in ("path", "file", "from", "name", "adapter") if key in node.items), None)
    weight = next((node.items[key] for key in ("weight", "scale", "strength") if key in node.items), None)
    if not isinstance(path, ScalarNode):
        return "write the path of each, such as ./lora=0.5 for one with a weight"
    return f"write {path.text:.60}" + (f"={weight.text:.20}" if isinstance(weight, ScalarNode) else "")


def flow(node: Node) -> str:
    """Return a value on one line, as it is written where that is short."""
    match node:
        case ScalarNode(value=None):
            return "…"
        case ScalarNode():
            written = node.span.of(node.source.text)
            return written if len(written) <= _LONGEST and "\n" not in written else "…"
        case ListNode():
            text = f"[{', '.join(map(flow, node.items))}]"
        case MapNode():
            text = _flow_map(node.items)
    return text if len(text) <= _LONGEST else "…"


def _flow_map(items: Mapping[str, Node]) -> str:
    return "{" + ", ".join(f"{key:.40}: {flow(value)}" for key, value in items.items()) + "}"
