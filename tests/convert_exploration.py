"""Convert Jinja templates to Go, and compare the prompts of those that are proven with a real llama-server's.

    python tests/convert_exploration.py FOLDER|FILE.jsonl …  [--conversations 20] [--seed 1]

A folder holds ``.jinja`` files; a line of a file is an object whose ``jinja`` is a template and ``name`` or ``model`` names it.
The conversations are made up and no part of any proof: tools, calls with nested and missing arguments, identifiers, results in
another order, missing or repeated, reasoning, begun answers. Names of parameters and arguments are in order, because Ollama
sorts them before a Go template sees them. The exit code is 1 where something differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import llama_server

from modelsmith.errors import ModelsmithError, TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.messages import messages_for, tools_for
from modelsmith.template.jinja.template import ChatTemplate

_TEXTS = (
    "Aye.",
    "",
    "Two\nlines",
    "x < y & 'z'",
    "{{ .Content }} {% x %}",
    "42",
    '{"a": [1, null]}',
    "né ☃",
    "a </b> c",
)
_THOUGHTS = ("", "", "I look at the table.", "First,\nthen.")
_VALUES: tuple[Any, ...] = (
    "Brest",
    "two\nlines",
    '"q" <b>',
    7,
    -2.5,
    True,
    None,
    [],
    ["a", 1, None],
    {},
    {"deep": {"er": [1, {"x": "y"}]}, "s": "t"},
)
_TYPES = ("string", "integer", "number", "boolean", "array", "object")
Difference = tuple[str, str, str]


def tool(lot: random.Random, name: str) -> dict[str, Any]:
    """Return a tool with a few parameters, their names in order."""
    properties: dict[str, Any] = {}
    for parameter in sorted(lot.sample(("day", "depth", "harbour", "knots", "pilot", "unit"), lot.randint(0, 4))):
        kind = lot.choice(_TYPES)
        made: dict[str, Any] = {"type": kind, "description": lot.choice(("what it is", 'a "name" <b>', "one\ntwo"))}
        if kind == "array":
            made["items"] = {"type": lot.choice(("string", "integer"))}
        if kind == "string" and lot.random() < 0.4:
            made["enum"] = ["one", "two's"]
        if kind == "object":
            inner = {"a": {"type": "string", "description": "inner"}, "b": {"type": "integer"}}
            made |= {"properties": inner, "required": ["a"]}
        properties[parameter] = made
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [each for each in properties if lot.random() < 0.5]:
        parameters["required"] = required
    return {"type": "function", "function": {"name": name, "description": "Look it up", "parameters": parameters}}


def conversation(lot: random.Random) -> Conversation:
    """Return a chat of a few turns, most with tools."""
    offered = [tool(lot, name) for name in lot.sample(("tide", "clock", "ferry", "get_weather"), lot.randint(0, 3))]
    messages: list[dict[str, Any]] = []
    if lot.random() < 0.5:
        messages.append({"role": "system", "content": lot.choice(("Be brief.", "You are a pilot.\nNo <b>."))})
    number = 0
    for turn in range(lot.randint(1, 3)):
        messages.append({"role": "user", "content": f"question {turn}{lot.choice(_TEXTS)}"})
        for _ in range(lot.choice((0, 0, 1, 2)) if offered else 0):
            calls = []
            for _ in range(lot.randint(1, 3)):
                arguments = {
                    name: lot.choice(_VALUES)
                    for name in sorted(lot.sample(("day", "depth", "harbour", "unit"), lot.randint(0, 3)))
                }
                number += 1
                called = {"name": lot.choice(offered)["function"]["name"], "arguments": arguments}
                calls.append({"id": f"call_{number}", "function": called})
            named = lot.random() < 0.8
            if not named:
                for call in calls:
                    del call["id"]
            messages.append(_answer(lot, tool_calls=calls))
            messages += _results(lot, calls)
        if turn or lot.random() < 0.6:
            messages.append(_answer(lot, content=lot.choice(("At six.", *_TEXTS))))
    if messages[-1]["role"] == "assistant" and lot.random() < 0.7:
        messages.append({"role": "user", "content": "And?"})
    return Conversation.from_dict({"messages": messages, **({"tools": offered} if offered else {})})


def _answer(lot: random.Random, content: str | None = None, **more: Any) -> dict[str, Any]:
    thought = lot.choice(_THOUGHTS)
    said = lot.choice(("", "", "I look.")) if content is None else content
    return {"role": "assistant", "content": said, **({"thinking": thought} if thought else {}), **more}


def _results(lot: random.Random, calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [
        {
            "role": "tool",
            "content": f"{lot.choice(_TEXTS)}{place}",
            "tool_name": call["function"]["name"],
            **({"tool_call_id": call["id"]} if "id" in call else {}),
        }
        for place, call in enumerate(calls)
    ]
    match lot.randint(0, 5):
        case 0:
            lot.shuffle(found)
        case 1:
            found.reverse()
        case 2:
            found = found[: lot.randint(0, len(found))]
        case 3:
            found.insert(lot.randint(0, len(found)), lot.choice(found))
        case 4 if len(found) > 1:
            found.reverse()
            found.insert(1, {"role": "user", "content": "Still there?"})
        case _:
            pass
    return found


def compared(chat_template: ChatTemplate, go: Template, count: int, seed: int) -> tuple[int, list[Difference]]:
    """Return how many prompts were compared, and those that differ; what the server refuses does not count."""
    lot = random.Random(seed)
    bodies, ours, names = [], [], []
    thinks = (None, True, False) if "enable_thinking" in chat_template.text else (None,)
    today = datetime.now().astimezone().date()
    for number in range(count):
        talk = conversation(lot)
        think = thinks[number % len(thinks)]
        merged = replace(talk, messages=talk.collated[1]).to_dict()
        extra = {} if think is None else {"chat_template_kwargs": {"enable_thinking": think}}
        bodies.append({"messages": messages_for(merged, reasoning=True), "tools": tools_for(merged), **extra})
        try:
            with today_is(today):
                ours.append(go.render(talk, think))
        except TemplateRenderError as error:
            ours.append(error.message)
        names.append(json.dumps({"think": think, **talk.to_dict()}, ensure_ascii=False))
    theirs = llama_server.answers(chat_template.text, bodies)
    if theirs is None or datetime.now().astimezone().date() != today:
        return 0, []
    found: list[Difference] = []
    total = 0
    for name, there, here in zip(names, theirs, ours, strict=False):
        if "prompt" not in there:
            continue
        total += 1
        there_only, here_only = (
            text.removeprefix(llama_server.TOKENS["bos_token"]) for text in (there["prompt"], here)
        )
        if there_only != here_only:
            found.append((name, there_only, here_only))
    return total, found


def templates(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each distinct template."""
    seen: set[str] = set()
    for path in map(Path, paths):
        if path.is_dir():
            found = [(each.name, each.read_text(encoding="utf-8")) for each in sorted(path.rglob("*.jinja"))]
        else:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            found = [
                (row.get("name") or row["model"], text)
                for row in rows
                for text in ([row["jinja"]] if isinstance(row["jinja"], str) else row["jinja"])
            ]
        for name, text in found:
            if text not in seen:
                seen.add(text)
                yield name, text


