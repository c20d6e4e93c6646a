"""``modelsmith render``: the prompt that a model really gets to read."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli import render_view
from modelsmith.cli.options import json_option, store_option
from modelsmith.errors import ModelNotFound, ModelsmithError, TemplateError, TemplateSyntaxError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.recipe.draft import Draft
    from modelsmith.source import Source
    from modelsmith.template.conversation import Conversation
    from modelsmith.template.inject_code import Think

_TEMPLATES = frozenset((".gotmpl", ".jinja", ".jinja2", ".tmpl"))
THINK = {"unset": None, "true": True, "false": False, "low": "low", "medium": "medium", "high": "high", "max": "max"}


@dataclass(frozen=True, slots=True)
class Engine:
    """What renders: ``name`` as in EffectiveTemplate.source, and what can be said about it.

    ``system`` and ``messages`` are the model's own, which Ollama puts in front of every conversation.
    """

    name: str
    render: Callable[[Conversation, Think], str]
    thinking_tags: tuple[str, str]
    capabilities: frozenset[str]
    reason: str = ""
    weights: Path | None = None
    system: str = ""
    messages: tuple[tuple[str, str], ...] = ()

    def served(self, talk: Conversation) -> Conversation:
        """Return the conversation with what the model says first (server/routes.go: ChatHandler, GenerateHandler)."""
        request = talk.to_dict()
        given = request["messages"] or ([{"role": "user", "content": talk.prompt}] if talk.prompt else [])
        own = [{"role": role, "content": content} for role, content in self.messages]
        if not given or (talk.prompt and talk.suffix) or not (own or self.system):
            return talk
        if self.system and given[0]["role"] != "system":
            own.insert(0, {"role": "system", "content": self.system})
        return type(talk).from_dict(request | {"messages": own + given})


@click.command("render")
@click.argument("source", metavar="FILE|MODEL")
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
    "--engine", type=click.Choice(["go", "jinja"]), help="Render with this template even where the other one runs."
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
    target_ollama: str | None,
    where: str | None,
    as_json: bool,
) -> int:
    r"""Print the prompt that FILE (a Modelfile, .gotmpl, .jinja, .gguf) or MODEL makes of a conversation.

    \b
    Examples:
      modelsmith render deepseek-r1:8b --user hello
      modelsmith render Modelfile --chat chat.json --tools tools.json --think false --json
      modelsmith render template.gotmpl -s "Be brief." -u hello
    """
    talk = read_conversation(conversation, user, system, tools)
    try:
        found = find_engine(source, engine, where, target_ollama)
        prompt = found.render(found.served(talk), THINK[think])
    except TemplateError as error:
        if not as_json:
            if isinstance(error, TemplateSyntaxError) and (place := _place(error, source)):
                render_view.show_syntax_error(error, *place)
                return error.exit_code
            raise
        click.echo(json.dumps({"error": error.message}, ensure_ascii=False))
        return 1
    if as_json:
        answer: dict[str, Any] = {
            "prompt": prompt,
            "engine": found.name,
            "thinking_tags": list(found.thinking_tags),
            "capabilities": sorted(found.capabilities),
        }
        if (count := render_view.token_count(prompt, found.weights)) is not None:
            answer["tokens"] = count
        click.echo(json.dumps(answer, ensure_ascii=False))
        return 0
    if sys.stdout.isatty():
        render_view.show_prompt(prompt, found.weights)
        click.echo(f"engine: {found.name}{f' ({found.reason})' if found.reason else ''}", err=True)
    else:
        click.echo(prompt, nl=False)
    return 0


def _place(error: TemplateSyntaxError, source: str) -> tuple[Source, int] | None:
    """Return the file that a template stands in, and where it begins there; None where it is not in a file."""
    path = Path(source)
    if error.offset is None and error.line is None:
        return None
    if path.suffix in _TEMPLATES:
        return render_view.source_of(path, None)
    if not path.is_file():
        return None
    from modelsmith.syntax.modelfile import Modelfile

    try:
        template = Modelfile.parse(path.read_bytes()).template
    except OSError:
        return None
    return render_view.source_of(path, template) if template else None


def read_conversation(
    path: Path | None, user: tuple[str, ...], system: str | None, tools: Path | None = None
) -> Conversation:
    """Read a conversation from a JSON file or build it from texts; raises UsageError for both or neither."""
    from modelsmith.template.conversation import Conversation

    if path is not None and (user or system is not None):
        raise UsageError("--conversation and --user/--system exclude each other", hint="put the messages into the file")
    if path is None:
        if not user:
            raise UsageError("there is nothing to render", hint='give --conversation FILE or --user "hello"')
        messages = [{"role": "system", "content": system}] if system is not None else []
        given: Any = {"messages": messages + [{"role": "user", "content": text} for text in user]}
    else:
        given = _read_json(path, "conversation", "a JSON object with the key messages")
        given = {"messages": given} if isinstance(given, list) else given
    if tools is not None:
        offered = _read_json(tools, "list of tools", "a JSON list of tools, as in a request of /api/chat")
        given = {**given, "tools": offered} if isinstance(given, dict) else given
    try:
        return Conversation.from_dict(given)
    except ModelsmithError as error:
        raise UsageError(f"{path}: {error.message}" if path else error.message, hint=error.hint) from error


def _read_json(path: Path, what: str, hint: str) -> Any:
    try:
        return json.loads(_stdin() if str(path) == "-" else path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}", hint="name a file, or - for stdin"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}", hint=f"a {what} is {hint}") from error


def _stdin() -> str:
    return "" if sys.stdin is None else sys.stdin.read()  # None: whoever started this program closed it


def find_engine(source: str, engine: str | None, where: str | None, version: str | None) -> Engine:
    """Return what renders for ``source``; raises TemplateError, UsageError or ModelNotFound."""
    path = Path(source)
    if path.suffix in _TEMPLATES:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{source} cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{source} is not UTF-8: {error.reason} at byte {error.start}") from error
        return _jinja(text) if path.suffix.startswith(".jinja") else _go(text)
    return _model(source, engine, where, version)


def _go(text: str) -> Engine:
    from modelsmith.template.capabilities import capabilities
    from modelsmith.template.template import Template

    template = Template.parse(text)
    return Engine("go", template.render, template.thinking_tags, capabilities(go_template=template))


def _jinja(text: str, bos_token: str = "", eos_token: str = "") -> Engine:
    from modelsmith.template.capabilities import capabilities
    from modelsmith.template.jinja import ChatTemplate

    chat_template = ChatTemplate.parse(text)
    return Engine(
        "jinja",
        lambda conversation, think: chat_template.render(conversation, think, bos_token=bos_token, eos_token=eos_token),
        (chat_template.reasoning.opening.strip(), chat_template.reasoning.closing.strip()),
        capabilities(chat_template=chat_template),
    )


def _model(source: str, engine: str | None, where: str | None, version: str | None) -> Engine:
    from modelsmith.recipe.base import resolve_base
    from modelsmith.recipe.draft import Draft
    from modelsmith.store.open import open_store
    from modelsmith.syntax.modelfile import Modelfile

    try:
        draft = Draft.start(resolve_base(source, open_store(where), Path.cwd()), version)
    except ModelNotFound:
        # A Modelfile whose FROM is not here still says what its own TEMPLATE renders.
        path = Path(source)
        if not path.is_file() or not (modelfile := Modelfile.parse(path.read_bytes())).template:
            raise
        own = tuple((message.role, message.content) for message in modelfile.messages)
        return replace(_go(modelfile.template), system=modelfile.system or "", messages=own)
    return replace(_engine(source, engine, draft), system=draft.system, messages=draft.messages)


def _engine(source: str, engine: str | None, draft: Draft) -> Engine:
    if engine == "go" or (engine is None and draft.effective.source in {"go", "parser", "default"}):
        go = _go(draft.template_text or "{{ .Prompt }}")
        effective = draft.effective
        name = "go" if engine == "go" else effective.source
        return Engine(
            name, go.render, go.thinking_tags, effective.capabilities, effective.reason, draft.inherited.weights
        )
    if engine == "jinja" or draft.effective.source == "jinja":
        if draft.chat_template is None:
            raise UsageError(f"{source} has no Jinja template inside its GGUF", hint="leave out --engine jinja")
        inherited = draft.inherited
        jinja = _jinja(draft.chat_template.text, inherited.bos_token, inherited.eos_token)
        effective = draft.effective
        return Engine(
            "jinja", jinja.render, jinja.thinking_tags, effective.capabilities, effective.reason, inherited.weights
        )
    raise ModelsmithError(
        f"{source}: {draft.effective.reason}",
        hint="that code is inside Ollama; --engine go shows what TEMPLATE alone renders",
    )
