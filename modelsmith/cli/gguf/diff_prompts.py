"""What two GGUFs' chat templates make of the named conversations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.outcomes import Outcome
    from modelsmith.weights.gguf.file import GGUFFile

_TAIL = 200


@dataclass(frozen=True, slots=True)
class Prompt:
    """One conversation under one ``think`` value, as both templates print it; an error begins with ``error: ``."""

    name: str
    think: Think
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Prompts:
    """All prompts of two templates that are not the same text; ``different`` are those that differ."""

    total: int
    different: tuple[Prompt, ...]
    note: str = ""

    def data(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        rows = [
            {"conversation": prompt.name, "think": prompt.think, "a": prompt.a, "b": prompt.b}
            for prompt in self.different
        ]
        return {"rendered": self.total, "different": rows, "note": self.note}

    def show(self) -> None:
        """Print how many prompts differ, and the shortest."""
        click.secho("chat template", bold=True)
        if self.note:
            click.echo(f"  {printable(self.note)}")
        click.echo(f"  {len(self.different)} of {self.total} prompts differ")
        if self.different:
            one = min(self.different, key=lambda prompt: len(prompt.a) + len(prompt.b))
            click.echo(f"  {one.name}, think {one.think}:")
            click.echo(click.style(f"    - {printable(one.a[-_TAIL:])!r}", fg="red"))
            click.echo(click.style(f"    + {printable(one.b[-_TAIL:])!r}", fg="green"))


def compare_prompts(a: GGUFFile, b: GGUFFile) -> Prompts | None:
    """Render both templates; None where both files have the same one and the same tokens, or none has any."""
    from modelsmith.errors import TemplateError
    from modelsmith.template.conversation.named import NAMED
    from modelsmith.template.jinja.template import ChatTemplate
    from modelsmith.template.outcomes import Outcomes, compared

    if _renders(a) == _renders(b):
        return None
    if not a.chat_template or not b.chat_template:
        return Prompts(0, (), f"only {(a if a.chat_template else b).path.name} has one")
    sides: list[Callable[[Conversation, Think], Outcome]] = []
    for gguf in (a, b):
        try:
            template, (bos, eos) = ChatTemplate.parse(gguf.chat_template or ""), _tokens(gguf)
            sides.append(Outcomes(partial(template.render, bos_token=bos, eos_token=eos)))
        except TemplateError as error:
            return Prompts(0, (), f"that of {gguf.path.name} has an error: {error.message}")
    found = [
        Prompt(pair.name, pair.think, _text(pair.before), _text(pair.after))
        for pair in compared(sides[0], sides[1], NAMED)
    ]
    return Prompts(len(found), tuple(prompt for prompt in found if prompt.a != prompt.b))


def _text(outcome: Outcome) -> str:
    return f"error: {outcome.error}" if outcome.error else outcome.prompt


def _renders(gguf: GGUFFile) -> tuple[str | None, str, str]:
    return (gguf.chat_template, *(_tokens(gguf) if gguf.chat_template else ("", "")))


def _tokens(gguf: GGUFFile) -> tuple[str, str]:
    """Return the texts of BOS and EOS; whether the tokenizer adds them is not the template's doing."""
    from modelsmith.weights.gguf.tokens.ends import text_ends

    ends = text_ends(gguf)
    return ends["bos_token"], ends["eos_token"]
