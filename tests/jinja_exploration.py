"""Compare Jinja with a real llama-server on templates that nobody has seen.

    python tests/jinja_exploration.py --templates 500
    python tests/jinja_exploration.py --templates 20 --seed 12345 --kind chats

Each template is served by a process of its own. ``expressions`` are templates of many pieces, each run once; ``chats`` are
chat templates that get every named and every odd conversation, thinking unset, on and off. The seed of each template is printed with what differs
(``--seed`` repeats it). The exit code is 1 where something differs.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import llama_server
from jinja_generator import VALUES, cases_template, chat_template, piece
from odd_conversations import ODD

from modelsmith.errors import TemplateError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED, is_suffix
from modelsmith.template.jinja.engine.program import Program
from modelsmith.template.jinja.messages import messages_for, tools_for
from modelsmith.template.jinja.template import ChatTemplate

PIECES = 40
_TALK = {"messages": [{"role": "user", "content": "Hello, Wörld!"}]}
Difference = tuple[str, Any, Any]


def is_readable(text: str) -> bool:
    """Say whether a piece can be read at all; one that cannot would hide all others of its template."""
    try:
        Program.parse(text)
    except TemplateError:
        return False
    return True


def expressions(seed: int, size: int = PIECES) -> tuple[str, int, list[Difference]]:
    """Compare one template of so many pieces; return it, how many were compared, and what differs."""
    lot = random.Random(seed)
    pieces: list[str] = []
    while len(pieces) < size:
        made = piece(lot)
        if is_readable(made):
            pieces.append(made)
    text = cases_template(pieces)
    given = [{**VALUES, "case": number} for number in range(size)]
    bodies = [{**_TALK, "chat_template_kwargs": each} for each in given]
    template, talk = _loaded(text), Conversation.from_dict(_TALK)
    ours = [_ours(template, talk, None, each) for each in given]
    return text, *_compared(text, bodies, ours, pieces)


def chats(seed: int) -> tuple[str, int, list[Difference]]:
    """Compare one chat template on every named and every odd conversation."""
    text = chat_template(random.Random(seed))
    template = _loaded(text)
    names, bodies, ours = [], [], []
    for name, talk in {**NAMED, **ODD}.items():
        if is_suffix(talk) or any(message.images for message in talk.turns):
            continue
        shape = talk.to_dict()
        for think in (None, True, False):
            extra = {} if think is None else {"chat_template_kwargs": {"enable_thinking": think}}
            bodies.append({"messages": messages_for(shape), "tools": tools_for(shape), **extra})
            names.append(f"{name}/{think}")
            ours.append(_ours(template, talk, think, None))
    return text, *_compared(text, bodies, ours, names)


def _loaded(text: str) -> ChatTemplate | str:
    """Return the template, or why it is not loaded."""
    try:
        return ChatTemplate.parse(text)
    except TemplateError as error:
        return error.message


def _ours(
    template: ChatTemplate | str, talk: Conversation, think: bool | None, variables: dict[str, Any] | None
) -> dict[str, str]:
    if isinstance(template, str):
        return {"refused": template}
    try:
        return {"prompt": template.render(talk, think, variables=variables, **llama_server.TOKENS)}
    except TemplateError as error:
        return {"error": error.message}


def _compared(
    text: str, bodies: list[dict[str, Any]], ours: list[dict[str, str]], names: list[str]
) -> tuple[int, list[Difference]]:
    today = datetime.now().astimezone().date()
    theirs = llama_server.answers(text, bodies)
    if datetime.now().astimezone().date() != today:
        return 0, []
    refused = "refused" in ours[0]
    if theirs is None:
        return 1, [] if refused else [("loading", "not loaded", ours[0])]
    if refused:
        return 1, [("loading", "loaded", ours[0])]
    pairs = list(zip(names, theirs, ours, strict=True))
    return len(pairs), [(name, there, here) for name, there, here in pairs if not _same(there, here)]


def _same(there: dict[str, str], here: dict[str, str]) -> bool:
    """Say whether two answers are one: the same prompt; or we refuse what the server refuses, or does not survive."""
    return there == here if "prompt" in there else "error" in here


def rounds(kind: str, count: int, first: int, pieces: int = PIECES) -> Iterator[tuple[int, str, int, list[Difference]]]:
    """Compare templates, each with the seed after the last one's."""
    for number in range(count):
        chosen = kind if kind != "both" else ("expressions", "chats")[number % 2]
        seed = first + number
        yield seed, *(expressions(seed, pieces) if chosen == "expressions" else chats(seed))


def main() -> int:
    """Read the command line, compare, and print what differs."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--templates", type=int, default=20, help="how many templates (default: 20)")
    words.add_argument("--seed", type=int, help="the seed of the first template, as an earlier run printed it")
    words.add_argument("--kind", choices=["expressions", "chats", "both"], default="both")
    words.add_argument(
        "--pieces", type=int, default=PIECES, help=f"pieces of an expressions template (default: {PIECES})"
    )
    words.add_argument(
        "--show", type=int, default=3, help="how many differences of a template are printed (default: 3)"
    )
    asked = words.parse_args()
    if not llama_server.is_here():
        print(llama_server.MISSING, file=sys.stderr)
        return 2
    first = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**9)
    total = wrong = 0
    for seed, text, count, differences in rounds(asked.kind, asked.templates, first, asked.pieces):
        total += count
        wrong += len(differences)
        if differences:
            print(f"seed {seed}: {len(differences)} of {count} differ\n  {text[:2000]}")
        for name, there, here in differences[: asked.show]:
            print(f"  {name}\n    llama-server {there}\n    modelsmith   {here}")
        sys.stdout.flush()
    print(f"{total - wrong} of {total} cases agree ({asked.templates} templates from seed {first})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
