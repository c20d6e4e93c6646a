"""GGUFs with a megabyte of header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from megabyte_kinds.gguf_bytes import gguf, number, numbers, string, strings, tensor
from megabyte_kinds.kind import KINDS, LOOP, MB, Kind, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_GGUF = (
    "gguf inspect m.gguf",
    "gguf inspect m.gguf --json",
    "gguf inspect m.gguf --html i.html",
    "gguf verify m.gguf",
    "gguf get m.gguf",
    "gguf set m.gguf general.name x -o o.gguf",
    "gguf hash m.gguf",
    "gguf diff m.gguf n.gguf",
    "gguf canonicalize m.gguf p.gguf",
    "gguf split m.gguf s --max-tensors 500",
    "gguf pair m.gguf n.gguf",
    "gguf quantize m.gguf q.gguf --type Q8_0",
    "explain m.gguf",
    "render m.gguf -u hi",
    "fit m.gguf --vram 8G",
    "diff m.gguf n.gguf",
    "plan import-gguf --set base=./m.gguf",
    "plan force-think --set base=./m.gguf",
    "lint Modelfile",
    "create x -f Modelfile --store st",
    "lora inspect m.gguf",
)


def weights(
    name: str, keys: Callable[[int], list[bytes]], tensors: Callable[[int], list[bytes]] | None = None, data: int = 0
) -> None:
    """Add a GGUF, and another that nearly is it."""

    def make(folder: Path) -> None:
        for path, seed in ((folder / "m.gguf", 0), (folder / "n.gguf", 1)):
            gguf(
                path,
                [string("general.architecture", "llama"), *keys(seed)],
                tensors(seed) if tensors else [],
                bytes(data),
            )
        text(folder, "Modelfile", "FROM ./m.gguf\nTEMPLATE {{ .Prompt }}\n")

    KINDS.append(Kind(f"GGUF: {name}", make, _GGUF))


def _vocabulary(
    tokens: list[str], *, model: str = "gpt2", pre: str = "llama-bpe", merges: list[str] | None = None
) -> list[bytes]:
    keys = [
        string("tokenizer.ggml.model", model),
        string("tokenizer.ggml.pre", pre),
        strings("tokenizer.ggml.tokens", tokens),
        numbers("tokenizer.ggml.token_type", [1] * len(tokens)),
        string("tokenizer.chat_template", LOOP),
    ]
    return keys if merges is None else [*keys, strings("tokenizer.ggml.merges", merges)]


weights("keys", lambda seed: [number(f"a.{seed}.{name}", name) for name in range(45_000)])
weights("long values", lambda seed: [string(f"a.{name}", "x" * 4000 + str(seed)) for name in range(250)])
weights("one long value", lambda seed: [string("general.description", "x" * MB + str(seed))])
weights("a list of numbers", lambda seed: [numbers("a.b", [seed] * 250_000)])
weights("tokens", lambda seed: _vocabulary([f"t{seed}{name}" for name in range(80_000)]))
weights("tokens of marks", lambda seed: _vocabulary([f"<|{name}|>" for name in range(60_000 + seed)]))
weights("long tokens", lambda seed: _vocabulary(["a" * 4000 + str(name) for name in range(250 + seed)]))
weights("one long token", lambda seed: _vocabulary(["a" * (MB + seed)]))
weights("the same token", lambda seed: _vocabulary(["a"] * (100_000 + seed)))
weights("empty tokens", lambda seed: _vocabulary([""] * (100_000 + seed)))
weights("merges", lambda seed: _vocabulary(["a", "b"], merges=[f"a{name} b{seed}" for name in range(60_000)]))
weights("long merges", lambda seed: _vocabulary(["a", "b"], merges=["a " * 2000 for _ in range(250 + seed)]))
weights("spm tokens", lambda seed: _vocabulary([f"▁t{seed}{name}" for name in range(70_000)], model="llama"))
weights(
    "tensors",
    lambda _seed: [],
    lambda seed: [tensor(f"blk.{name}.x{seed}", 32 * name) for name in range(24_000)],
    32 * 24_000,
)
weights(
    "unknown tensors at one place",
    lambda _seed: [],
    lambda seed: [tensor(f"t{seed}.{name}", 0) for name in range(24_000)],
    32,
)
weights(
    "templates", lambda seed: [string(f"tokenizer.chat_template.n{name}", LOOP + str(seed)) for name in range(9_000)]
)
