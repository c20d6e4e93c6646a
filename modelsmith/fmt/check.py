"""What a formatted text has to show before anybody gets it: that it is read, and rendered, as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from modelsmith.errors import InjectionError, VerificationFailed
from modelsmith.fmt.actions import tokens
from modelsmith.syntax.modelfile.nodes import Comment, Instruction

if TYPE_CHECKING:
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.syntax.modelfile.nodes import Node


def check_modelfile(before: Modelfile, after: Modelfile, values: dict[int, str]) -> None:
    """Raise VerificationFailed where Ollama would read another thing in ``after``, or where a comment is lost.

    ``values`` are the values that may differ, by the number of their node: templates, checked already.
    """
    old = [_meaning(node, values.get(number)) for number, node in enumerate(before.nodes)]
    new = [_meaning(node) for node in after.nodes]
    if old != new:
        place = next(
            (n for n, (was, now) in enumerate(zip(old, new, strict=False)) if was != now), min(len(old), len(new))
        )
        failed(f"what is read in its part {place + 1}")
    was, now = before.as_ollama(), after.as_ollama()
    if (was.error is None) != (now.error is None) or (was.error and was.error != now.error):
        failed("whether Ollama accepts it")


def _meaning(node: Node, value: str | None = None) -> tuple[str, ...]:
    if isinstance(node, Instruction):
        name, args = node.command
        return "instruction", node.keyword, node.name, name, args if value is None else value
    return "comment" if isinstance(node, Comment) else "unreadable", node.text.rstrip(" \t")


def check_template(before: str, after: str) -> None:
    """Raise VerificationFailed unless two templates have the same tokens and render the named conversations alike."""
    from modelsmith.template.conversation.named import NAMED
    from modelsmith.template.edit.prove import Renderings, prove, prove_same_reading, same_prompt
    from modelsmith.template.go.template import Template
    from modelsmith.template.outcomes import TooSlow

    if [token[:3] for token in tokens(before)] != [token[:3] for token in tokens(after)]:
        failed("the template")
    old, new = Template.parse(before), Template.parse(after)
    try:
        prove_same_reading(old, new)
        prove(Renderings(old), Renderings(new), same_prompt, NAMED)
    except TooSlow:
        raise
    except InjectionError as error:
        failed(f"the prompt: {error.message}")


def failed(what: str) -> NoReturn:
    """Raise the error for a formatter that is wrong."""
    raise VerificationFailed(
        f"formatting would have changed {what}",
        hint="nothing was written; this is a bug in modelsmith: report the file",
    )
