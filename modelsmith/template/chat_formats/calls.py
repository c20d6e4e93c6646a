"""How a chat template writes calls of functions, found by rendering conversations that differ in one thing.

llama-server takes the calls out of answers by what is found here. It does not load a template whose calls its analysis
fails on, so these failures are kept.

Source: llama.cpp common/chat-diff-analyzer.cpp (analyze_tools).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from modelsmith.errors import TemplateSyntaxError
from modelsmith.records import dataclass
from modelsmith.template.chat_formats.grammar import SPACES
from modelsmith.template.chat_formats.markers import MARKER, SPACE, difference, trimmed
from modelsmith.template.chat_formats.probes import (
    ANSWER,
    CALL_WITH_FIRST,
    CALL_WITH_FIRST_OTHERWISE,
    CALL_WITH_SECOND,
    FIRST_ARGUMENT,
    FIRST_CALL,
    FIRST_FUNCTION,
    FIRST_VALUE,
    SECOND_ARGUMENT,
    SECOND_CALL,
    SECOND_FUNCTION,
    SECOND_VALUE,
    answer,
    answered,
    compare_probes,
    with_calls,
)

if TYPE_CHECKING:
    from modelsmith.template.chat_formats.markers import Difference
    from modelsmith.template.chat_formats.probes import Renders
    from modelsmith.template.chat_formats.tags import ReasoningTags

Style = Literal["none", "json", "tag-json", "tagged"]


@dataclass(frozen=True, slots=True)
class CallTags:
    """The marks of calls (one character a byte), empty where there are none.

    ``style``: the whole call is JSON (``json``), the function's name is tagged and its arguments are JSON
    (``tag-json``), both are tagged (``tagged``). ``section`` stands around all calls, ``call`` around each.
    """

    style: Style = "none"
    section: tuple[str, str] = ("", "")
    call: tuple[str, str] = ("", "")
    in_array: bool = False
    name_is_key: bool = False
    name_field: str = "name"
    arguments_field: str = "arguments"
    function: tuple[str, str] = ("", "")
    function_end: str = ""
    argument: tuple[str, str] = ("", "")
    value: tuple[str, str] = ("", "")

    @property
    def example(self) -> str:
        """A call as it is written, with NAME for the function and … for its arguments; empty where there are none."""
        if self.style == "none":
            return ""
        if self.style == "json":
            shown = (
                '{"NAME": {…}}'
                if self.name_is_key
                else f'{{"{self.name_field}": "NAME", "{self.arguments_field}": {{…}}}}'
            )
            shown = f"[{shown}]" if self.in_array else shown
        else:
            arguments = "…".join((*self.argument, *self.value[1:])) if self.style == "tagged" else "{…}"
            shown = f"{self.function[0]}NAME{self.function[1]}{arguments}{self.function_end}"
        return f"{self.section[0]}{self.call[0]}{shown}{self.call[1]}{self.section[1]}"


def find_calls(renders: Renders, reasoning: ReasoningTags, *, parallel: bool) -> CallTags:
    """Return how a template writes calls; ``parallel`` says that it prints several in one answer.

    Raises TemplateSyntaxError where llama-server's analysis fails.
    """
    comparison = compare_probes(renders, answered(answer(ANSWER), tools=True), with_calls(FIRST_CALL))
    if comparison is None or not comparison.difference.right:
        return CallTags()
    shown = comparison.difference.right
    bare = _without(_without(shown, reasoning.opening), reasoning.closing)
    if _is_key_or_value(shown, FIRST_FUNCTION):
        found = _json_calls(bare)
        found = _each_in_its_section(found, renders) if parallel else found
    else:
        found = _tagged_calls(bare, "tag-json" if _is_key_or_value(shown, FIRST_ARGUMENT) else "tagged")
    found = replace(
        found, section=(found.section[0], trimmed(found.section[1])), call=(found.call[0], trimmed(found.call[1]))
    )
    if found.style == "json":
        return found
    found = _marks_of_each(found, renders) if parallel else found
    found = _function_marks(found, renders)
    return _argument_marks(found, renders) if found.style == "tagged" else found


def _unreadable(why: str) -> TemplateSyntaxError:
    return TemplateSyntaxError(
        f"llama-server does not load this template, because it cannot tell how it writes calls of functions: {why}"
    )


def _is_key_or_value(shown: str, word: str) -> bool:
    return re.search(rf'[{{:]{SPACE}"{word}"', shown) is not None


def _without(text: str, mark: str) -> str:
    return text.replace(mark, "", 1) if mark else text


def _json_calls(shown: str) -> CallTags:
    """Take apart calls that are JSON objects."""
    start, stop = shown.find("{"), shown.rfind("}")
    if start < 0:
        raise _unreadable("its calls hold no JSON object")
    cut = shown[start : stop + 1]
    try:
        call = json.loads(cut, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise _unreadable("its calls are no JSON") from None
    found = _fields(call)
    array = re.search(rf"(?P<pre>\[{SPACE}){re.escape(cut)}(?P<post>{SPACE}\])", shown)
    if array:
        start, stop = start - len(array["pre"]), stop + len(array["post"])
    before, after = shown[:start].lstrip(SPACES), trimmed(shown[stop + 1 :])
    after = "" if array and after == "]" else after
    return replace(found, section=(before, after), in_array=array is not None)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _fields(call: dict[str, Any]) -> CallTags:
    """Find the fields of name and arguments; a dot stands between those of nested objects."""
    found = CallTags("json")

    def register(prefix: str, key: str, value: Any) -> None:
        nonlocal found
        path = f"{prefix}.{key}" if prefix else key
        if isinstance(value, str) and "call0000" in value:
            return
        if value == FIRST_FUNCTION:
            found = replace(found, name_field=path)
        elif FIRST_ARGUMENT in json.dumps(value, ensure_ascii=False):
            found = replace(found, arguments_field=path)

    for key, value in call.items():
        if key == FIRST_FUNCTION:
            found = replace(found, name_is_key=True, name_field="", arguments_field="")
            continue
        if isinstance(value, dict) and FIRST_ARGUMENT not in json.dumps(value, ensure_ascii=False):
            for inner, part in value.items():
                register(key, inner, part)
        register("", key, value)
    return found


def _each_in_its_section(found: CallTags, renders: Renders) -> CallTags:
    """See whether a second call has the marks of a section of its own: then they are the marks of each call."""
    comparison = compare_probes(renders, with_calls(FIRST_CALL), with_calls(FIRST_CALL, SECOND_CALL))
    if comparison and found.section[0] and found.section[0] in comparison.difference.right:
        return replace(found, call=found.section, section=("", ""))
    return found


def _tagged_calls(shown: str, style: Style) -> CallTags:
    """Take apart calls whose function is named in a tag, or between tags."""
    name = FIRST_FUNCTION
    in_angles = rf"(?P<pre><(?:(?!>|{name})[\s\S])*){name}(?!{SPACE}<)[^>]*>{SPACE}"
    in_squares = rf"(?P<pre2>\[(?:(?!\]|{name})[\s\S])*){name}(?!{SPACE}\[[^\]]*\]){SPACE}"
    named = re.search(rf"{in_angles}|{in_squares}", shown)
    marker = re.escape(named[0] if named else name)
    twice = re.search(rf"(?P<sec>{MARKER}{SPACE})(?P<call>{MARKER}{SPACE})[\s\S]*?{marker}(?P<rest>[\s\S]*)", shown)
    if twice:
        ends = re.search(rf"(?P<call>{MARKER}{SPACE})(?P<sec>{MARKER}{SPACE})\Z", twice["rest"])
        prefix = (named["pre"] or named["pre2"] or "") if named else ""
        return CallTags(
            style,
            section=(twice["sec"], ends["sec"] if ends else ""),
            call=(twice["call"], ends["call"] if ends else ""),
            function=(prefix, ""),
        )
    once = re.search(rf"(?P<sec>{MARKER}{SPACE}){marker}(?P<rest>[\s\S]*)", shown)
    ends = re.search(rf"(?P<sec>{MARKER}{SPACE})\Z", once["rest"]) if once else None
    return CallTags(style, section=(once["sec"] if once else "", ends["sec"] if ends else ""))


def _marks_of_each(found: CallTags, renders: Renders) -> CallTags:
    """Tell the marks of each call from those of the section by a second call."""
    comparison = compare_probes(renders, with_calls(FIRST_CALL), with_calls(FIRST_CALL, SECOND_CALL))
    if comparison is None:
        return found
    second = difference(comparison.difference.suffix, comparison.difference.right).right.lstrip(SPACES)
    if found.section[0] and second.startswith(found.section[0]):
        found = replace(found, call=found.section, section=("", ""))
    closing = found.call[1]
    if closing and 0 < comparison.first.count(closing) == comparison.second.count(closing):
        found = replace(found, section=(found.section[0], closing), call=(found.call[0], ""))
    return found


def _function_marks(found: CallTags, renders: Renders) -> CallTags:
    """Find what stands around a function's name, and what ends its call."""
    comparison = compare_probes(renders, with_calls(FIRST_CALL), with_calls(SECOND_CALL))
    if comparison is None:
        return found
    shown = comparison.difference
    if FIRST_FUNCTION not in shown.left or SECOND_FUNCTION not in shown.right:
        return found
    before, after = found.function
    marker = found.call[0] or found.section[0]
    if marker and marker in shown.prefix:
        before = shown.prefix.rpartition(marker)[2]
    head, _, tail = shown.left.partition(FIRST_FUNCTION)
    before, after = before + head, _up_to_marker(tail)
    if found.style == "tag-json":
        match = re.match(rf"(?P<ext>(?>(?:{MARKER}|[^{{\[])*))(?=(?:(?!{MARKER})[\s\S])*{MARKER})", shown.suffix)
        after += match["ext"] if match else ""
    else:
        after += _up_to_marker(shown.suffix)
    closing = found.call[1] or found.section[1]
    ending = shown.suffix.partition(closing)[0] if closing else _after_arguments(renders)
    return replace(found, function=(before, after), function_end=_function_end(found.style, ending).lstrip(SPACES))


