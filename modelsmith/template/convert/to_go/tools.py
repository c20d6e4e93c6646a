"""Learn how a chat template writes tools and calls: render two of each and look for them.

What a prompt shows of the two tools, or of the two calls, is always the same text: it is found once, and later stands as
one symbol in what is observed (``convert_observe``).

Source of the shapes: llama.cpp common/chat.cpp, as ``jinja_messages`` builds them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ConversionError
from modelsmith.gojson import GoStruct, encode
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.convert.json_code import COMPACT, INDENTED, SPACED, Layout
from modelsmith.template.jinja.engine.values.texts import shared_start
from modelsmith.template.jinja.messages import tools_for

if TYPE_CHECKING:
    from datetime import datetime

    from modelsmith.template.convert.to_go.reference import Reference


def _tool(name: str) -> dict[str, Any]:
    properties = {"xp": {"type": "string", "description": "a place"}}
    parameters = {"type": "object", "required": ["xp"], "properties": properties}
    return {"type": "function", "function": {"name": name, "description": f"about {name}", "parameters": parameters}}


GIVEN = [_tool("xfirstx"), _tool("xsecondx")]
"""The tools of all observed conversations."""

_PLACEHOLDERS = re.compile(r"xfirstx|xsecondx|xn[A-Z]\dnx|xv[A-Z]\dvx|xq[A-Z]qx")
_BEFORE_TAG = re.compile(r"^[^<\[{]*")
_AFTER_TAG = re.compile(r"[^>\]}]*$")
_OPENED = re.compile(r"\{[^{<>]*$")
_CLOSED = re.compile(r"[}\]]*")
_ODD = 'xq"\nQqx'
_ASKED = {"role": "user", "content": "xqQqx"}
_RESULT = {"role": "tool", "content": "xqRqx", "tool_name": "xfirstx"}


@dataclass(frozen=True, slots=True)
class ToolList:
    """How tools are listed: their text in observed prompts, what stands between two, and how one is written.

    ``part`` is "tool" or "function" (the inner object alone), ``depth`` how far its lines are indented.
    """

    text: str
    between: str
    part: str
    layout: Layout
    depth: int = 0


@dataclass(frozen=True, slots=True)
class CallList:
    """How calls are written: ``opening`` name ``middle`` arguments ``closing``, with ``between`` them.

    ``count`` is how many are made in observed conversations: two, or one where the template takes no more.
    """

    opening: str
    middle: str
    closing: str
    between: str
    layout: Layout | None
    count: int

    def text(self, number: int) -> str:
        """Return what prompts show of the calls of a message."""
        made = (
            f"{self.opening}{call['function']['name']}{self.middle}"
            f"{_arguments(call['function']['arguments'], self.layout)}{self.closing}"
            for call in calls(number, self.count)
        )
        return self.between.join(made)


@dataclass(frozen=True, slots=True)
class ToolFormat:
    """What a template makes of tools and of calls; None for what it does not print in a known way.

    ``quotes``: the results of tools are printed as JSON.
    """

    tools: ToolList | None
    calls: CallList | None
    quotes: bool = False

    def __bool__(self) -> bool:
        return bool(self.tools or self.calls or self.quotes)


def without_placeholders(text: str) -> str:
    """Return a Go template's text; raises ConversionError where words of the observed conversations stand in it."""
    found = _PLACEHOLDERS.search(text)
    if found is None:
        return text
    what = "tools" if found[0] in {"xfirstx", "xsecondx"} else "calls or contents"
    raise ConversionError(f"the template writes {what} in a way that a Go template cannot")


def calls(number: int, count: int) -> list[dict[str, Any]]:
    """Return the calls of a message, by its number."""
    mark = chr(65 + number)
    return [
        {"function": {"name": f"xn{mark}{index}nx", "arguments": {"xa": f"xv{mark}{index}vx", "xb": 1}}}
        for index in range(count)
    ]


def learn(render: Reference, now: datetime) -> ToolFormat:
    """Return how the template writes tools and calls."""
    result = {**_RESULT, "content": _ODD}
    prompts = [_rendered(render, messages, now) for messages in ([_ASKED, result], [_ASKED, _called("", 1), result])]
    quotes = any(json.dumps(_ODD) in prompt for prompt in prompts)
    return ToolFormat(_learn_tools(render, now), _learn_calls(render, now), quotes)


def _rendered(render: Reference, messages: list[dict[str, Any]], now: datetime) -> str:
    return render(Conversation.from_dict({"messages": messages, "tools": GIVEN}), None, now).prompt


def _learn_tools(render: Reference, now: datetime) -> ToolList | None:
    prompt = _rendered(render, [_ASKED], now)
    given = tools_for({"tools": GIVEN})
    for part in ("tool", "function"):
        shown = [tool if part == "tool" else tool["function"] for tool in given]
        for layout, depth in ((SPACED, 0), (COMPACT, 0), (INDENTED, 0), (INDENTED, 1)):
            first, second = (layout.dump(call, depth) for call in shown)
            start, end = prompt.find(first), prompt.find(second)
            if 0 <= start < end and prompt.count(first) == 1:
                between = prompt[start + len(first) : end]
                return ToolList(prompt[start : end + len(second)], between, part, layout, depth)
    return None


def _learn_calls(render: Reference, now: datetime) -> CallList | None:
    for count in (2, 1):
        for content in ("", "xqCqx"):
            made = calls(0, count)
            prompt = _rendered(render, [_ASKED, _called(content, count), *[_RESULT] * count], now)
            for layout in (SPACED, None, COMPACT):
                found = _calls_in(prompt, made, layout)
                if found is not None:
                    return found
    return None


def _called(content: str, count: int) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": calls(0, count)}


def _calls_in(prompt: str, made: list[dict[str, Any]], layout: Layout | None) -> CallList | None:
    """Return how calls are written in a prompt, None where they are not in this layout."""
    places: list[tuple[int, int, int, int]] = []
    for call in made:
        name, arguments = call["function"]["name"], _arguments(call["function"]["arguments"], layout)
        start = prompt.find(name)
        after = prompt.find(arguments, start)
        if start < 0 or after < 0 or prompt.count(name) > 1:
            return None
        places.append((start, start + len(name), after, after + len(arguments)))
    middles = {prompt[end:after] for _, end, after, _ in places}
    if len(middles) > 1:
        return None
    middle = middles.pop()
    before, rest = prompt[: places[0][0]], prompt[places[-1][3] :]
    if len(places) == 1:
        opened, closed = _OPENED.search(before), _CLOSED.match(rest)
        return CallList(opened[0] if opened else "", middle, closed[0] if closed else "", "", layout, 1)
    joint = prompt[places[0][3] : places[1][0]]
    opening = _BEFORE_TAG.sub("", joint[len(joint) - shared_start(before[::-1], joint[::-1]) :])
    joint = joint[: len(joint) - len(opening)]
    closing = _AFTER_TAG.sub("", joint[: shared_start(rest, joint)])
    return CallList(opening, middle, closing, joint[len(closing) :], layout, 2)


def _arguments(arguments: dict[str, Any], layout: Layout | None) -> str:
    """Return the arguments in a layout; without one, as the text in which Ollama passes them on."""
    return encode(GoStruct(arguments)) if layout is None else layout.dump(arguments)
