"""Count what the rules find in real files: the Modelfiles of the corpus, and the templates of models."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.lint.document import Document
from modelsmith.lint.run.engine import check

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("library.jsonl", "builtin.jsonl")


def documents(corpus: Path) -> Iterator[Document]:
    """Yield every file of the corpus as lint reads it, without a look at anything else."""
    for path in sorted((corpus / "modelfiles").glob("*.Modelfile")):
        yield Document.parse(path.read_bytes(), path.name)
    for table in TABLES:
        with (corpus / "templates" / table).open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row.get("go"):
                    yield Document.parse(row["go"], f"{row.get('model') or row['name']}.gotmpl")


def hits(corpus: Path) -> Counter[str]:
    """Return how often each rule found something."""
    return Counter(found.code for document in documents(corpus) for found in check(document))
