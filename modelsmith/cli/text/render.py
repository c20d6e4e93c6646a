"""``modelsmith render``: the prompt that a model really gets to read."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.complete import complete_models_or_files
from modelsmith.cli.shared.conversation_file import ShapeError, read_conversation, show_shape_error
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.cli.shared.template_place import show_render_error, show_template_error
from modelsmith.cli.text import render_view
from modelsmith.errors import ModelsmithError, TemplateRenderError, TemplateSyntaxError, UsageError

if TYPE_CHECKING:
    from modelsmith.template.conversation.conversation import Conversation

_WORD = re.compile(r"\w+")
_ROLES = ("system", "user", "assistant", "tool")
THINK = {"unset": None, "true": True, "false": False, "low": "low", "medium": "medium", "high": "high", "max": "max"}


_CONVERSATION = {
    "messages": ("the messages are the conversation's", "give them with --user, or with --chat C.json"),
    "tools": ("the tools are the conversation's", "give them with --tools TOOLS.json, or in the file of --chat"),
}


def _variables(given: tuple[str, ...], think: str, engine: str | None) -> dict[str, Any]:
    """Return the variables that are given as ``NAME=VALUE``; raises UsageError for what is none, or cannot be one."""
    found: dict[str, Any] = {}
    for variable in given:
        name, equals, value = variable.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--var {variable}: that is no NAME=VALUE", hint="write it so: --var reasoning_effort=low")
        if name in _CONVERSATION:
            reason, way_out = _CONVERSATION[name]
            raise UsageError(f"--var {name}: {reason}, and this would replace them", hint=way_out)
        if name == "add_generation_prompt" and engine != "transformers":
            raise UsageError(
                "--var add_generation_prompt: llama-server sets it itself, whatever a request says",
                hint="end the conversation with a message of the assistant to have it continued, or use --engine transformers",
            )
        if think != "unset" and (
            name == "enable_thinking" or (name == "reasoning_effort" and isinstance(THINK[think], str))
        ):
            raise UsageError(
                f"--think {think} and --var {name}: both say how the model thinks", hint="leave out one of them"
            )
        if name in found:
            raise UsageError(f"--var {name} is given twice", hint="leave out one of them")
        try:
            found[name] = json.loads(value, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            found[name] = value
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


@click.command("render")
@click.argument("source", metavar="FILE|MODEL", shell_complete=complete_models_or_files)
@click.option(
    "--conversation",
    "--chat",
    "-c",
    "conversation",
    type=click.Path(path_type=Path),
    metavar="C.json",
    help="Messages, tools, or prompt and suffix; - is stdin.",
)
@click.option(
    "--tools",
    type=click.Path(path_type=Path),
    metavar="TOOLS.json",
    help="A list of tools, as in a request; instead of the conversation's own.",
)
@click.option("--user", "-u", multiple=True, metavar="TEXT", help="A user's message, instead of a file.")
@click.option("--system", "-s", metavar="TEXT", help="A system message in front of --user.")
@click.option(
    "--think", type=click.Choice(list(THINK)), default="unset", show_default=True, help="The request's think value."
)
@click.option(
    "--engine",
    type=click.Choice(["go", "jinja", "transformers"]),
    help="Render with this template even where the other one runs; transformers: Jinja as transformers and vLLM run it.",
)
@click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable of a Jinja template (chat_template_kwargs); VALUE is JSON, else text.",
)
@click.option("--target-ollama", metavar="VERSION", help="The Ollama that serves the model. Default: the newest known.")
@store_option
@json_option
def command(
    source: str,
    conversation: Path | None,
    tools: Path | None,
    user: tuple[str, ...],
    system: str | None,
    think: str,
    engine: str | None,
    variables: tuple[str, ...],
    target_ollama: str | None,
    where: str | None,
    as_json: bool,
) -> int:
    r"""Print the prompt that FILE (a Modelfile, .gotmpl, .jinja, .gguf) or MODEL makes of a conversation.

    \b
    Examples:
      modelsmith render deepseek-r1:8b --user hello
      modelsmith render Modelfile --chat chat.json --tools tools.json --json
      modelsmith render template.gotmpl -s "Be brief." -u hello
      modelsmith render chat.jinja -u hello --var reasoning_effort=low \
        --engine transformers
    """
    from modelsmith.models.served import find_renderer
    from modelsmith.models.vocabulary import token_count

    try:
        talk = read_conversation(conversation, user, system, tools)
        found = find_renderer(
            source, store_for(where, source), Path.cwd(), engine, target_ollama, _variables(variables, think, engine)
        )
        prompt = found.render(talk, THINK[think])
        refused = found.refusal(talk, THINK[think])
    except ModelsmithError as error:
        if isinstance(error, ShapeError):
            error.is_shown = show_shape_error(error)
        elif isinstance(error, TemplateSyntaxError):
            error.is_shown = show_template_error((source,), where)
        elif isinstance(error, TemplateRenderError):
            error.is_shown = show_render_error(error, source, where)
        raise
    vanished = _vanished(talk, prompt)
    if as_json:
        answer: dict[str, Any] = {
            "prompt": prompt,
            "engine": found.name,
            "thinking_tags": list(found.thinking_tags),
            "capabilities": sorted(found.capabilities),
        }
        if (count := token_count(prompt, found.weights)) is not None:
            answer["tokens"] = count
        if refused:
            answer["refused"] = refused
        if vanished:
            answer["vanished"] = vanished
        if found.unheard:
            answer["unheard"] = list(found.unheard)
        click.echo(json.dumps(answer, ensure_ascii=False))
        return 0
    if sys.stdout.isatty():
        render_view.show_prompt(prompt, found.weights)
        click.echo(f"engine: {found.name}{f' ({found.reason})' if found.reason else ''}", err=True)
    else:
        click.echo(prompt, nl=False)
    for note in (*vanished, *found.unheard):
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {printable(note)}", err=True)
    if refused:
        click.echo(
            f"note: Ollama refuses this request (HTTP 400: {refused}); the prompt is what the template makes of it",
            err=True,
        )
    return 0


def _vanished(talk: Conversation, prompt: str) -> list[str]:
    """Say which messages the template leaves out: it prints what it knows, and drops the rest silently."""
    from modelsmith.diagnostic import did_you_mean

    notes = []
    for number, message in enumerate(talk.messages, 1):
        words = _WORD.findall(message.content)
        if words and not any(word in prompt for word in words):
            guess = did_you_mean(message.role, _ROLES)
            whose = (
                f"is of the role {message.role}"
                if message.role in _ROLES
                else f'has the unknown role "{message.role}"{guess}'
            )
            notes.append(f"message {number} {whose}: nothing of it is in the prompt")
    return notes
