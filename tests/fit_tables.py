"""The tables of docs/fit.md, computed: what the page says is what the program says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelsmith.weights.fit.fit import Verdict, estimate, longest_context
from modelsmith.weights.fit.known import SHAPES, KnownShape
from modelsmith.weights.fit.machine import Gpu, Machine
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.settings import FitSettings
from modelsmith.weights.fit.shapes import quantized_model, shape_header, shape_model

GIB = 1 << 30
R1 = tuple(name for name in SHAPES if name.startswith("deepseek-r1:") and name != "deepseek-r1:671b")
CARDS = (8, 12, 16, 24)
CONTEXTS = (4096, 8192, 16384, 32768, 65536, 131072)
FOOTPRINT = 250 << 20  # what gguf-parser-go adds for each card by default

QWEN_72B = KnownShape("qwen2", 80, 8192, 29568, 64, 8, 152064, 32768, "Qwen/Qwen2.5-72B-Instruct config.json")


@dataclass(frozen=True, slots=True)
class Published:
    """A figure of gguf-parser-go's README: the memory of each card in GiB, without flash attention, 2048 / 512 tokens."""

    what: str
    shape: KnownShape
    quantization: str
    context: int
    cards: tuple[float, ...]
    split: tuple[float, ...] = ()


def _published() -> tuple[Published, ...]:
    seven, seventy = SHAPES["deepseek-r1:7b"], SHAPES["deepseek-r1:70b"]
    return (
        Published("DeepSeek-R1-Distill-Qwen-7B Q4_K_M", seven, "Q4_K_M", 131072, (18.89,)),
        Published("Qwen2.5-7B-Instruct Q8_0", seven, "Q8_0", 131072, (21.82,)),
        Published("DeepSeek-R1-Distill-Qwen-7B F16", seven, "F16", 131072, (27.99,)),
        Published("Qwen2.5-72B-Instruct Q4_K_M", QWEN_72B, "Q4_K_M", 32768, (58.18,)),
        Published("Llama 3.3 70B Q4_K_M", seventy, "Q4_K_M", 131072, (95.86,)),
        Published("Llama 3.3 70B Q4_K_M", seventy, "Q4_K_M", 2048, (40.49,)),
        Published("Llama 3.1 70B Q4_K_M, 8:10", seventy, "Q4_K_M", 1024, (17.83, 22.83), (8, 10)),
        Published(
            "Llama 3.1 70B Q4_K_M, 8:10:12:6", seventy, "Q4_K_M", 1024, (9.28, 11.32, 13.19, 7.64), (8, 10, 12, 6)
        ),
    )


def compared() -> Iterator[tuple[Published, tuple[float, ...]]]:
    """Yield each published figure with our own."""
    for each in _published():
        model = quantized_model((shape_header(each.what, each.shape),), each.what, each.quantization)
        settings = FitSettings(
            each.context, flash_attention=False, outputs=512, gpu_layers=1000, tensor_split=each.split
        )
        cards = tuple(Gpu(f"GPU {index}", 1000 * GIB) for index in range(len(each.cards)))
        placed = estimate(model, settings, Machine(cards, overhead=FOOTPRINT)).placement
        yield each, tuple(gpu.total / GIB for gpu in placed.gpus)


def published_table() -> str:
    """Return the comparison with gguf-parser-go."""
    rows = [("model", "context", "gguf-parser-go, GiB a card", "modelsmith", "difference")]
    for each, ours in compared():
        off = ", ".join(f"{mine / theirs - 1:+.1%}" for mine, theirs in zip(ours, each.cards, strict=True))
        theirs = " + ".join(f"{figure:.2f}" for figure in each.cards)
        rows.append((each.what, f"{each.context:,}", theirs, " + ".join(f"{figure:.2f}" for figure in ours), off))
    return _markdown(rows)


def cards_table() -> str:
    """Return the longest context of each R1 distill on a card of 8 to 24 GiB, with a cache in f16 and in q8_0."""
    rows = [("model (Q4_K_M)", "weights", *(f"{card} GiB" for card in CARDS))]
    for name in R1:
        model = shape_model(name)
        cells = (f"{_longest(model, card, 'f16')} / {_longest(model, card, 'q8_0')}" for card in CARDS)
        rows.append((f"`{name}`", f"{model.weights / 1e9:.1f} GB", *cells))
    return _markdown(rows)


def contexts_table() -> str:
    """Return for cards of 16 and 24 GiB how many layers of each R1 distill are on the card at which context."""
    rows = [("model (Q4_K_M)", "card", *(f"{context // 1024}k" for context in CONTEXTS))]
    for name in R1:
        model = shape_model(name)
        for card in (16, 24):
            cells = (_layers(model, card, context) for context in CONTEXTS)
            rows.append((f"`{name}`", f"{card} GiB", *cells))
    return _markdown(rows)


def _layers(model: FitModel, card: int, context: int) -> str:
    fit = estimate(model, FitSettings(context), Machine.of((card * GIB,)))
    return "fits" if fit.verdict is Verdict.WHOLE else f"{fit.placement.gpu_layers}/{fit.placement.all_layers}"


def _longest(model: FitModel, card: int, cache: str) -> str:
    longest = longest_context(model, FitSettings(keys=cache, values=cache), Machine.of((card * GIB,)))
    return f"{longest // 1024}k" if longest else "-"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join((head, "| " + " | ".join("---" for _ in rows[0]) + " |", *body))
