"""Say for models with both a Go and a Jinja template whether the two render the same, and if not, where they part.

Usage: python benchmarks/pairs.py [FILE.jsonl]

Each line of the file is an object with ``model``, ``go``, ``jinja`` and ``tokens``. Without FILE the corpus beside the
checkout is read (../shared, or where MODELSMITH_SHARED says). Compared are the named conversations under each ``think``,
where the Jinja template takes them; fill-in-the-middle, the empty conversation and images are left out, because no
server asks a Jinja template for the first two, and each puts images in on its own. The token that begins the text is the tokenizer's matter and taken off both sides. The file does
not say which token is the end of the text: where the Jinja template asks for it, the one that makes most prompts equal counts.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith import ChatTemplate, Template
from modelsmith.errors import TemplateError
from modelsmith.template.conversation.named import NAMED, has_thinking, has_tools, is_prefill, is_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith import Conversation

THINKS = (None, True, False)
BEGINNINGS = ("<|begin_of_text|>", "<｜begin▁of▁sentence｜>", "<s>", "<bos>", "<BOS_TOKEN>", "<|startoftext|>")
ENDINGS = ("</s>", "<eos>", "<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<｜end▁of▁sentence｜>", "<|END_OF_TURN_TOKEN|>")  # fmt: skip
SHOWN = 24
TALKS = {name: talk for name, talk in NAMED.items() if talk.turns and not is_suffix(talk) and name != "image"}
PLAIN = ("user", "prompt", "system-user", "turns", "system-turns", "many-turns")
GROUPS = {
    "chat": "plain chat",
    "thinking": "thinking in the history",
    "tools": "tools",
    "prefill": "begun answers",
    "odd": "odd orders and texts",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What both templates made of one conversation; None where one refused it."""

    name: str
    think: bool | None
    go: str | None
    jinja: str | None

    @property
    def group(self) -> str:
        """Which kind of conversation it is."""
        talk = TALKS[self.name]
        if self.name in PLAIN:
            return "chat"
        if is_prefill(talk):
            return "prefill"
        return "tools" if has_tools(talk) else "thinking" if has_thinking(talk) or "think" in self.name else "odd"


def rendered(template: Template | ChatTemplate, talk: Conversation, think: bool | None, eos: str) -> str | None:
    """Return a prompt without the token that begins it; None where the template refuses the conversation."""
    try:
        if isinstance(template, Template):
            prompt = template.render(talk, think)
        else:
            prompt = template.render(talk, think, bos_token="", eos_token=eos)
    except TemplateError:
        return None
    return next((prompt.removeprefix(token) for token in BEGINNINGS if prompt.startswith(token)), prompt)


def outcomes(row: dict[str, Any]) -> list[Outcome]:
    """Return what the two templates of a model make of all conversations."""
    go, jinja = Template.parse(row["go"]), ChatTemplate.parse(row["jinja"])
    cases = list(product(TALKS.items(), THINKS))
    by_go = [rendered(go, talk, think, "") for (_, talk), think in cases]
    best: list[Outcome] = []
    for eos in ENDINGS if "eos_token" in row["jinja"] else ("",):
        found = [
            Outcome(name, think, prompt, rendered(jinja, talk, think, eos))
            for ((name, talk), think), prompt in zip(cases, by_go, strict=True)
        ]
        if not best or _equal(found) > _equal(best):
            best = found
    return best


def _equal(found: list[Outcome]) -> int:
    return sum(each.go is not None and each.go == each.jinja for each in found)


def first_difference(outcome: Outcome) -> str:
    """Say where two prompts part: a little of what they share, and how each goes on."""
    if outcome.go is None or outcome.jinja is None:
        return "the Go template fails"
    both = zip(outcome.go, outcome.jinja, strict=False)
    least = min(len(outcome.go), len(outcome.jinja))
    shared = next((place for place, (one, other) in enumerate(both) if one != other), least)
    before = outcome.go[max(0, shared - 8) : shared]
    ways = [repr(prompt[shared : shared + SHOWN]) for prompt in (outcome.go, outcome.jinja)]
    return f"after {before!r} Go has {ways[0]}, Jinja {ways[1]}"


def smallest(different: list[Outcome]) -> Outcome:
    """Return the difference in the most common kind of conversation that takes the fewest words to show."""
    kinds = list(GROUPS)

    def size(each: Outcome) -> tuple[int, int]:
        return kinds.index(each.group), sum(len(turn.content) + 40 for turn in TALKS[each.name].turns)

    return min(different, key=size)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the models of a file."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main() -> int:
    """Print one line a model, and the totals."""
    shared = Path(os.environ.get("MODELSMITH_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else shared / "corpus" / "templates" / "library.jsonl"
    if not path.is_file():
        print(f"skipped: {path} is not there")
        return 0
    whole: Counter[str] = Counter()
    pairs = 0
    for row in rows(path):
        try:
            found = outcomes(row)
        except TemplateError as error:
            print(f"{row['model']:34} cannot be read: {error}")
            continue
        pairs += 1
        taken = [each for each in found if each.jinja is not None]
        different = [each for each in taken if each.go != each.jinja]
        groups = {each.group for each in different}
        whole.update(["all"] * (not different))
        whole.update(name for name in GROUPS if name not in groups)
        line = f"{row['model']:34} {len(taken) - len(different):3} of {len(taken):3} equal"
        if different:
            one = smallest(different)
            think = "unset" if one.think is None else str(one.think).lower()
            line += f"  {one.name}, think {think}: {first_difference(one)}"
        print(line)
    print(f"\n{pairs} pairs, {len(TALKS)} conversations under {len(THINKS)} values of think")
    for name, label in {**GROUPS, "all": "everything"}.items():
        print(f"  {label:24} the same in {whole[name]:3} pairs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
