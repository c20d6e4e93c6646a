"""The tiny conversations by which llama-server finds out how a chat template prints reasoning, answers and calls.

Source: llama.cpp common/chat-diff-analyzer.cpp, common/chat-auto-parser-helpers.cpp (compare_variants).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from modelsmith.errors import TemplateRenderError
from modelsmith.records import dataclass
from modelsmith.template.chat_formats.markers import Difference, as_bytes, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

Message = dict[str, Any]

FIRST_FUNCTION, SECOND_FUNCTION = "FFF_FIRST_FUN_F", "SSS_SECOND_FUN_S"
FIRST_ARGUMENT, SECOND_ARGUMENT = "AA_ARG_FST_AA", "BB_ARG_SND_BB"
FIRST_VALUE, SECOND_VALUE = "XXXX", "YYYY"
FIRST_ID, SECOND_ID, OTHER_ID = "call00001", "call00002", "call99999"
ANSWER = "A_ASST_MSG I can help END_A"
THOUGHT = "REASON_PART I am thinking END_R"
QUESTION: Message = {"role": "user", "content": "U_USER_MSG Hello END_U"}


class Renders(Protocol):
    """What prints a template as it is, without a begun answer or a date."""

    def __call__(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Message] = (),
        add_generation_prompt: bool = False,
        enable_thinking: bool = True,
    ) -> str:
        """Return the prompt; raises TemplateRenderError where the template fails or refuses."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two prompts of one template (one character a byte) and how they differ."""

    first: str
    second: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Probe:
    """What is rendered: the messages, and what goes with them."""

    messages: tuple[Message, ...]
    tools: tuple[Message, ...] = ()
    add_generation_prompt: bool = False
    enable_thinking: bool = True


def compare_probes(renders: Renders, first: Probe, second: Probe) -> Comparison | None:
    """Return how the prompts of two probes differ; None where the template fails on one of them."""
    try:
        left, right = (
            as_bytes(
                renders(
                    probe.messages,
                    tools=probe.tools,
                    add_generation_prompt=probe.add_generation_prompt,
                    enable_thinking=probe.enable_thinking,
                )
            )
            for probe in (first, second)
        )
    except TemplateRenderError:
        return None
    return Comparison(left, right, difference(left, right))


def answer(content: str | None, *, thought: str = "", calls: Sequence[Message] = ()) -> Message:
    """Return a message of the assistant, its fields in the order that llama.cpp writes them."""
    message: Message = {"role": "assistant", "content": content}
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = list(calls)
    return message


def call(name: str, arguments: dict[str, str], identity: str = FIRST_ID) -> Message:
    """Return a call of a function, its arguments as an object."""
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def _tool(name: str, description: str) -> Message:
    argument = {"type": "string"}
    properties = {
        FIRST_ARGUMENT: {**argument, "description": "First argument"},
        SECOND_ARGUMENT: {**argument, "description": "Second argument"},
    }
    parameters = {"type": "object", "properties": properties, "required": []}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS = (_tool(FIRST_FUNCTION, "Test function foo"), _tool(SECOND_FUNCTION, "Test function bar"))
BOTH = {FIRST_ARGUMENT: FIRST_VALUE, SECOND_ARGUMENT: SECOND_VALUE}
FIRST_CALL = call(FIRST_FUNCTION, BOTH)
SECOND_CALL = call(SECOND_FUNCTION, BOTH, SECOND_ID)
CALL_WITH_FIRST = call(FIRST_FUNCTION, {FIRST_ARGUMENT: FIRST_VALUE})
CALL_WITH_FIRST_OTHERWISE = call(FIRST_FUNCTION, {FIRST_ARGUMENT: SECOND_VALUE})
CALL_WITH_SECOND = call(FIRST_FUNCTION, {SECOND_ARGUMENT: SECOND_VALUE})


def with_calls(*calls: Message) -> Probe:
    """Return the probe of an assistant that answers with these calls, its tools told."""
    return Probe((QUESTION, answer("", calls=calls)), TOOLS)


def answered(message: Message, *, tools: bool = False) -> Probe:
    """Return the probe of an assistant that answers so."""
    return Probe((QUESTION, message), TOOLS if tools else ())