def _up_to_marker(text: str) -> str:
    match = re.search(MARKER, text)
    return text[: match.start()] if match else text


def _after_arguments(renders: Renders) -> str:
    """Return what follows the last argument's value; raises TemplateSyntaxError where llama.cpp reads past the end."""
    comparison = compare_probes(renders, with_calls(FIRST_CALL), answered(answer(ANSWER), tools=True))
    if comparison is None:
        return ""
    left = comparison.difference.left
    place = left.find(SECOND_VALUE) + len(SECOND_VALUE)
    if place > len(left):
        raise _unreadable("its calls do not show their arguments")
    return left[place:]


def _function_end(style: Style, ending: str) -> str:
    _, value, tail = ending.partition(SECOND_VALUE)
    if not ending or not value:
        return ""
    if style == "tagged":
        match = re.match(rf"{SPACE}{MARKER}{SPACE}(?P<close>[\s\S]*)", tail)
        return match["close"] if match else ""
    place = max(tail.rfind("}"), tail.rfind("]"))
    return tail[place + 1 :].lstrip(SPACES) if 0 <= place < len(tail) - 1 else ""


def _argument_marks(found: CallTags, renders: Renders) -> CallTags:
    """Find what stands around an argument's name and its value."""
    names = compare_probes(renders, with_calls(CALL_WITH_FIRST), with_calls(CALL_WITH_SECOND))
    if names:
        found = replace(found, argument=_name_marks(names.difference))
    values = compare_probes(renders, with_calls(CALL_WITH_FIRST), with_calls(CALL_WITH_FIRST_OTHERWISE))
    if values is None or (values.difference.left, values.difference.right) != (FIRST_VALUE, SECOND_VALUE):
        return found
    prefix = values.difference.prefix
    known = FIRST_ARGUMENT + found.argument[1]
    prefix = prefix.rpartition(known)[2] if known in prefix else prefix
    suffix = values.difference.suffix
    for mark in (found.function_end,) if found.function_end else (found.call[1] or found.section[1],):
        suffix = suffix.partition(mark)[0] if mark else suffix
    return replace(found, value=(_last_marker(prefix), suffix if trimmed(suffix) else ""))


def _name_marks(shown: Difference) -> tuple[str, str]:
    left, right = shown.left, shown.right
    one, other = _around(left, FIRST_ARGUMENT, "X"), _around(right, SECOND_ARGUMENT, "Y")
    if one and other and one == other and one[0]:
        return one
    if not left.startswith(FIRST_ARGUMENT) or not right.startswith(SECOND_ARGUMENT):
        return "", ""
    after = re.search(rf"(?:(?!{MARKER})[\s\S])*{MARKER}{SPACE}", left[len(FIRST_ARGUMENT) :] + shown.suffix)
    return _last_marker(shown.prefix), after[0] if after else ""


def _around(text: str, name: str, value: str) -> tuple[str, str] | None:
    head, found, tail = text.partition(name)
    if not found:
        return None
    ends = [place for mark in ('"', value) if (place := tail.find(mark)) >= 0]
    return head, tail[: min(ends)] if ends else tail


def _last_marker(text: str) -> str:
    """Return the last marker of a text and all that follows it; the whole text where it has none."""
    match = re.search(rf"{MARKER}(?:(?!{MARKER})[\s\S])*\Z", text)
    return match[0] if match else text
