"""What a model is asked: messages, tools, or a prompt with a suffix, in the shapes of Ollama's API.

Source of the shapes: Ollama, ``api/types.go`` (ChatRequest, GenerateRequest and the JSON methods of their parts).
"""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass
from modelsmith.template.conversation.message import Message, ToolCall, collate
from modelsmith.template.conversation.shapes import Given, message_to_dict, read_messages
from modelsmith.template.conversation.tools import read_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.template.go.values.values import Slice


@dataclass(frozen=True)
class Conversation:
    """Messages and tools as ``/api/chat`` takes them, or prompt and suffix as ``/api/generate`` does.

    With both a prompt and a suffix, Ollama fills in between them and looks at nothing else. A prompt alone is one message
    of the user, unless there are messages.
    """

    messages: tuple[Message, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    prompt: str = ""
    suffix: str = ""
    has_tools: bool = field(default=False, repr=False)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Conversation:
        """Read a request's ``messages``, ``tools``, ``prompt`` and ``suffix``, as Ollama decodes its JSON.

        Roles become lower case and images are decoded. Raises ModelsmithError, which names the place, for a wrong shape.
        """
        request = Given.of(given, "conversation")
        messages = tuple(
            Message(**(message | {"tool_calls": tuple(ToolCall(**call) for call in message["tool_calls"])}))
            for message in read_messages(request.get("messages"))
        )
        tools = read_tools(request.get("tools"))
        prompt, suffix = request.text("prompt"), request.text("suffix")
        return cls(messages, tuple(tools or ()), prompt, suffix, tools is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return the request that this conversation is, fields that are empty left out; ``from_dict`` reads it back."""
        request: dict[str, Any] = {"messages": [message_to_dict(message) for message in self.messages]}
        if self.has_tools or self.tools:
            request["tools"] = list(self.tools)
        texts = {"prompt": self.prompt, "suffix": self.suffix}
        return request | {key: value for key, value in texts.items() if value}

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Conversation, (self.messages, self.tools, self.prompt, self.suffix, self.has_tools)

    @cached_property
    def turns(self) -> tuple[Message, ...]:
        """The messages that Ollama renders: those given, else the prompt as one of the user."""
        return self.messages or ((Message("user", self.prompt),) if self.prompt else ())

    @cached_property
    def collated(self) -> tuple[str, tuple[Message, ...]]:
        """All system texts joined by an empty line, and the messages with neighbours of one role merged."""
        return collate(self.turns)

    @cached_property
    def message_values(self) -> Slice:
        """The messages as a template sees them."""
        from modelsmith.template.go.values.ollama import messages_value

        return messages_value(self.collated[1])

    @cached_property
    def tool_values(self) -> Slice:
        """The tools as a template sees them."""
        from modelsmith.template.go.values.ollama import tools_value

        return tools_value(self.tools if self.has_tools or self.tools else None)
