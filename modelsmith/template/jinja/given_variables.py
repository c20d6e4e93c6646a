"""Variables that a request gives to a chat template: which of them change nothing, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import TemplateError
from modelsmith.template.jinja.engine.program import Program
from modelsmith.template.jinja.engine.server.probe import reasoning_kept
from modelsmith.template.jinja.variables import SUPPLIED, template_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

_IMPLIED = {"reasoning_effort": ("reasoning_strength",), "preserve_reasoning": tuple(reasoning_kept(True))}
"""What llama-server also sets where a request sets a variable."""
_OF_SERVER = frozenset({"enable_thinking"})
"""What llama-server itself looks at, whatever the template reads."""


def without_effect(text: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which of the given variables a template does not read, and which texts it tests a variable for in vain.

    Nothing is said of a template that llama-server cannot read.
    """
    try:
        program = Program.parse(text)
    except TemplateError:
        return ()
    read = {variable.name: variable.values for variable in template_variables(program)}
    supplied = SUPPLIED & program.words
    found = []
    for name, value in given.items():
        names = [name, *_IMPLIED.get(name, ())]
        if name in _OF_SERVER or not supplied.isdisjoint(names):
            continue
        known = next((read[candidate] for candidate in names if candidate in read), None)
        if known is None:
            others = f" (it reads {', '.join(sorted(read))})" if read else " (it reads none)"
            found.append(f'the template reads no variable "{name}"{others}{did_you_mean(name, read)}')
        elif isinstance(value, str) and (texts := _texts(known)) and value not in texts:
            values = ", ".join(json.dumps(choice, ensure_ascii=False) for choice in texts)
            found.append(f'"{value}" is none of the texts that the template tests "{name}" for: {values}')
    return tuple(found)


def _texts(values: tuple[str, ...]) -> list[str]:
    """Return the texts among the constants that a variable is tested for."""
    return [json.loads(value) for value in values if value.startswith('"')]
