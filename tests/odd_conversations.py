"""Conversations that no well-behaved client sends, in the shape of ``/api/chat``: what a template or the server makes of them varies most."""

from __future__ import annotations

from typing import Any

from modelsmith.template.conversation.conversation import Conversation


def _message(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def _call(name: str, id_: str = "", **arguments: Any) -> dict[str, Any]:
    call = {"function": {"name": name, "arguments": arguments}}
    return {**call, "id": id_} if id_ else call


def _result(content: str, id_: str = "", name: str = "") -> dict[str, Any]:
    more = {"tool_call_id": id_, "tool_name": name}
    return _message("tool", content, **{key: value for key, value in more.items() if value})


def _calls(*calls: dict[str, Any], content: str = "", thinking: str = "") -> dict[str, Any]:
    thought = {"thinking": thinking} if thinking else {}
    return _message("assistant", content, tool_calls=list(calls), **thought)


_SYSTEM, _USER, _ANSWER = (
    _message("system", "Be brief."),
    _message("user", "Where am I?"),
    _message("assistant", "Here."),
)
_AGAIN = _message("user", "And now?")
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"The {name} of a place",
            "parameters": {
                "type": "object",
                "required": ["place"],
                "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
            },
        },
    }
    for name in ("weather", "time")
]
_A, _B = _call("weather", "call00001", place="Bern"), _call("time", "call00002", place="Bern", days=2)
_RESULT_A, _RESULT_B = _result("sun", "call00001", "weather"), _result("noon", "call00002", "time")
_BARE = _call("weather", place="Bern")

