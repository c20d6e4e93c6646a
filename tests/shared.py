"""Where the recorded answers of the real Ollama and the corpus of real files are, when they are there.

They lie beside the checkout in ``../shared`` (or where MODELSMITH_SHARED says) and are not part of the project.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("MODELSMITH_SHARED") or Path(__file__).resolve().parents[2] / "shared")

needs_shared = pytest.mark.skipif(
    not (SHARED / "conformance").is_dir(), reason="the recorded answers are not beside the checkout (../shared)"
)


def conformance(name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file of recorded answers, e.g. ``conformance("names.jsonl.gz")``."""
    path = SHARED / "conformance" / name
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def corpus(*parts: str) -> Path:
    """Return a path in the corpus of real files, e.g. ``corpus("modelfiles")``."""
    return SHARED.joinpath("corpus", *parts)
