"""Where an answer ends: the tokens that end generation by themselves, and the stop strings that a template needs.

Source: Ollama server/model.go; llama.cpp's texts are in ``template/end_tokens.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError
from modelsmith.models.vocabulary import in_vocabulary
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.effective.end_tokens import NOT_THE_END, ends_by_itself
from modelsmith.template.jinja.engine.values.texts import shared_start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.models.chat_renderer import ChatRenderer
    from modelsmith.models.draft import Draft

ENDING_ROLES = ("eos", "eot", "eom")
"""The special tokens of a GGUF that end an answer."""

_HELLO, _ANSWER, _QUESTION = "xq7zHelloz7qx", "xq7zAnAnswerz7qx", "xq7zAQuestionz7qx"
_MARKER = re.compile(r"<[^<>\s]{1,60}>|\[/?[A-Z_]{2,40}\]|\[\|[^\[\]|\s]{1,60}\|\]")


@dataclass(frozen=True, slots=True)
class EndToken:
    """A text at which an answer should end.

    ``roles`` say who names it: ``eos``, ``eot`` or ``eom`` of the GGUF, ``template`` if it closes the assistant's turn
    there. ``one_token`` is None where the vocabulary is not at hand; ``ends``: generation ends there without a stop string;
    ``stop``: it is one of the model's stop strings.
    """

    text: str
    roles: tuple[str, ...]
    one_token: bool | None
    ends: bool | None
    stop: bool

    @property
    def missing(self) -> bool:
        """Whether nothing ends the answer here."""
        return not self.stop and self.ends is False


@dataclass(frozen=True, slots=True)
class Stops:
    """The model's stop strings against the texts at which its answers should end; ``notes`` are findings."""

    configured: tuple[str, ...]
    tokens: tuple[EndToken, ...]
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The texts that need a stop string and have none."""
        return tuple(token.text for token in self.tokens if token.missing)


def find_stops(draft: Draft, engine: ChatRenderer) -> Stops:
    """Compare the stop strings of a draft with the vocabulary and with what closes the assistant's turn in the template."""
    stop = draft.parameters.get("stop", ())
    configured = (stop,) if isinstance(stop, str) else tuple(str(text) for text in stop)
    specials = _special_tokens(draft)
    roles: dict[str, list[str]] = {}
    for role in ENDING_ROLES:
        if specials and (text := specials.get(role)):
            roles.setdefault(text, []).append(role)
    if closing := closing_marker(engine):
        roles.setdefault(closing, []).append("template")
    known = in_vocabulary(draft, {*roles, *configured}.union(*NOT_THE_END)) if specials is not None else None
    tokens = tuple(_token(text, tuple(by), known, text in configured) for text, by in roles.items())
    return Stops(configured, tokens, tuple(_notes(draft, engine, configured, tokens, known)))


def closing_marker(engine: ChatRenderer) -> str:
    """Return the marker that closes an assistant's turn in the history; ``""`` where the template writes none."""
    if not engine.renders:
        return ""
    said = (("user", _HELLO), ("assistant", _ANSWER), ("user", _QUESTION))
    messages = [{"role": role, "content": content} for role, content in said]
    try:
        prompt = engine.render(Conversation.from_dict({"messages": messages}), None)
    except TemplateRenderError:
        return ""
    before, found, rest = prompt.partition(_ANSWER)
    between = rest.partition(_QUESTION)[0] if found else ""
    opens_user = between[len(between) - shared_start(before.partition(_HELLO)[0][::-1], between[::-1]) :]
    closing = between.removesuffix(opens_user) or (between if len(_MARKER.findall(between)) > 1 else "")
    match = _MARKER.match(closing.lstrip())
    # What begins the whole prompt begins the next turn here: this turn was left open.
    return match[0] if match and not before.lstrip().startswith(match[0]) else ""


def _token(text: str, roles: tuple[str, ...], known: frozenset[str] | None, stop: bool) -> EndToken:
    named = bool({*roles} & {*ENDING_ROLES})
    one_token = None if known is None else text in known
    ends = True if named else None if known is None else text in known and ends_by_itself(text, known)
    return EndToken(text, roles, one_token, ends, stop)


def _notes(
    draft: Draft,
    engine: ChatRenderer,
    configured: tuple[str, ...],
    tokens: tuple[EndToken, ...],
    known: frozenset[str] | None,
) -> list[str]:
    notes = []
    for token in tokens:
        if token.one_token is False and "template" in token.roles:
            notes.append(
                f"the template closes turns with {token.text}, which is not one token of this vocabulary: "
                "the model was probably not trained with this template"
            )
        if token.missing:
            notes.append(f'nothing stops at {token.text}: add PARAMETER stop "{token.text}"')
        elif token.ends is None and not token.stop:
            notes.append(f"{token.text} may need a stop string: the vocabulary is not at hand")
    cutting = sorted({*configured} & {*engine.tags} - {""})
    notes.extend(f'the stop string "{text}" cuts the answer at its reasoning' for text in cutting)
    if known is not None and not any({*token.roles} & {*ENDING_ROLES} for token in tokens):
        notes.append("the GGUF names no end-of-sequence token (tokenizer.ggml.eos_token_id)")
    unknown_eos = "eos_token" in engine.text and not engine.ends["eos_token"]
    if engine.renders and not unknown_eos and not any("template" in token.roles for token in tokens):
        notes.append(
            "the template closes the assistant's turns with no marker: only the model's own end token can end an answer"
        )
    if not tokens and not configured and draft.inherited.weights is None:
        notes.append("the weights are not at hand, so the tokenizer's end-of-turn tokens are unknown")
    return notes


def _special_tokens(draft: Draft) -> Mapping[str, str] | None:
    """Return the special tokens' texts by role; None where the weights cannot be read here."""
    from modelsmith.weights.convert.weights import open_weights

    if draft.inherited.weights is None:
        return None
    with open_weights(draft.inherited.weights) as gguf:
        return {role: token.text for role, token in gguf.special_tokens.items()}
