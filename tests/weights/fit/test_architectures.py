"""Which layers have a window or keep a state: as the tables of ``gguf verify`` say, which come from llama.cpp's own sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fit_models import Value, header

from modelsmith.weights.fit.architectures import ARCHITECTURES, Memory
from modelsmith.weights.fit.keys import Keys
from modelsmith.weights.fit.recurrent import recurrent_layers
from modelsmith.weights.fit.window import windows_of
from modelsmith.weights.gguf.verify import needs
from modelsmith.weights.gguf.verify.sizes import Sizes

LAYERS = 64  # that exaone4 has a window with
TABLE = json.loads((Path(needs.__file__).parent / "architectures.json").read_text(encoding="utf-8"))["architectures"]
LETS = {name: row["let"] for name, row in TABLE.items() if row.get("let")}
NOT_HERE = {"deepseek4", "dots3note"}
"""Kinds whose cache is not known here yet."""


def keys_of(architecture: str, **more: Value) -> dict[str, Value]:
    kv = [0 if layer % 3 else 2 for layer in range(LAYERS)] if by_heads(architecture) else 2
    usual: dict[str, Value] = {"block_count": LAYERS, "embedding_length": 256, "feed_forward_length": 512}
    if ARCHITECTURES.get(architecture) and ARCHITECTURES[architecture].one_part_a_layer:
        usual["feed_forward_length"] = [512 if layer % 3 == 1 else 0 for layer in range(LAYERS)]
    usual |= {"attention.head_count": 8, "attention.head_count_kv": kv, "attention.sliding_window": 512}
    return usual | {key.replace("__", "."): value for key, value in more.items()}


def by_heads(architecture: str) -> bool:
    return "head_kv" in LETS[architecture].get("recurrent", "") or "head_kv" in LETS[architecture].get("sliding", "")


PATTERNS: tuple[Value | None, ...] = (None, 3, [layer % 5 != 1 for layer in range(LAYERS)])


def cases() -> Iterator[tuple[str, Value | None, int | None]]:
    """Yield architectures with a pattern and a window that llama.cpp accepts: some need a list, some a window."""
    for architecture in sorted(name for name in LETS if "sliding" in LETS[name] and name not in NOT_HERE):
        rule = LETS[architecture]["sliding"]
        for pattern in PATTERNS:
            takes_list, takes_number = "_pattern[i]" in rule, "_pattern[i]" not in rule or "is_number" in rule
            fits = takes_list or "_pattern" not in rule if isinstance(pattern, list) else takes_number
            if fits and not (pattern is None and takes_list):
                yield architecture, pattern, 512
                if "has_key(attention.sliding_window)" in rule:
                    yield architecture, pattern, None


@pytest.mark.parametrize(("architecture", "pattern", "window"), tuple(cases()))
def test_windows(architecture: str, pattern: Value | None, window: int | None) -> None:
    keys = keys_of(architecture) | ({} if pattern is None else {"attention.sliding_window_pattern": pattern})
    if window is None:
        del keys["attention.sliding_window"]
    gguf = header(architecture, keys, [])
    sizes = Sizes(gguf)
    theirs = [sizes.value("sliding(i)", layer) for layer in range(LAYERS)]
    assert None not in theirs
    read = Keys(gguf.metadata, "m")
    ours = windows_of(read, LAYERS)
    heads = read.per_layer("attention.head_count_kv", LAYERS)
    assert [bool(width and kv) for width, kv in zip(ours, heads, strict=True)] == [
        bool(slides and kv) for slides, kv in zip(theirs, heads, strict=True)
    ]


@pytest.mark.parametrize("architecture", sorted(name for name in LETS if "recurrent" in LETS[name]))
@pytest.mark.parametrize(
    "more", [{}, {"full_attention_interval": 3}, {"attention__recurrent_layers": [1, 0] * (LAYERS // 2)}]
)
def test_states(architecture: str, more: dict[str, Value]) -> None:
    gguf = header(architecture, keys_of(architecture, **more), [])
    sizes, read = Sizes(gguf), Keys(gguf.metadata, "m")
    theirs = [bool(sizes.value("recurrent(i)", layer)) for layer in range(LAYERS)]
    heads = read.per_layer("attention.head_count_kv", LAYERS)
    wide = read.per_layer("feed_forward_length", LAYERS)
    assert list(recurrent_layers(read, heads, wide)) == theirs


def test_every_kind_with_a_window_or_a_state_is_known() -> None:
    windows = {name for name in LETS if "sliding" in LETS[name]} - NOT_HERE
    # phi3 has the key, and its window is none: ``i % 1 < 0``
    assert windows - {name for name, row in ARCHITECTURES.items() if row.window} == {"phi3"}
    mixed = {Memory.BY_HEADS, Memory.BY_INTERVAL}
    assert {name for name in LETS if "recurrent" in LETS[name]} <= {
        name for name, row in ARCHITECTURES.items() if row.memory in mixed
    }
