"""Where the assistant's turn opens: which conversations open one, and the generation prompt that a template prints there.

A conversation opens an assistant turn if its last message is a user's, or a tool's where the template handles tools.
What a legacy template (``.Prompt`` and ``.Response``) is given is less than the conversation: Ollama keeps the last system
text, prompt and response, and drops tool messages and empty answers. There the turn is open if no answer is pending and
the prompt is the last word; conversations that leave the same three texts are the same conversation.

Source: Ollama template/template.go (Execute).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.patterns import regex
from modelsmith.syntax.gotemplate.nodes import Branch, Field, Variable
from modelsmith.template.conversation.conversation import Conversation

if TYPE_CHECKING:
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template

_TOOL_BRANCH = regex(r"\b(?:eq|ne)\b[^{}]*[\"`]tool[\"`]")
_MARK = "xq7zAQuestionz7qx"
"""A message that no template contains, and no function of a template escapes."""

_PROBES = tuple(
    Conversation.from_dict({"messages": messages})
    for messages in (
        [{"role": "user", "content": _MARK}],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": _MARK}],
        [
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": _MARK},
        ],
    )
)


class Pending(NamedTuple):
    """What Ollama hands to the last rendering of a legacy template."""

    system: str
    prompt: str
    response: str


def handles_tools(template: Template) -> bool:
    """Say whether a template shows tools, their calls, or has a branch of its own for the role ``tool``."""
    return bool({"tools", "toolcalls"} & set(template.variables)) or bool(_TOOL_BRANCH.search(template.text))


def opens_turn(template: Template, conversation: Conversation) -> bool:
    """Say whether this template has to open an assistant turn for this conversation."""
    if conversation.prompt and conversation.suffix:
        return False
    if template.is_legacy:
        left = pending(conversation)
        return not left.response and (bool(left.prompt) or not left.system)
    role = conversation.turns[-1].role if conversation.turns else ""
    return role == "user" or (role == "tool" and handles_tools(template))


def pending(conversation: Conversation) -> Pending:
    """Return what Ollama's legacy loop leaves for the last rendering."""
    system = prompt = response = ""
    for message in conversation.collated[1]:
        if (message.role == "system" and (prompt or response)) or (message.role == "user" and response):
            system = prompt = response = ""
        if message.role == "system":
            system = message.content
        elif message.role == "user":
            prompt = message.content
        elif message.role == "assistant":
            response = message.content
    return Pending(system, prompt, response)


def generation_prompt(template: Template, think: Think = None) -> str:
    """Return what the template prints after the last user message of a chat.

    Raises InjectionError where there is no such text, saying why.
    """
    failures: list[str] = []
    shown = False
    for probe in _PROBES:
        try:
            prompt = template.render(probe, think)
        except TemplateRenderError as error:
            failures.append(error.message)
            continue
        _, found, tail = prompt.rpartition(_MARK)
        shown |= bool(found)
        if found and (tail or _places_response(template)):
            return tail
    if len(failures) == len(_PROBES):
        raise InjectionError(
            f"the template renders no conversation: {failures[0]}",
            hint="repair the template first; see `modelsmith render`",
        )
    if not shown:
        raise InjectionError(
            "the template never shows the user's message, so it opens no assistant turn",
            hint="it is no chat template (a fixed text, an embedding or a ranking template); give the model another one",
        )
    raise InjectionError(
        "the template has no generation prompt: nothing follows the user's message",
        hint="write a template that opens the assistant's turn, e.g. with the tags that the model was trained on",
    )


def _places_response(template: Template) -> bool:
    """Say whether a legacy template says itself where the response goes."""
    return template.is_legacy and _names_response(template)


def _names_response(template: Template) -> bool:
    from modelsmith.syntax.gotemplate.tree import walk

    for item in walk(template.tree.root):
        pipeline = getattr(item, "pipeline", None)
        if pipeline is None or isinstance(item, Branch):
            continue
        for command in pipeline.commands:
            if any(isinstance(part, Field | Variable) and "Response" in part.names for part in command.operands):
                return True
    return False