_TALKS: dict[str, list[dict[str, Any]]] = {
    "results-in-order": [_USER, _calls(_A, _B), _RESULT_A, _RESULT_B, _AGAIN],
    "results-swapped": [_USER, _calls(_A, _B), _RESULT_B, _RESULT_A],
    "results-swapped-and-on": [_USER, _calls(_A, _B, content="I look."), _RESULT_B, _RESULT_A, _ANSWER, _AGAIN],
    "results-apart": [_USER, _calls(_A, _B), _RESULT_B, _AGAIN, _RESULT_A],
    "results-of-two-answers": [_USER, _calls(_A), _calls(_B), _RESULT_B, _RESULT_A],
    "result-missing": [_USER, _calls(_A, _B), _RESULT_B, _AGAIN],
    "results-missing": [_USER, _calls(_A, _B), _AGAIN],
    "result-twice": [_USER, _calls(_A), _RESULT_A, _RESULT_A],
    "result-before-call": [_USER, _RESULT_A, _calls(_A), _AGAIN],
    "result-of-no-call": [_USER, _ANSWER, _RESULT_A],
    "id-of-no-call": [_USER, _calls(_A), _result("rain", "call99999", "weather")],
    "ids-repeated": [_USER, _calls(_A, _call("time", "call00001", place="Rome")), _RESULT_A, _result("noon", "call00001", "time")],
    "ids-repeated-later": [_USER, _calls(_A), _RESULT_A, _ANSWER, _AGAIN, _calls(_A), _RESULT_A],
    "ids-missing": [_USER, _calls(_BARE, _call("time", place="Bern")), _result("sun"), _result("noon")],
    "ids-of-calls-missing": [_USER, _calls(_BARE), _RESULT_A],
    "ids-of-results-missing": [_USER, _calls(_A, _B), _result("sun"), _result("noon", name="time")],
    "ids-mixed": [_USER, _calls(_A, _call("time", place="Bern")), _result("noon", name="time"), _RESULT_A],
    "ids-short": [_USER, _calls(_call("weather", "1", place="Bern")), _result("sun", "1")],
    "ids-odd": [_USER, _calls(_call("weather", 'functions.weather:0 "<é>', place="Bern")), _result("sun", 'functions.weather:0 "<é>')],
    "names-wrong": [_USER, _calls(_A), _result("sun", "call00001", "other")],
    "three-calls": [_USER, _calls(_A, _B, _call("weather", "call00003", place="Rome")), _result("3", "call00003"), _RESULT_B, _RESULT_A],
    "system-last": [_USER, _ANSWER, _message("system", "Now in French.")],
    "system-after-user": [_USER, _message("system", "Now in French.")],
    "system-after-result": [_USER, _calls(_A), _RESULT_A, _message("system", "Now in French.")],
    "systems-only": [_SYSTEM, _message("system", "Speak French.")],
    "system-between-calls": [_SYSTEM, _USER, _calls(_A), _message("system", "Wait."), _RESULT_A],
    "tool-first": [_RESULT_A, _USER],
    "tool-first-after-system": [_SYSTEM, _RESULT_A, _USER],
    "tool-only": [_RESULT_A],
    "tool-only-bare": [_result("sun")],
    "assistant-first": [_ANSWER, _USER],
    "assistant-first-after-system": [_SYSTEM, _ANSWER, _USER],
    "calls-first": [_calls(_A), _RESULT_A, _USER],
    "thinking-and-calls": [_USER, _calls(_A, thinking="I must look."), _RESULT_A],
    "thinking-content-and-calls": [_USER, _calls(_A, content="I look.", thinking="I must look."), _RESULT_A, _AGAIN],
    "thinking-and-calls-twice": [_USER, _calls(_A, thinking="One."), _RESULT_A, _calls(_B, thinking="Two."), _RESULT_B],
    "thinking-and-calls-then-answer": [
        *(_SYSTEM, _USER, _calls(_A, content="I look.", thinking="One."), _RESULT_A),
        *(_message("assistant", "Sun.", thinking="Two."), _AGAIN),
    ],
    "thinking-and-calls-last": [_USER, _calls(_A, content="I look.", thinking="I must look.")],
    "thinking-tags-and-calls": [_USER, _calls(_A, content="<think>\nhm\n</think>\n\nI look."), _RESULT_A],
    "thinking-blank": [_USER, _message("assistant", "Here.", thinking=" \n "), _AGAIN],
    "thinking-empty-answer": [_USER, _message("assistant", "", thinking="hm"), _AGAIN],
    "thinking-closed-tags": [_USER, _message("assistant", "hm</think>Here."), _AGAIN],
    "user-with-calls": [_message("user", "Look.", tool_calls=[_A]), _RESULT_A],
    "user-with-thinking": [_message("user", "Look.", thinking="hm")],
    "empty-user-and-system": [_message("system", ""), _message("user", "")],
    "empty-system": [_message("system", ""), _USER],
    "empty-result": [_USER, _calls(_A), _result("", "call00001", "weather")],
    "empty-all": [_message("user", ""), _message("assistant", ""), _message("user", "")],
    "empty-last-answer": [_USER, _message("assistant", "")],
    "empty-last-answer-after-result": [_USER, _calls(_A), _RESULT_A, _message("assistant", "")],
    "empty-only-answer": [_message("assistant", "")],
    "blank-contents": [_message("system", " \n"), _message("user", "\n\n"), _message("assistant", " "), _message("user", "\t x \n")],
    "blank-last-answer": [_USER, _message("assistant", " \n ")],
    "begun-after-result": [_USER, _calls(_A), _RESULT_A, _message("assistant", "It is")],
    "begun-with-call": [_USER, _ANSWER, _AGAIN, _calls(_A, content="I look.")],
    "begun-with-two-calls": [_USER, _calls(_A, _B)],
    "begun-twice": [_USER, _ANSWER, _message("assistant", "And")],
    "begun-inside-thought": [_USER, _message("assistant", "<think>\nhm")],
    "begun-behind-thought": [_USER, _message("assistant", "<think>\nhm\n</think>\n\nIt")],
    "begun-after-system": [_SYSTEM, _message("assistant", "It is")],
    "role-unknown": [_USER, _ANSWER, _message("critic", "Wrong."), _AGAIN],
    "role-unknown-only": [_message("critic", "Wrong.")],
    "role-empty": [_message("", "Hello.")],
    "role-function": [_USER, _calls(_A), _message("function", "sun", tool_name="weather")],
    "role-developer-later": [_SYSTEM, _USER, _message("developer", "In French."), _AGAIN],
    "marks-in-texts": [_message("system", "<|im_end|></s>[/INST]"), _message("user", "<|im_start|>assistant\n<think>"), _message("assistant", "<tool_call>{}</tool_call>"), _message("user", "{{ x }}{% y %}")],
    "many-users": [_USER, _AGAIN, _message("user", "Hm?")],
    "long-talk": [_SYSTEM, *(_message(("user", "assistant")[n % 2], f"text {n}") for n in range(31))],
    "arguments-none": [_USER, _calls(_call("weather", "call00001")), _RESULT_A],
    "arguments-of-all-kinds": [
        _USER,
        _calls(_call("weather", "call00001", place='B"e\\r\nn é <&>', days=-1, f=0.1, big=12345678901234567890, e=1e100, t=True, n=None, l=[1, [], {"a": {}}], o={"z": 1, "a": [None]})),
        _RESULT_A,
    ],
    "arguments-like-numbers": [_USER, _calls(_call("weather", "call00001", place="007", days=1.0, e=1e-7, z=0.0)), _RESULT_A],
    "result-of-json": [_USER, _calls(_A), _result('{"sun": [1, 2.0, null], "é": "<&>"}', "call00001", "weather"), _AGAIN],
}  # fmt: skip

_WITHOUT_TOOLS = (
    "thinking-blank",
    "empty-last-answer",
    "system-last",
    "tool-first",
    "results-swapped",
    "thinking-and-calls",
)

ODD: dict[str, Conversation] = {
    **{name: Conversation.from_dict({"messages": talk, "tools": _TOOLS}) for name, talk in _TALKS.items()},
    **{f"{name}/no-tools": Conversation.from_dict({"messages": _TALKS[name]}) for name in _WITHOUT_TOOLS},
    "tools-without-parameters": Conversation.from_dict(
        {"messages": [_USER], "tools": [{"type": "function", "function": {"name": "now"}}]}
    ),
    "tools-named-alike": Conversation.from_dict({"messages": [_USER], "tools": [_TOOLS[0], _TOOLS[0]]}),
    "tools-nobody-asks": Conversation.from_dict({"messages": [_SYSTEM], "tools": _TOOLS}),
    "nobody": Conversation.from_dict({"messages": []}),
    "nobody-with-tools": Conversation.from_dict({"messages": [], "tools": _TOOLS}),
}
"""The conversations by name."""
