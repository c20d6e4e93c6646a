"""Count how many chat templates become templates in the other language that are proven equal.

    python benchmarks/convert.py library.jsonl [more.jsonl …]

Each line of the files is a JSON object whose ``jinja`` is a chat template or a list of them, and ``go`` a Go template;
``model`` or ``name`` names it. Every distinct template counts once.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert.proof import QUOTES, SORTS
from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.convert.to_jinja.convert_jinja import to_jinja
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.template.convert.conversion import Conversion


def main(paths: list[str]) -> None:
    """Print one line a template that is not proven, then the counts, for both directions."""
    jinja: dict[str, str] = {}
    go: dict[str, str] = {}
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            name = row.get("model") or row["name"]
            for text in [row["jinja"]] if isinstance(row["jinja"], str) else row["jinja"]:
                jinja.setdefault(text, name)
            go.setdefault(row["go"], name)
    _count("Jinja to Go", jinja, lambda text: to_go(ChatTemplate.parse(text), eos_token="<end>"))
    _count("Go to Jinja", go, lambda text: to_jinja(Template.parse(text)))


def _count(title: str, templates: Mapping[str, str], convert: Callable[[str], Conversion]) -> None:
    counts: Counter[str] = Counter()
    start = perf_counter()
    for text, name in templates.items():
        uses_tools = "tools" in text.lower()
        counts["that name tools"] += uses_tools
        try:
            found = convert(text)
        except ConversionError as error:
            print(f"{name}: {error}")
            continue
        counts["proven without tools"] += found.proven_chat
        counts["proven without tools, no note"] += found.proven_chat and set(found.limits) <= {QUOTES, SORTS}
        counts["proven"] += found.proven
        counts["proven, no note"] += found.proven and not found.limits
        counts["proven that name tools"] += found.proven and uses_tools
        counts.update(f"note: {limit.partition(':')[0]}" for limit in found.limits if found.proven)
        if found.counterexample:
            print(f"{name}: {'with tools' if found.proven_chat else 'without tools'}: {found.counterexample.name}")
    print(f"{title}: {len(templates)} templates in {perf_counter() - start:.1f} s")
    for what, count in sorted(counts.items()):
        print(f"  {what:<72}{count:>4}")


if __name__ == "__main__":
    main(sys.argv[1:])
