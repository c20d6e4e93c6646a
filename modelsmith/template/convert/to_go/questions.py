"""What a Go template asks for to tell one text from another: the facts of ``convert_observe`` as conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.template.convert.to_go.tree import Branch, Test

_QUESTIONS = {
    "first": "eq $i 0",
    "begins": 'or (not $i) (and (eq $i 1) (eq (index $.Messages 0).Role "system"))',
    # the last message, or the one before an answer that is begun: llama-server renders what comes before that
    "asked": "or $last (and (eq (len (slice $.Messages $i)) 2)"
    ' (eq (index $.Messages (len (slice $.Messages 1))).Role "assistant"))',
    "output": "$output",
    "ever": "$ever",
    "last": "$last",
    "last_user": "eq $i $lastUser",
    "after_last_user": "gt $i $lastUser",
    "user": "ge $lastUser 0",
    "tools": "$.Tools",
    "said": ".Content",
    "thinking": ".Thinking",
    "unsaid": "and $last .Thinking (not .Content)",
}


def question(test: Test, *, kept: bool) -> str:
    """Return the condition that is true where a fact has this value; ``kept``: the system text is in a variable."""
    name, value = test
    if name == "think":
        return "$.Think" if value == "on" else "and $.IsThinkSet (not $.Think)"
    if name == "system":
        return "$system" if kept else "$.System"
    if test == ("role", "calls"):
        return "gt (len .ToolCalls) 0"
    if name == "previous":
        return f'eq $previous "{value}"' if value else "not $previous"
    if name == "spoken":
        return f'eq $spoken "{value}"'
    return f'eq .Role "{value}"' if name == "role" else _QUESTIONS[name]


def holds(tree: Branch, *, kept: bool) -> str:
    """Return the condition under which a tree says "yes"."""
    asked = question(tree.test, kept=kept)
    yes, no = (side if isinstance(side, str) else holds(side, kept=kept) for side in (tree.yes, tree.no))
    if yes == "yes":
        return asked if no == "" else f"or ({asked}) ({no})"
    if yes == "":
        return negated(asked) if no == "yes" else f"and ({negated(asked)}) ({no})"
    if no in {"yes", ""}:
        return f"and ({asked}) ({yes})" if no == "" else f"or ({negated(asked)}) ({yes})"
    return f"or (and ({asked}) ({yes})) (and ({negated(asked)}) ({no}))"


def negated(question: str) -> str:
    """Return the condition that holds where ``question`` does not."""
    if question.startswith("eq "):
        return f"ne {question[3:]}"
    if question.startswith("not "):
        return question[4:]
    return f"not {question}" if " " not in question else f"not ({question})"
