"""Who sees what for each value of ``think``: the end of the prompt, and where reasoning arrives for each kind of client.

Source: Ollama server/routes.go (ChatHandler), cmd/cmd.go (run asks for thinking where the model can), openai/openai.go,
thinking/parser.go. Where the Jinja template runs, llama.cpp's server splits reasoning by the tags that it finds there, whatever
``think`` says (tried out with answers forced by a grammar), and Ollama passes on what it split (llm/llama_server.go, Chat).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError
from modelsmith.explain.answers import splits, state_word
from modelsmith.models.chat_renderer import tags_in_use
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.conversation.thinking_split import SPACE, is_primed
from modelsmith.template.effective.renderers import PARSERS, RENDERERS
from modelsmith.template.effective.think_rules import think_semantics
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from modelsmith.models.chat_renderer import ChatRenderer
    from modelsmith.models.draft import Draft
    from modelsmith.template.conversation.think import Think

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
"""The chat whose prompt is shown."""

SPLIT, CLOSED, TAGGED, CUT, PLAIN, REFUSED = "split", "closed", "tagged", "cut", "plain", "refused"
"""Where reasoning goes: split from the answer; closed by the prompt, so there is none; into the answer with both tags;
into the answer without the opening tag, which the prompt has; into the answer if the model reasons at all; refused."""

_CHAT = {
    SPLIT: "message.thinking",
    CLOSED: "none, the prompt closes it",
    TAGGED: "content, tags and all",
    CUT: "content, no opening tag",
    PLAIN: "none, or content",
}
_CLI = {
    SPLIT: "shown as thinking",
    CLOSED: "none",
    TAGGED: "answer, tags and all",
    CUT: "answer, no opening tag",
    PLAIN: "none, or answer",
}
_CLOSERS = ("</think>", "<|END_THINKING|>")


@dataclass(frozen=True, slots=True)
class ThinkRow:
    """One value of ``think``.

    ``prompt`` is the whole prompt of one user message ``hello`` (its end alone where code inside Ollama renders), ``error``
    why there is none. ``arrives`` is one of split, closed, tagged, cut, plain, refused; ``cli``, ``chat`` and ``openai``
    say where reasoning arrives in `ollama run`, /api/chat and /v1/chat/completions.
    """

    think: Think
    prompt: str
    error: str
    arrives: str
    cli: str
    chat: str
    openai: str


def think_rows(draft: Draft, engine: ChatRenderer) -> tuple[ThinkRow, ...]:
    """Return what happens for think unset, true and false on the draft's version of Ollama."""
    return tuple(_row(draft, engine, think) for think in THINKS)


def _row(draft: Draft, engine: ChatRenderer, think: Think) -> ThinkRow:
    ollama = resolve(draft.version)
    if not ollama.has("0.9.0") and think is not None:
        never = "Ollama knows no think before 0.9.0"
        return ThinkRow(think, "", never, REFUSED, never, never, never)
    prompt, error, arrives = _asked(draft, engine, think)
    _, _, arrives_cli = _asked(draft, engine, _cli_think(draft, think))
    if not ollama.has("0.11.0") and think is not None:
        openai = "cannot be asked for before 0.11.0"
    elif arrives == SPLIT:
        openai = "message.reasoning" if ollama.has("0.11.0") else "lost (reasoning came with 0.11.0)"
    elif think is False and arrives != REFUSED and not ollama.has("0.12.4"):
        openai = "cannot be switched off before 0.12.4"
    else:
        openai = _CHAT.get(arrives, error)
    return ThinkRow(think, prompt, error, arrives, _CLI.get(arrives_cli, error), _CHAT.get(arrives, error), openai)


def _cli_think(draft: Draft, think: Think) -> Think:
    """Return what `ollama run` sends: true where the model can think and nothing else was said."""
    can = "thinking" in draft.effective.capabilities and resolve(draft.version).has("0.9.0")
    return True if think is None and can else think


def _asked(draft: Draft, engine: ChatRenderer, think: Think) -> tuple[str, str, str]:
    """Return prompt, error, and where reasoning arrives through the API."""
    effective = draft.effective
    can = "thinking" in effective.capabilities
    means = think_semantics(draft.version, can, think, harmony=effective.source == "harmony")
    if means.error:
        return "", f"HTTP 400: {means.error}", REFUSED
    if not engine.renders:
        return _code_inside(draft, means.value)
    try:
        prompt = engine.render(HELLO, means.value)
    except TemplateRenderError as error:
        return "", f"the template fails: {error.message}", REFUSED
    return prompt, "", _arrival(draft, engine, prompt, means.value)


def _code_inside(draft: Draft, value: Think) -> tuple[str, str, str]:
    known = RENDERERS.get(draft.renderer)
    if known is None or not resolve(draft.version).has(known.since):
        return "", f"HTTP 500: unknown renderer {draft.renderer}", REFUSED
    on = known.default_on if value is None else bool(value)
    tail = known.opened if on else known.closed
    if tail.rstrip().endswith(_CLOSERS):
        return tail, "", CLOSED
    return tail, "", _by_parser(draft, value) or (CUT if tail else PLAIN)


def _arrival(draft: Draft, engine: ChatRenderer, prompt: str, value: Think) -> str:
    opening, closing = tags_in_use(engine, prompt)
    if closing and prompt.rstrip(SPACE).endswith(closing):
        return CLOSED
    primed = is_primed(prompt, opening)
    in_content = CUT if primed else TAGGED if opening else PLAIN
    source = draft.effective.source
    if source == "harmony":
        return SPLIT
    if found := _by_parser(draft, value):
        return in_content if found == PLAIN else found
    if engine.jinja is not None:
        return SPLIT if splits(state_word(engine.jinja, value)) else in_content
    if value and all(engine.tags):
        return SPLIT if not primed or resolve(draft.version).has("0.11.7") else CUT
    return in_content


def _by_parser(draft: Draft, value: Think) -> str:
    """Return what a PARSER does with reasoning; ``""`` where none is at work."""
    parser = PARSERS.get(draft.parser)
    if parser is None or not resolve(draft.version).has(parser.since):
        return ""
    if not parser.thinking:
        return PLAIN
    begins_inside = parser.unset or parser.on or parser.off
    splits = parser.unset if value is None else parser.on if value else parser.off
    return SPLIT if splits or (not begins_inside and value is not False) else PLAIN
