"""The prompt that a model gets for a conversation, cut into pieces of which special tokens stand out."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from modelsmith.errors import ModelsmithError, UsageError
from modelsmith.models.served import PromptRenderer, go_renderer, jinja_renderer, served_by
from modelsmith.playground.given import BARE
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.effective.prompt_tokens import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from modelsmith.playground.given import Given
    from modelsmith.template.conversation.think import Think
    from modelsmith.weights.gguf.tokens.special import SpecialTokens

THINK_STATES: Mapping[str, Think] = {
    "unset": None,
    "true": True,
    "false": False,
    "low": "low",
    "medium": "medium",
    "high": "high",
    "max": "max",
}
"""What a request may say of ``think``, by its name."""

MOST_SHOWN = 200_000
"""Characters of a prompt that are shown."""
_MOST_TALK = 1_000_000


def render(given: Given, talk: Mapping[str, Any], think: str) -> dict[str, Any]:
    """Return the prompt in ``pieces`` (text, and whether it is special), what renders it and why, and what Ollama refuses.

    ``talk`` has the ``name`` of a known conversation, or the ``text`` of one: JSON as a request has it, or what a user says.
    """
    if think not in THINK_STATES:
        raise UsageError(f'"{think:.40}" is no value of think', hint=f"one of {', '.join(THINK_STATES)}")
    conversation = _conversation(talk)
    engine = _engine(given)
    prompt = engine.render(conversation, THINK_STATES[think])
    shown = prompt[:MOST_SHOWN]
    return {
        "pieces": [[text, special] for text, special in cut(shown, given.weights)],
        "length": len(prompt),
        "cut": len(prompt) > len(shown),
        "engine": engine.name,
        "reason": engine.reason,
        "tags": list(engine.thinking_tags),
        "capabilities": sorted(engine.capabilities),
        "refused": engine.refusal(conversation, THINK_STATES[think]),
    }


def cut(prompt: str, weights: Path | None) -> Iterable[tuple[str, bool]]:
    """Yield a prompt in stretches, and whether each is a special token: one of the vocabulary, else what looks like one."""
    known = _special_tokens(weights) if weights is not None else None
    if known is not None:
        yield from known.cut(prompt)
        return
    for special, group in groupby(pieces(prompt), key=lambda piece: piece.kind == "special"):
        if special:
            yield from ((piece.text, True) for piece in group)
        else:
            yield "".join(piece.text for piece in group), False


def conversations() -> list[dict[str, Any]]:
    """Return the known conversations: their names, and the JSON of a request with them."""
    return [
        {"name": name, "text": json.dumps(talk.to_dict(), ensure_ascii=False, indent=2)} for name, talk in NAMED.items()
    ]


def _conversation(talk: Mapping[str, Any]) -> Conversation:
    name, text = talk.get("name"), talk.get("text")
    if isinstance(name, str) and name:
        if name not in NAMED:
            raise UsageError(f'there is no conversation "{name:.60}"', hint=f"one of {', '.join(NAMED)}")
        return NAMED[name]
    if not isinstance(text, str):
        raise UsageError("a conversation is a text", hint="write JSON with messages, or what a user says")
    if len(text) > _MOST_TALK:
        raise UsageError(f"the conversation has {len(text):,} characters; the page takes {_MOST_TALK:,}")
    if not text.lstrip().startswith(("{", "[")):
        return Conversation.from_dict({"messages": [{"role": "user", "content": text}]})
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"the conversation is not JSON: {error.msg} (line {error.lineno}, column {error.colno})",
            hint='write {"messages": [{"role": "user", "content": "…"}]}, or just what a user says',
        ) from error
    except RecursionError as error:
        raise UsageError("the conversation is nested too deeply") from error
    return Conversation.from_dict({"messages": found} if isinstance(found, list) else cast("dict[str, Any]", found))


def _engine(given: Given) -> PromptRenderer:
    if given.kind == "jinja":
        return jinja_renderer(given.text)
    draft, missing = given.draft()
    if missing in ("", BARE) and given.kind == "go":
        return go_renderer(given.text)
    if not missing:
        return served_by(draft, given.name)
    if not draft.modelfile.template:
        raise ModelsmithError(
            f"this Modelfile has no TEMPLATE: its prompt comes from FROM, and {missing}",
            hint="`modelsmith render` shows it on a machine that has the model",
        )
    own = tuple((message.role, message.content) for message in draft.modelfile.messages)
    return replace(go_renderer(draft.modelfile.template), system=draft.modelfile.system or "", messages=own)


@lru_cache(maxsize=2)
def _special_tokens(weights: Path) -> SpecialTokens | None:
    from modelsmith.weights.gguf import GGUFFile
    from modelsmith.weights.gguf.tokens.special import SpecialTokens

    return SpecialTokens.of(GGUFFile.open(weights))
