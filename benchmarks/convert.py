"""Count how many Jinja chat templates become Go templates that are proven equal.

    python benchmarks/convert.py library.jsonl [more.jsonl …]

Each line of the files is a JSON object whose ``jinja`` is a chat template or a list of them; ``model`` or ``name`` names it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter

from modelsmith.errors import ConversionError
from modelsmith.template.convert import to_go
from modelsmith.template.jinja import ChatTemplate


def main(paths: list[str]) -> None:
    """Print one line a template that is not proven, then the counts."""
    templates: dict[str, str] = {}
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for text in [row["jinja"]] if isinstance(row["jinja"], str) else row["jinja"]:
                templates.setdefault(text, row.get("model") or row["name"])
    counts: Counter[str] = Counter()
    start = perf_counter()
    for text, name in templates.items():
        try:
            found = to_go(ChatTemplate.parse(text), eos_token="<end>")
        except ConversionError as error:
            print(f"{name}: {error}")
            continue
        counts["without tools"] += found.proven_chat
        counts["all"] += found.proven
        counts["without tools, no limits"] += found.proven_chat and not found.limits
        counts["all, no limits"] += found.proven and not found.limits
        counts["print tools"] += "tools" in text
        counts["print tools, all"] += found.proven and "tools" in text
        if found.counterexample:
            print(f"{name}: {'with tools' if found.proven_chat else 'without tools'}: {found.counterexample.name}")
    print(f"{len(templates)} templates in {perf_counter() - start:.1f} s; proven equal:")
    for what, count in sorted(counts.items()):
        print(f"  {what:<28}{count:>4}")


if __name__ == "__main__":
    main(sys.argv[1:])
