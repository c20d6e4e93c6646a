"""A chat with a model, line by line."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.running.ask import ask, show_remarks
from modelsmith.cli.running.model_text import AnswerWriter
from modelsmith.cli.shared.failure import show_error
from modelsmith.errors import ModelsmithError

if TYPE_CHECKING:
    from modelsmith.engines.choose import Choice
    from modelsmith.engines.protocol import AnswerPiece, Request
    from modelsmith.template.conversation.think import Think

_HELP = """\
  /think, /nothink   let the model reason, or not
  /clear             forget what was said
  /bye               leave; so does Ctrl-D. Ctrl-C ends an answer
  \"\"\"                begins and ends a text of several lines"""


@dataclass
class Chat:
    """What was said so far; ``request`` holds the rest of what is asked, ``tools`` those that are offered."""

    choice: Choice
    request: Request
    system: str | None = None
    quiet: bool = False
    tools: list[Any] = field(default_factory=list)
    said: list[dict[str, str]] = field(default_factory=list)

    def run(self) -> None:
        """Read and answer until the user leaves."""
        with suppress(ImportError):
            import readline  # noqa: F401 - makes lines editable
        click.echo(click.style("/? for help", dim=True), err=True)
        while (text := _read()) is not None:
            word = text.strip()
            if word in {"/bye", "/exit", "/quit"}:
                return
            if word.startswith("/"):
                self._command(word)
            elif word:
                self._answer(text)

    def _command(self, word: str) -> None:
        thinks: dict[str, Think] = {"/think": True, "/nothink": False}
        if word in thinks:
            self.request = replace(self.request, think=thinks[word])
        elif word == "/clear":
            self.said.clear()
        else:
            click.echo(_HELP, err=True)

    def _answer(self, text: str) -> None:
        from modelsmith.template.conversation.conversation import Conversation

        self.said.append({"role": "user", "content": text})
        system = [{"role": "system", "content": self.system}] if self.system else []
        conversation = Conversation.from_dict({"messages": [*system, *self.said], "tools": self.tools})
        writer, parts = AnswerWriter(), list[str]()

        def show(piece: AnswerPiece) -> None:
            writer.write(piece.text, is_reasoning=piece.is_reasoning)
            if not piece.is_reasoning:
                parts.append(piece.text)

        try:
            asked = ask(self.choice, replace(self.request, conversation=conversation), show)
        except KeyboardInterrupt:
            writer.end()
            click.echo(click.style("interrupted", dim=True), err=True)
        except ModelsmithError as error:
            writer.end()
            show_error(error)
            self.said.pop()
            return
        else:
            writer.end()
            show_remarks(asked, quiet=self.quiet)
        self.said.append({"role": "assistant", "content": "".join(parts)})


def _read() -> str | None:
    """Return what the user says next, None at the end; what stands between three quotes may have several lines."""
    try:
        text = input(">>> ")
        if not text.lstrip().startswith('"""'):
            return text
        text = text.lstrip().removeprefix('"""')
        while not text.rstrip().endswith('"""'):
            text += "\n" + input("... ")
        return text.rstrip().removesuffix('"""')
    except EOFError:
        click.echo(err=True)
        return None
    except KeyboardInterrupt:
        click.echo(err=True)
        return ""
