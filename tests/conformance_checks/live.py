"""Ask a real llama-server and compare: loading, prompts, refusals and splits of real templates, on recorded and on odd conversations.

Each check of a lot of templates returns what agrees, how many there are, and what differs. The server is asked once a template;
with a folder to keep answers in, once and for all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import llama_server
from conformance_checks.gotemplate import THINKS, Difference, Outcome, conversations
from conformance_checks.jinja import outcome_of_split, own_reason, reason
from odd_conversations import ODD
from shared import conformance

from modelsmith.errors import TemplateError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.jinja.messages import messages_for, tools_for
from modelsmith.template.jinja.template import ChatTemplate

LEVELS = {**THINKS, "high": "high"}
"""What ``think`` the odd conversations are tried with."""
FORCED = (
    *("ANSWER", "THOUGHT</think>ANSWER", "<think>THOUGHT</think>ANSWER", "<think>\nTHOUGHT\n</think>\n\nANSWER"),
    *("<|channel>thought\nTHOUGHT<channel|>ANSWER", "<|START_THINKING|>THOUGHT<|END_THINKING|><|START_RESPONSE|>ANSWER"),
    *("<seed:think>THOUGHT</seed:think>ANSWER", "[THINK]THOUGHT[/THINK]ANSWER", "THOUGHT\n[BEGIN FINAL RESPONSE]\nANSWER"),
    "<|channel|>analysis<|message|>THOUGHT<|end|><|start|>assistant<|channel|>final<|message|>ANSWER",
    *("<|inner_prefix|>THOUGHT<|inner_suffix|>ANSWER", "◁think▷THOUGHT◁/think▷ANSWER", "<think></think>ANSWER", "<think>THOUGHT"),
    *("\n\nTHOUGHT\n</think>\n\nANSWER", "  ANSWER \n", "<think>A</think><think>B</think>ANSWER", "</think>ANSWER"),
    *('<tool_call>{"name": "f", "arguments": {}}</tool_call>', "ANSWER</think>AGAIN</think>END", "<thinking>A</thinking>B"),
)  # fmt: skip
"""Answers that the model is made to give to a chat of one message."""
_NOT_FOR_JINJA = {"image", "prompt-suffix"}
"""Conversations that a text model's Jinja template is not asked."""
KINDS = ("loading", "prompts", "refusals", "splits", "odd prompts", "odd refusals")


def checks(lots: Mapping[str, Mapping[str, str]], keep: Path | None) -> dict[str, Callable[[], Outcome]]:
    """Return a check for each lot of templates and each kind of answer."""
    compared = cache(lambda lot: _compared(lots[lot], keep))

    def check(lot: str, kind: str) -> Outcome:
        pairs = [(name, there, here) for found, name, there, here in compared(lot) if found == kind]
        differences = [pair for pair in pairs if pair[1] != pair[2]]
        return len(pairs) - len(differences), len(pairs), differences

    return {f"{lot} ({kind})": (lambda lot=lot, kind=kind: check(lot, kind)) for lot, kind in product(lots, KINDS)}


def _compared(templates: Mapping[str, str], keep: Path | None) -> list[tuple[str, *Difference]]:
    return [
        (kind, f"{name}/{case}", there, here)
        for name, text in templates.items()
        for kind, case, there, here in compared(text, keep)
    ]


def compared(text: str, keep: Path | None = None) -> Iterable[tuple[str, *Difference]]:
    """Yield the kind and name of each case of one template, what the server answered, and what we say."""
    named = conversations()
    recorded = [row for row in conformance("jinja-bodies.jsonl") if row["conv"] not in _NOT_FOR_JINJA]
    user = {THINKS[row["think"]]: row["body"] for row in recorded if row["conv"] == "user"}
    odd = [(name, think, odd_body(ODD[name], LEVELS[think])) for name, think in product(ODD, LEVELS)]
    forced = list(product(user, FORCED))
    bodies = [*(row["body"] for row in recorded), *(body for _, _, body in odd)]
    bodies += [llama_server.forced(user[think], answer) for think, answer in forced]
    asked_at, theirs = _answers(text, bodies, keep)
    try:
        template = ChatTemplate.parse(text)
    except TemplateError as error:
        yield "loading", "", theirs is not None, error.message if theirs is not None else False
        return
    yield "loading", "", theirs is not None, True
    if theirs is None:
        return
    talks = [("", row["conv"], row["think"], named[row["conv"]], THINKS[row["think"]]) for row in recorded]
    talks += [("odd ", name, think, ODD[name], LEVELS[think]) for name, think, _ in odd]
    for (kind, name, said, talk, think), there in zip(talks, theirs, strict=False):
        ours = rendered(template, talk, think, asked_at)
        if "prompt" in there:
            yield f"{kind}prompts", f"{name}/{said}", there, ours
        elif "died" in there:
            yield f"{kind}refusals", f"{name}/{said}", there, there if "error" in ours else ours
        else:
            yield f"{kind}refusals", f"{name}/{said}", reason(there["error"]), own_reason(ours)
    for (think, answer), there in zip(forced, theirs[len(talks) :], strict=True):
        yield (
            "splits",
            f"{think}/{answer!r}",
            {"error": True} if "error" in there else there,
            outcome_of_split(template, answer, think),
        )


def odd_body(talk: Conversation, think: bool | str | None) -> dict[str, Any]:
    """Return the request that Ollama makes of a conversation."""
    shape = talk.to_dict()
    body: dict[str, Any] = {"messages": messages_for(shape)}
    if shape.get("tools"):
        body["tools"] = tools_for(shape)
    if think is not None:
        body["chat_template_kwargs"] = {"enable_thinking": bool(think)}
        if isinstance(think, str):
            body["chat_template_kwargs"]["reasoning_effort"] = think
    return body


def rendered(template: ChatTemplate, talk: Conversation, think: bool | str | None, now: datetime) -> dict[str, str]:
    """Return our prompt, or our refusal."""
    try:
        return {"prompt": template.render(talk, think, now=now, **llama_server.TOKENS)}
    except TemplateError as error:
        return {"error": error.message}


def _answers(
    text: str, bodies: list[dict[str, Any]], keep: Path | None
) -> tuple[datetime, list[llama_server.Answer] | None]:
    """Return when the server was asked and what it answered."""
    known = hashlib.sha256(json.dumps([llama_server.PEER, text, bodies]).encode()).hexdigest()
    path = keep / f"{known}.json" if keep else None
    if path is not None and path.is_file():
        row = json.loads(path.read_text("utf-8"))
        return datetime.fromisoformat(row["asked"]), row["answers"]
    now = datetime.now().astimezone()
    found = llama_server.answers(text, bodies)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"asked": now.isoformat(), "answers": found}, ensure_ascii=False), "utf-8")
    return now, found
