"""What people call the keys and values of a recipe who have not read its reference, and what is meant.

Sources: the words of docker compose, GitHub Actions, helm, Ansible, JSON Schema, OpenAI's API and Modelfiles for the same things.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.recipe.read.nodes import MapNode, ScalarNode
from modelsmith.recipe.read.references import written_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.recipe.read.nodes import Node

ASKED = "<ask>"
"""The mark of a promise about an answer, whose keys stand beside the one that tells its kind."""


def _table(rows: Mapping[str, str]) -> dict[str, str]:
    return {word: meant for meant, words in rows.items() for word in words.split()}


_KEYS: Mapping[str, Mapping[str, str]] = {
    "": _table(
        {
            "adapters": "adapter lora loras",
            "create": "output target to",
            "expect": "assert asserts promises test tests checks",
            "extends": "parent inherits",
            "from": "base model image",
            "inputs": "variables vars args arguments defaults values",
            "matrix": "strategy variants",
            "messages": "conversation history examples",
            "parameters": "options params set sampling",
            "quantize": "quant quantization",
            "requires": "version",
            "system": "instructions prompt persona",
            "template": "edit edits steps patches",
        }
    ),
    "inputs.*": _table(
        {
            "choices": "options enum values allowed one-of",
            "default": "value",
            "description": "help doc docs title desc label",
            "env": "environment env-var variable",
            "minimum": "min at-least",
            "secret": "sensitive password private hidden",
            "type": "kind",
        }
    ),
    "template.inject": _table(
        {
            "at": "position where place location",
            "reasoning": "think thinking",
            "text": "value content string prompt",
            "when": "if condition",
        }
    ),
    "messages": _table({"content": "text message body", "role": "author from name"}),
    "expect.ask.ask": _table({"content": "text message body", "role": "author from name"}),
    "quantize": _table({"type": "name mix quantization format kind"}),
    "gguf": _table({"set": "metadata keys values add", "unset": "remove delete drop"}),
    "expect.ask": _table(
        {
            "contains": "answer expected equals includes expect",
            "lacks": "excludes not-contains without",
            "matches": "regex pattern match",
            "options": "parameters params",
            "stops-within": "max-tokens num-predict max_tokens num_predict",
            "calls": "tool-call tool_call tool",
            "json": "schema json-schema",
        }
    ),
}
"""By the place in a recipe, names and numbers left out: a word and the key that is meant."""

_HINTS: Mapping[str, Mapping[str, str]] = {
    "": {
        "env": "an input reads a variable where it says so: inputs: {base: {env: BASE}}",
        "environment": "an input reads a variable where it says so: inputs: {base: {env: BASE}}",
        "include": "extends: FILE takes a whole recipe; a list of steps or promises takes - include: FILE",
        "includes": "extends: FILE takes a whole recipe; a list of steps or promises takes - include: FILE",
        "import": "extends: FILE takes a whole recipe; a list of steps or promises takes - include: FILE",
        "push": "`modelsmith push MODEL` sends a model to a registry once it is made",
        "renderer": "the step make-effective, with by: [parser], sets a PARSER; a RENDERER comes with the base",
        "parser": "the step make-effective, with by: [parser], sets a PARSER",
        **dict.fromkeys(("run", "script", "shell", "command", "commands", "hooks"), "a recipe runs no commands"),
        **dict.fromkeys(
            ("think", "thinking", "reasoning"),
            "whether a model reasons is in its template: extends: force-think, no-think or declare-thinking changes it",
        ),
    },
    "inputs.*": {
        "required": "an input without a default is required, one with a default is not",
        "optional": "an input with a default is optional: default: null stands for no value",
        "max": "there is no maximum; choices list what is allowed",
        "maximum": "there is no maximum; choices list what is allowed",
        "pattern": "choices list what is allowed",
        "regex": "choices list what is allowed",
    },
    "template": {
        "name": "a step has no name; a comment behind # can say what it is for",
        "description": "a step has no description; a comment behind # can say what it is for",
        "if": "a step is always taken; inject has when: always, thinking or not-thinking",
        "when": "when belongs to what is injected: - inject: {text: …, when: thinking}",
    },
    "expect": {
        "name": "a promise has no name; a comment behind # can say what it is for",
        "description": "a promise has no description; a comment behind # can say what it is for",
    },
    "matrix": {"include": "a matrix has only the combinations of its lists; exclude takes some out"},
}
"""The same for words that nothing of a recipe stands for: the way out."""

_VALUES: Mapping[str, Mapping[str, str]] = {
    "type": _table(
        {
            "text": "string str choice enum list select",
            "integer": "int",
            "boolean": "bool flag",
            "number": "float double",
            "path": "file folder dir directory filename",
        }
    ),
    "role": _table({"user": "human", "assistant": "bot ai model gpt", "system": "developer"}),
    "at": _table({"generation-prompt": "end bottom last assistant", "start": "beginning begin top first bos"}),
    "reasoning": _table({"open": "true yes on", "closed": "false no off"}),
    "when": _table({"thinking": "true think", "not-thinking": "false no-think never"}),
}
"""By the key: a value and the one that is meant."""


def pattern_of(location: tuple[str | int, ...]) -> str:
    """Return a place as the tables name it: no numbers and marks, ``*`` for an input's name, a profile as the recipe itself."""
    parts = [part.strip("<>") for part in location if isinstance(part, str) and (part == ASKED or part[:1] != "<")]
    if parts[:1] == ["profiles"] and len(parts) > 1:
        parts = parts[2:]
    if parts[:1] == ["inputs"] and len(parts) > 1:
        parts[1] = "*"
    return ".".join(parts)


def meant_key(location: tuple[str | int, ...], key: str) -> tuple[str, str]:
    """Return the key that is meant by an unknown one at a place ("": none is known), and another way out ("": none)."""
    place, word = pattern_of(location), key.casefold()
    plain = word.replace("_", "-")
    keys, hints = _KEYS.get(place, {}), _HINTS.get(place, {})
    if place == "" and word.startswith("x-"):
        return (
            "",
            "keys of your own have no place here; an anchor stands where its value is first used: parameters: &common {…}, then parameters: *common",
        )
    return keys.get(word) or keys.get(plain, ""), hints.get(word, "")


def meant_value(location: tuple[str | int, ...], node: Node) -> str:
    """Return the value that is meant by an unknown one, "" where none is known."""
    key = next((part for part in reversed(location) if isinstance(part, str)), "")
    return _VALUES.get(key, {}).get(written_as(node.value).casefold(), "") if isinstance(node, ScalarNode) else ""


def as_message(node: Node) -> str:
    """Return how ``user: Hi`` is written as a message, "" where a node is nothing like that."""
    if isinstance(node, MapNode) and len(node.items) == 1:
        ((role, said),) = node.items.items()
        role = _VALUES["role"].get(role.casefold(), role.casefold())
        if role in {"system", "user", "assistant"} and isinstance(said, ScalarNode):
            return f"- {{role: {role}, content: {said.span.of(said.source.text):.60}}}"
    return ""