def main() -> int:
    """Read the command line, convert, compare, and print what differs."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("paths", nargs="+", metavar="FOLDER|FILE.jsonl")
    words.add_argument("--conversations", type=int, default=20, help="how many for each template (default: 20)")
    words.add_argument("--seed", type=int, default=1, help="of the conversations (default: 1)")
    words.add_argument("--only", default="", metavar="WORD", help="templates whose name has this word")
    words.add_argument(
        "--show", type=int, default=1, help="how many differences of a template are printed (default: 1)"
    )
    asked = words.parse_args()
    if not llama_server.is_here():
        print(llama_server.MISSING, file=sys.stderr)
        return 2
    total = wrong = proven = count = 0
    for name, text in templates(asked.paths):
        if asked.only not in name:
            continue
        count += 1
        try:
            chat_template = ChatTemplate.parse(text)
            conversion = to_go(chat_template, **llama_server.TOKENS)
        except ModelsmithError as error:
            print(f"{name}: {error}")
            continue
        if not conversion.proven or not isinstance(conversion.template, Template):
            print(f"{name}: not proven", flush=True)
            continue
        proven += 1
        compared_here, differences = compared(chat_template, conversion.template, asked.conversations, asked.seed)
        total += compared_here
        wrong += len(differences)
        print(f"{name}: {compared_here - len(differences)} of {compared_here} prompts agree", flush=True)
        for talk, there, here in differences[: asked.show]:
            place = next((at for at in range(len(there)) if there[at : at + 1] != here[at : at + 1]), len(there))
            start = max(0, place - 60)
            print(
                f"  {talk}\n    llama-server {there[start : place + 200]!r}\n    Go           {here[start : place + 200]!r}"
            )
    print(f"{proven} of {count} templates are proven; {total - wrong} of {total} prompts agree (seed {asked.seed})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
