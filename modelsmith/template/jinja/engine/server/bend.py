"""How llama-server changes the messages of a request to suit a template.

Source: llama.cpp, common/chat.cpp (``common_chat_templates_apply_jinja`` and its workarounds).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError
from modelsmith.template.jinja.engine.server.contents import Message, with_fitting_contents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.template.jinja.engine.server.probe import Capabilities

_STEPFUN = "You have access to the following functions in JSONSchema format"
_SPACE = " \t\n\v\f\r"


def trimmed(messages: Sequence[Message], text: str) -> list[Message]:
    """Return the messages, without white space around their contents for templates of StepFun."""
    return [_trimmed(message) for message in messages] if _STEPFUN in text else list(messages)


def _trimmed(message: Message) -> Message:
    changed = dict(message)
    for key in ("content", "reasoning_content"):
        if isinstance(message.get(key), str):
            changed[key] = message[key].strip(_SPACE)
    if isinstance(message.get("content"), list):
        changed["content"] = [
            {**part, "text": part["text"].strip(_SPACE)} if part["type"] == "text" else part
            for part in message["content"]
        ]
    if not changed.get("reasoning_content"):
        changed.pop("reasoning_content", None)
    return changed


def bent(messages: Sequence[Message], text: str, takes: Capabilities) -> list[Message]:
    """Return the messages as a template of this text gets them; raises TemplateRenderError where the server gives up."""
    found = with_fitting_contents(messages, takes)
    if "<|channel|>" not in text:
        found = [{**message, "role": "system"} if message["role"] == "developer" else message for message in found]
    if not takes.system_role:
        found = _without_system(found)
    return [_with_objects(message) for message in found] if takes.object_arguments else found


def _without_system(messages: list[Message]) -> list[Message]:
    """Put a system message in front of the text of the next one; alone, it is dropped."""
    if not messages or messages[0]["role"] != "system":
        return messages
    system, *others = messages
    if not others:
        return others
    contents = [message.get("content") for message in (system, others[0])]
    if not all(isinstance(content, str) for content in contents):
        raise TemplateRenderError(
            "llama-server refuses this conversation: the template takes no system message, and its text cannot be put in "
            "front of a list of parts",
            hint="leave the system message out",
        )
    return [{**others[0], "content": "\n".join(map(str, contents))}, *others[1:]]


def _with_objects(message: Message) -> Message:
    """Return the message with the arguments of its calls as objects."""
    if "tool_calls" not in message:
        return message
    calls = []
    for call in message["tool_calls"]:
        function = call["function"]
        arguments: Any = function["arguments"]
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except ValueError:
                raise TemplateRenderError(
                    "llama-server refuses this conversation: Failed to parse tool call arguments as JSON"
                ) from None
        calls.append({**call, "function": {**function, "arguments": arguments}})
    return {**message, "tool_calls": calls}
