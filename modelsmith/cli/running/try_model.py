"""``modelsmith try``: ask a model something."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.running.options import RunOptions, run_options
from modelsmith.cli.shared.complete import complete_models_or_files
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.options import json_option, store_for
from modelsmith.cli.shared.progress import progress_bars
from modelsmith.cli.text.render import THINK
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from modelsmith.engines.choose import Choice
    from modelsmith.engines.protocol import Request

MAX_INPUT = 16 << 20


@click.command("try")
@click.argument("words", nargs=-1, metavar="[MODEL] [TEXT]...", shell_complete=complete_models_or_files)
@click.option("--think", type=click.Choice(list(THINK)), default="unset", show_default=True, help="The think value.")
@click.option("--system", "-s", metavar="TEXT", help="A system prompt instead of the model's own.")
@click.option(
    "--conversation",
    "-c",
    type=click.Path(path_type=Path),
    metavar="C.json",
    help="Messages and tools instead of TEXT; - is stdin.",
)
@click.option(
    "--tools",
    type=click.Path(path_type=Path),
    metavar="TOOLS.json",
    help="A list of tools that the model may call, as in a request.",
)
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Ask these two models instead of MODEL, and show the answers side by side.",
)
@click.option("--quiet", "-q", is_flag=True, help="No statistics.")
@run_options
@json_option
def command(
    options: RunOptions,
    words: tuple[str, ...],
    think: str,
    system: str | None,
    conversation: Path | None,
    tools: Path | None,
    compare: tuple[str, str] | None,
    quiet: bool,
    as_json: bool,
) -> int:
    r"""Ask MODEL (a model's name, a .gguf, a Modelfile, hf://…, or a server's URL) TEXT, or chat with it where there is none.

    The answer goes to stdout; what the model thinks, and how fast it was, to stderr. What did not fit into the context is told.

    \b
    Examples:
      modelsmith try deepseek-r1:8b "Why is the sky blue?"
      modelsmith try ./model.gguf "hello" --think false -p num_ctx=8192
      modelsmith try qwen3:8b --on http://127.0.0.1:8080 "hello" --json
      modelsmith try --compare qwen3:8b qwen3-think:8b "17 * 23?"
    """
    from modelsmith.cli.shared.conversation_file import read_conversation
    from modelsmith.engines.protocol import Request
    from modelsmith.template.conversation.conversation import Conversation

    if not words and compare is None:
        raise UsageError("there is no model to ask", hint="modelsmith try MODEL TEXT")
    names, texts = (compare, words) if compare is not None else (words[:1], words[1:])
    is_asked = conversation is not None and not texts
    text = None if is_asked else _text(texts, can_chat=not as_json and compare is None)
    chats = text is None and not is_asked
    talk = Conversation()
    if not chats:
        talk = read_conversation(conversation, (text,) if text is not None else (), system, tools)
    request = Request(talk, THINK[think], options.options)
    if compare is not None:
        from modelsmith.cli.running.compare import show_both

        return show_both([_choice(options, name) for name in names], names, request, as_json=as_json)
    choice = _choice(options, names[0])
    try:
        if chats:
            from modelsmith.cli.running.chat import Chat

            Chat(choice, request, system, quiet, _tools(tools)).run()
        else:
            _once(choice, names[0], request, quiet=quiet, as_json=as_json)
    finally:
        choice.engine.close()
    return 0


def _choice(options: RunOptions, name: str) -> Choice:
    from modelsmith.engines.choose import choose_engine

    with progress_bars() as progress:
        choice = choose_engine(options.wish(name, store_for(options.where, name), progress))
    for note in choice.notes:
        click.echo(f"note: {printable(note)}", err=True)
    return choice


def _once(choice: Choice, name: str, request: Request, *, quiet: bool, as_json: bool) -> None:
    from modelsmith.cli.running.ask import ask, asked_json, show_remarks
    from modelsmith.cli.running.model_text import AnswerWriter, json_text

    if as_json:
        click.echo(json_text(asked_json(name, choice.engine.location, ask(choice, request))))
        return
    writer = AnswerWriter()
    try:
        asked = ask(choice, request, lambda piece: writer.write(piece.text, is_reasoning=piece.is_reasoning))
    finally:
        writer.end()
    show_remarks(asked, quiet=quiet)


def _text(texts: tuple[str, ...], *, can_chat: bool) -> str | None:
    """Return the question: the words, or what stdin holds; None where that is a terminal to chat on."""
    if texts and texts != ("-",):
        return " ".join(texts)
    if sys.stdin is not None and not (sys.stdin.isatty() and not texts):
        text = sys.stdin.read(MAX_INPUT + 1)
        if len(text) > MAX_INPUT:
            raise UsageError(f"stdin holds more than {MAX_INPUT:,} characters", hint="no model reads that much")
        if text.strip():
            return text
    elif can_chat and sys.stdin is not None:
        return None
    raise UsageError("there is nothing to ask", hint='give a text: modelsmith try MODEL "hello"')


def _tools(path: Path | None) -> list[object]:
    from modelsmith.cli.shared.conversation_file import read_conversation

    return list(read_conversation(None, ("",), None, path).tools) if path is not None else []
