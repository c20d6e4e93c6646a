"""Go templates: processor time of one rendering beside the pure Python peer ``gotpl`` in the same run, and time to parse one.

All sides print the same prompt of the same conversation (checked), with templates that were parsed before:

- gotpl gets its own input form: plain dicts, system texts taken out, each message with the fields the template asks for,
  tools and arguments already written as JSON. For a legacy template it renders each turn, the last one with a shorter text.
- "bare" is modelsmith's engine alone on that same data, made Go's values once.
- "render" is the whole ``Template.render``: which path Ollama takes, messages collated and made Ollama's structs, tools
  written as JSON, a legacy template turn by turn, bytes that are no UTF-8 replaced. Its conversation is new each time, so
  nothing it keeps for later renderings helps.
- "again" renders one conversation for the second time, as proofs over many templates do.
- "request" reads the JSON of a request too, checked in all its parts.

The bound holds for "bare" and for "render". Usage: python benchmarks/template.py [seconds a measurement]
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from template_cases import CASES, RANGE

from modelsmith import Conversation, Template
from modelsmith.syntax.gotemplate.tree import parse
from modelsmith.template.go.evaluate.program import Program
from modelsmith.template.go.functions.functions import BUILTINS
from modelsmith.template.go.state import State
from modelsmith.template.go.values.ollama import json_value
from modelsmith.template.go.values.values import NO_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from template_cases import Case

FASTER = 3.0
PARSE_MS = 3.0
NAMES = ("bare", "render", "again", "request")


def seconds_of(calls: dict[str, Callable[[], object]], budget: float) -> dict[str, float]:
    """Return the processor time of each call: the best of samples of about a millisecond, which noise hits least.

    The calls take turns, so a slow spell of the machine hits all of them alike.
    """
    clock = time.process_time
    counts = {}
    for name, call in calls.items():
        call()
        start = clock()
        call()
        counts[name] = max(1, int(0.001 / max(clock() - start, 1e-9)))
    best = dict.fromkeys(calls, float("inf"))
    end = clock() + budget * len(calls)
    while clock() < end:
        for name, call in calls.items():
            start = clock()
            for _ in range(counts[name]):
                call()
            best[name] = min(best[name], (clock() - start) / counts[name])
    return best


def own(case: Case) -> dict[str, Callable[[], str]]:
    """Return the ways in which modelsmith makes the prompt of a case."""
    programs = {
        one.text: Program(one.text, parse(one.text).templates, BUILTINS, missing=NO_VALUE) for one in case.passes
    }
    passes = [(programs[one.text], json_value(one.data)) for one in case.passes]
    template, kept = Template.parse(case.text), Conversation.from_dict(case.request)

    def bare() -> str:
        out: list[str] = []
        for program, data in passes:
            program.run(State(out.append, data))
        return "".join(out)

    return {
        "bare": bare,
        "render": lambda: template.render(Conversation(kept.messages, kept.tools, has_tools=True)),
        "again": lambda: template.render(kept),
        "request": lambda: template.render(Conversation.from_dict(case.request)),
    }


def peer(case: Case) -> dict[str, Callable[[], str]]:
    """Return how gotpl makes the prompt of a case; nothing where it is not installed."""
    try:
        import gotpl
    except ImportError:
        return {}
    templates = {one.text: gotpl.Template(one.text) for one in case.passes}
    passes = [(templates[one.text], one.data) for one in case.passes]
    return {"gotpl": lambda: "".join([template.render(data) for template, data in passes])}


def print_renderings(budget: float) -> bool:
    """Print one line a template: the times, and how many times as long gotpl takes; return whether the bounds are met."""
    print(f"{'µs':9}" + "".join(f"{name:>9}" for name in (*NAMES, "gotpl")) + "   gotpl / bare, render")
    met = True
    for case in CASES:
        calls = own(case) | peer(case)
        same = len({call() for call in calls.values()}) == 1
        found = seconds_of(calls, budget)
        line = f"{case.label:9}" + "".join(f"{found[name] * 1e6:9.1f}" for name in (*NAMES, "gotpl") if name in found)
        if "gotpl" in found:
            ratios = [found["gotpl"] / found[name] for name in NAMES[:2]]
            is_met = same and min(ratios) >= FASTER
            met = met and is_met
            line += f"   {ratios[0]:6.1f}x {ratios[1]:6.1f}x  (bound {FASTER:.0f}x: {'met' if is_met else 'MISSED'})"
        print(line + ("" if same else "  the prompts differ!"))
    if "gotpl" not in calls:
        print("gotpl is not installed, so nothing can be compared with it: pip install gotpl")
    return met


def print_parsing(budget: float) -> bool:
    """Print how long a template of 3 kB takes to parse: anew, not out of the cache; return whether the bound is met."""
    text = (RANGE * (3000 // len(RANGE))).ljust(3000, ".")
    seconds = seconds_of({"parse": lambda: parse(text)}, budget)["parse"]
    met = seconds * 1000 < PARSE_MS
    verdict = "met" if met else "MISSED"
    print(f"\nparse    {len(text)} characters: {seconds * 1000:.2f} ms  (bound {PARSE_MS:.0f} ms: {verdict})")
    return met


def main() -> int:
    """Print both tables; return 1 when a bound is missed."""
    budget = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    met = [print_renderings(budget), print_parsing(budget)]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
