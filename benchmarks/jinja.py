"""Jinja chat templates: processor time of our engine beside jinja2's compiled code, in the same run.

jinja2 is set up as transformers does it, and gets each conversation in its own input form. Both print the same prompt (checked; a
template where they do not is left out). Nothing is remembered between renderings.

- "render": ``ChatTemplate.render`` of a template that was loaded before: messages made as Ollama sends them and bent to what the
  template takes, the prompt, and the second rendering by which llama-server finds out whether it can fail.
- "engine": the template's own program alone, on messages that are made already.
- "read": the text read and compiled, as ``from_string`` does in jinja2.
- "load": ``ChatTemplate.parse``, which also tries out what the template takes and how its answers are read, as llama-server does.
- "history": one rendering of 100,000 tokens (of four characters) in a thousand messages, in seconds.

Usage: python benchmarks/jinja.py [seconds a measurement] [FOLDER of .jinja files, or a .jsonl with "jinja" and "model"]
Without a file the corpus beside the checkout is read (../shared, or where MODELSMITH_SHARED says).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2.exceptions import TemplateError as JinjaError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from template import seconds_of

from modelsmith import ChatTemplate, Conversation
from modelsmith.errors import TemplateError
from modelsmith.template.jinja.engine.program import Program
from modelsmith.template.jinja.messages import messages_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOUNDS = {"render": 5.0, "read": 2.0}
HISTORY_SECONDS = 1.0
WORDS = "The harbour opens at high water, and the ferry leaves a little later. "
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def conversation(messages: int, length: int) -> dict[str, Any]:
    """Return a chat of so many messages of so many characters, the user's first and last."""
    text = (WORDS * (length // len(WORDS) + 1))[:length].strip()
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"{n} {text}"} for n in range(messages)]
    return {"messages": [{"role": "system", "content": "You are a pilot."}, *turns]}


TALK = conversation(15, 200)
HISTORY = conversation(1001, 400)


def jinja_environment() -> ImmutableSandboxedEnvironment:
    """Return jinja2 as transformers sets it up."""

    def tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)

    def raise_exception(message: str) -> str:
        raise JinjaError(message)

    found = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    found.filters["tojson"] = tojson
    found.globals["raise_exception"] = raise_exception
    found.globals["strftime_now"] = time.strftime
    return found


def templates(place: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each template, each text once."""
    known: set[str] = set()
    if place.is_dir():
        rows = [(path.stem, path.read_text("utf-8")) for path in sorted(place.rglob("*.jinja"))]
    else:
        found = map(json.loads, place.read_text("utf-8").splitlines())
        rows = [(row["model"], row["jinja"]) for row in found]
    for name, text in rows:
        if text not in known:
            known.add(text)
            yield name, text


def calls(text: str) -> dict[str, Callable[[], object]] | None:
    """Return what is measured of a template; None where the two engines do not print the same."""
    env = jinja_environment()
    try:
        template, peer = ChatTemplate.parse(text), env.from_string(text)
        thinks = template.thinks
        given = {"messages": TALK["messages"], "add_generation_prompt": True, "enable_thinking": thinks, **TOKENS}
        theirs = peer.render(**given)
        ours = template.render(Conversation.from_dict(TALK), thinks, **TOKENS)
    except (TemplateError, JinjaError, TypeError, AttributeError):
        return None
    if ours != theirs:
        return None
    program = template.server.program
    values = {**given, "messages": messages_for(TALK)}
    kept = Conversation.from_dict(TALK)
    return {
        "jinja2": lambda: peer.render(**given),
        "render": lambda: template.render(Conversation(kept.messages), thinks, **TOKENS),
        "engine": lambda: program.run(values),
        "jinja2 read": lambda: env.from_string(text),
        "read": lambda: Program.parse(text)._code,  # noqa: SLF001 - compiled here, as jinja2 does
    }


def seconds_once(call: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def loading_and_history(text: str) -> dict[str, float]:
    """Return the milliseconds to load a template, and the seconds to render a long history."""
    load = min(seconds_once(lambda: ChatTemplate.parse(text)) for _ in range(2))
    template, long = ChatTemplate.parse(text), Conversation.from_dict(HISTORY)
    return {"load": load * 1000, "history": seconds_once(lambda: template.render(long, **TOKENS))}


def main() -> int:
    """Print one line a template and how the ratios are spread; return 1 when a bound is missed."""
    arguments = dict(enumerate(sys.argv[1:]))
    budget = float(arguments.get(0, "0.1"))
    shared = Path(os.environ.get("MODELSMITH_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    place = Path(arguments.get(1, str(shared / "corpus" / "templates" / "library.jsonl")))
    if not place.exists():
        print(f"skipped: {place} is not there")
        return 0
    kinds = ("render", "engine", "read", "load", "history")
    print(f"{'times jinja2':40}" + "".join(f"{kind:>9}" for kind in kinds[:3]) + "   load ms  history s")
    spread: dict[str, list[float]] = {kind: [] for kind in kinds}
    for name, text in templates(place):
        measured = calls(text)
        if measured is None:
            continue
        found = seconds_of(measured, budget)
        row = {
            "render": found["render"] / found["jinja2"],
            "engine": found["engine"] / found["jinja2"],
            "read": found["read"] / found["jinja2 read"],
            **loading_and_history(text),
        }
        for kind, value in row.items():
            spread[kind].append(value)
        print(f"{name[:40]:40}" + "".join(f"{row[kind]:9.2f}" for kind in kinds), flush=True)
    if not spread["render"]:
        print("no template prints the same in both")
        return 0
    for label, pick in (("median", statistics.median), ("worst", max)):
        print(f"{label:40}" + "".join(f"{pick(spread[kind]):9.2f}" for kind in kinds))
    missed = [kind for kind, bound in BOUNDS.items() if max(spread[kind]) > bound]
    missed += ["history"] if max(spread["history"]) > HISTORY_SECONDS else []
    bounds = ", ".join(f"{kind} {bound:g}x" for kind, bound in BOUNDS.items())
    print(f"bounds: {bounds}, history {HISTORY_SECONDS:g} s: {'MISSED: ' + ', '.join(missed) if missed else 'met'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
