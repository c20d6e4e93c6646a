"""Results of calls in the order of the calls, as llama-server puts them for some families before it renders a chat.

Within each run of users' and tools' messages the results change places among themselves: sorted by the place of the call that
they name, one that names none as if it named the first.

Source: llama.cpp common/chat.cpp (deepseek_v4_sort_tool_results).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Loop
from modelsmith.template.convert.translate.values.values import Go, cannot, number

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.code.go_code import Code
    from modelsmith.template.convert.translate.state import State
    from modelsmith.template.convert.translate.values.values import Thing

MOVED = frozenset({"content", "name", "tool_call_id"})
"""The members of a result that are those of another one at its place."""


def begin(state: State, messages: Thing, message_name: str) -> None:
    """Let a loop over messages begin, whose message is the variable ``message_name``; raises ConversionError for a part of the chat."""
    if messages.expression != "$messages" or messages.reversed:
        raise cannot("results in the order of their calls, in a part of the chat")
    state.results[message_name] = False


def looked_at(state: State, message: Thing) -> None:
    """Take note that a message is looked at that may be a result; raises ConversionError where its place is not known."""
    if state.decided(f'eq {message.expression}.Role "tool"') is False:
        return
    if message.expression not in state.results:
        raise cannot("a result by its place, where results are put in the order of their calls,")
    state.results[message.expression] = True


def in_order(state: State, message_name: str, place: str) -> Code:
    """Return the code that puts the result that belongs at ``place`` into the variable ``message_name``; none where it does not matter."""
    if not state.results.pop(message_name):
        return ()
    first, calls, before, passed, key = map(state.fresh, ("first", "calls", "before", "passed", "key"))
    turn = 'or (eq .Role "user") (eq .Role "tool")'
    last_calls = (
        Do(f"{first} = 0"),
        Do(f"{calls} = slice {message_name}.ToolCalls 0 0"),
        Loop(
            f"$at, $_ := slice $messages 0 {place}",
            "",
            (
                Cond(f"not ({turn})", (Do(f"{first} = {number(Go('$at', 'int', 1))}"),)),
                Cond('and (eq .Role "assistant") .ToolCalls', (Do(f"{calls} = .ToolCalls"),)),
            ),
        ),
    )
    count = (
        Do(f"{before} = 0"),
        Loop(
            f"slice $messages {first} {place}",
            "",
            (Cond('eq .Role "tool"', (Do(f"{before} = {number(Go(before, 'int', 1))}"),)),),
        ),
    )
    names = Loop(f"$at, $_ := {calls}", "", (Cond("and .ID (eq .ID $result.ToolCallID)", (Do(f"{key} = $at"),)),))
    taken = (
        Cond(f"eq {passed} {before}", (Do(f"{message_name} = $result"),)),
        Do(f"{passed} = {number(Go(passed, 'int', 1))}"),
    )
    result = (Do(f"{key} = 0"), names, Cond(f"eq {key} $call", taken))
    chosen = (
        Do(f"{passed} = 0"),
        Loop(
            f"$call, $_ := {calls}",
            "",
            (
                Loop(
                    f"$_, $result := slice $messages {first}",
                    "",
                    (Cond(f"not ({turn})", (Do("break"),)), Cond('eq .Role "tool"', result)),
                ),
            ),
        ),
    )
    return (Cond(f'eq {message_name}.Role "tool"', (*last_calls, Cond(calls, (*count, *chosen)))),)
