"""What a chat template can take: found by running it on small conversations and watching what it reads.

Source: llama.cpp, common/jinja/caps.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.records import dataclass
from modelsmith.template.jinja.engine.budget import Limits
from modelsmith.template.jinja.engine.failures import Stopped
from modelsmith.template.jinja.engine.program import watched
from modelsmith.template.jinja.engine.values.model import Watched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelsmith.template.jinja.engine.program import Program
    from modelsmith.template.jinja.engine.values.model import Value

_LIMITS = Limits(seconds=1.0, steps=50_000, size=5_000_000, largest=2_000_000)
_TEXT = "STRING_MARKER"
_REASONING = "<REASONING_CONTENT_PLACEHOLDER>"
_USER = {"role": "user", "content": "User message"}
_CALLS = (1, "tool_calls")
_NAME = (0, "function", "name")
_TOOLS = [
    {
        "name": "tool",
        "type": "function",
        "function": {
            "name": "tool1",
            "description": "Tool description",
            "parameters": {
                "type": "object",
                "properties": {"arg": {"type": "string", "description": "Arg description"}},
                "required": ["arg"],
            },
        },
    }
]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a template takes, in llama.cpp's words.

    ``string_content`` and ``typed_content``: contents that are texts, and lists of parts. ``object_arguments``: arguments of calls as
    objects. ``preserve_reasoning``: reasoning of the whole history can be shown, not only of the last answer.
    """

    tools: bool = True
    tool_calls: bool = True
    system_role: bool = True
    parallel_tool_calls: bool = True
    preserve_reasoning: bool = False
    reasoning_effort: bool = False
    string_content: bool = True
    typed_content: bool = False
    object_arguments: bool = False


def probe(program: Program, now: datetime | None = None) -> Capabilities:
    """Find out what a template takes."""
    return _Probe(program, now).capabilities()


def reasoning_kept(kept: bool) -> dict[str, bool]:
    """Return the variables by which templates are told to keep the reasoning of all answers."""
    return {
        "preserve_thinking": kept,
        "clear_thinking": not kept,
        "truncate_history_thinking": not kept,
        "drop_thinking": not kept,
    }


class _Probe:
    """Runs the template; each question has a conversation of its own."""

    def __init__(self, program: Program, now: datetime | None) -> None:
        self._program = program
        self._now = now

    def capabilities(self) -> Capabilities:
        string_content, typed_content = self._contents()
        tools = tool_calls = True
        object_arguments = False
        output, messages, offered = self._run(_calls([{"arg": "value"}]), _TOOLS)
        if output is not None:
            tools = _used(offered, *_NAME)
            tool_calls = _used(messages, *_CALLS)
            object_arguments = tool_calls and _used(messages, *_CALLS, 0, "function", "arguments", "arg")
        if not object_arguments:
            output, messages, offered = self._run(_calls(['{"arg": "value"}']), _TOOLS)
            if output is None:
                tools = tool_calls = False
            else:
                tools = _used(offered, *_NAME) and tools
                tool_calls = _used(messages, *_CALLS) and tool_calls
        given: Any = {"arg": "value"} if object_arguments else '{"arg": "value"}'
        output, messages, _ = self._run(_calls([given, given]), _TOOLS)
        return Capabilities(
            tools=tools,
            tool_calls=tool_calls,
            system_role=self._system_role(),
            parallel_tool_calls=output is not None and _used(messages, *_CALLS, 1, "function"),
            preserve_reasoning=self._keeps_reasoning(),
            reasoning_effort=self._reads_effort(),
            string_content=string_content,
            typed_content=typed_content,
            object_arguments=object_arguments,
        )

    def _contents(self) -> tuple[bool, bool]:
        output, messages, _ = self._run([{"role": "user", "content": _TEXT}])
        content = _found(messages, 0, "content")
        typed = isinstance(content, Watched) and bool(content.operations & {"selectattr", "array_access"})
        return output is not None and (not typed or _TEXT in output), typed

    def _system_role(self) -> bool:
        _, messages, _ = self._run([{"role": "system", "content": "System message"}, _USER])
        return _used(messages, 0, "content")

    def _keeps_reasoning(self) -> bool:
        answer = {"role": "assistant", "content": "Assistant message"}
        messages = [
            _USER,
            {**answer, "reasoning_content": _REASONING},
            _USER,
            {**answer, "reasoning_content": "Reasoning content"},
            _USER,
        ]
        output, _, _ = self._run(messages, variables={"enable_thinking": True, **reasoning_kept(True)})
        return output is not None and _REASONING in output

    def _reads_effort(self) -> bool:
        effort = watched("low")
        variables = {"enable_thinking": True, "reasoning_effort": effort, "reasoning_strength": effort}
        self._run([_USER], variables=variables)
        used: bool = effort.used
        return used

    def _run(
        self,
        messages: Sequence[Any],
        tools: Sequence[Any] = (),
        variables: Mapping[str, Value] | None = None,
    ) -> tuple[str | None, Value, Value]:
        """Return what the template printed, None where it failed, and the messages and tools that noticed their use."""
        seen, offered = watched(messages), watched(tools)
        values = {
            "messages": seen,
            "tools": offered,
            "bos_token": "",
            "eos_token": "",
            "add_generation_prompt": True,
            **(variables or {}),
        }
        try:
            return self._program.watch(values, now=self._now, limits=_LIMITS), seen, offered
        except Stopped as error:
            raise TemplateSyntaxError(f"llama-server does not load it: {error.message}") from None
        except TemplateRenderError:
            return None, seen, offered


def _calls(arguments: Sequence[Any]) -> list[Any]:
    calls = [
        {"id": f"call0000{number}", "type": "function", "function": {"name": "tool1", "arguments": given}}
        for number, given in enumerate(arguments, 1)
    ]
    return [
        _USER,
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": "Tool response", "tool_call_id": "call00001"},
        {"role": "assistant", "content": "The tool response was 'tool response'"},
        _USER,
    ]


def _found(value: Value, *path: int | str) -> Value:
    """Return what stands at this place now; raises TemplateSyntaxError where the template took it away."""
    try:
        for key in path:
            value = value[key]
    except (LookupError, TypeError):
        place = ".".join(map(str, path))
        raise TemplateSyntaxError(
            f"llama-server does not load it: the template takes away what it is tried with ({place} of the messages or tools)"
        ) from None
    return value


def _used(value: Value, *path: int | str) -> bool:
    found = _found(value, *path)
    return isinstance(found, Watched) and found.used
