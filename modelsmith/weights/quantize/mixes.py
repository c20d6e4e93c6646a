"""The mixes that a model can be quantized to, as data: a name, the number that the file says, the type of most tensors.

Sources: llama.cpp ``include/llama.h`` (numbers), ``tools/quantize/quantize.cpp`` (names), ``src/llama-quant.cpp`` (types).
"""

from __future__ import annotations

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.records import dataclass
from modelsmith.weights.gguf.types import TENSOR_TYPES, TensorType


@dataclass(frozen=True, slots=True)
class Mix:
    """One way to quantize: ``type`` is what a tensor gets unless a rule says otherwise; None leaves all as they are."""

    name: str
    file_type: int | None
    type: str | None
    about: str

    @property
    def quantizes(self) -> bool:
        """Whether its tensors become blocks with a scale, and not just floats of another width."""
        return self.type is not None and self.type not in FLOATS


FLOATS = frozenset(("F32", "F16", "BF16"))
"""Tensor types that hold plain numbers."""

TYPES: dict[str, TensorType] = {kind.name: kind for kind in TENSOR_TYPES.values()}
"""Tensor types by name."""

MIXES: dict[str, Mix] = {
    name: Mix(name, number, type_, about)
    for name, number, type_, about in (
        ("F32", 0, "F32", "32 bit floats, the widest"),
        ("F16", 1, "F16", "16 bit floats"),
        ("BF16", 32, "BF16", "16 bit floats with the range of 32 bit ones"),
        ("Q8_0", 7, "Q8_0", "8.5 bits, next to no loss"),
        ("Q6_K", 18, "Q6_K", "6.6 bits, very small loss"),
        ("Q5_K_M", 17, "Q5_K", "5.7 bits, small loss"),
        ("Q5_K_S", 16, "Q5_K", "5.5 bits, small loss"),
        ("Q5_1", 9, "Q5_1", "6 bits, older"),
        ("Q5_0", 8, "Q5_0", "5.5 bits, older"),
        ("Q4_K_M", 15, "Q4_K", "4.9 bits, the usual choice"),
        ("Q4_K_S", 14, "Q4_K", "4.6 bits"),
        ("Q4_1", 3, "Q4_1", "5 bits, older"),
        ("Q4_0", 2, "Q4_0", "4.5 bits, older"),
        ("IQ4_NL", 25, "IQ4_NL", "4.5 bits, better with an importance matrix"),
        ("IQ4_XS", 30, "IQ4_XS", "4.3 bits, better with an importance matrix"),
        ("Q3_K_L", 13, "Q3_K", "4.3 bits, noticeable loss"),
        ("Q3_K_M", 12, "Q3_K", "3.9 bits, noticeable loss"),
        ("Q3_K_S", 11, "Q3_K", "3.5 bits, high loss"),
        ("IQ3_M", 27, "IQ3_S", "3.7 bits, better with an importance matrix"),
        ("IQ3_S", 26, "IQ3_S", "3.4 bits, better with an importance matrix"),
        ("IQ3_XS", 22, "IQ3_S", "3.3 bits, needs an importance matrix"),
        ("IQ3_XXS", 23, "IQ3_XXS", "3.1 bits, needs an importance matrix"),
        ("Q2_K", 10, "Q2_K", "3.2 bits, very high loss"),
        ("Q2_K_S", 21, "Q2_K", "2.8 bits, needs an importance matrix"),
        ("IQ2_M", 29, "IQ2_S", "2.7 bits, needs an importance matrix"),
        ("IQ2_S", 28, "IQ2_XS", "2.5 bits, needs an importance matrix"),
        ("IQ2_XS", 20, "IQ2_XS", "2.4 bits, needs an importance matrix"),
        ("IQ2_XXS", 19, "IQ2_XXS", "2.1 bits, needs an importance matrix"),
        ("IQ1_M", 31, "IQ1_M", "1.9 bits, needs an importance matrix"),
        ("IQ1_S", 24, "IQ1_S", "1.7 bits, needs an importance matrix"),
        ("TQ2_0", 37, "TQ2_0", "2.1 bits, for models trained with ternary weights"),
        ("TQ1_0", 36, "TQ1_0", "1.7 bits, for models trained with ternary weights"),
        ("MXFP4_MOE", 38, "MXFP4", "experts in 4.3 bits, the rest in 8.5"),
        ("COPY", None, None, "every tensor as it is, in llama.cpp's order"),
    )
}
"""The mixes by name, the largest first."""

ALIASES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}


def find_mix(name: str) -> Mix:
    """Return the mix of this name, in any case; raises UsageError with the nearest name for one that is not there."""
    upper = name.strip().upper().replace("-", "_")
    mix = MIXES.get(ALIASES.get(upper, upper))
    if mix is None:
        usual = f"{upper}_K_M" if f"{upper}_K_M" in MIXES else name  # of 4 bits, say, people mean that one
        raise UsageError(
            f'there is no quantization "{name}"{did_you_mean(usual, MIXES)}', hint=f"one of {', '.join(MIXES)}"
        )
    return mix


def find_type(name: str) -> TensorType:
    """Return the tensor type of this name that a tensor can be quantized to; raises UsageError where there is none."""
    kind = TYPES.get(name.strip().upper())
    if kind is None or kind.name not in TARGETS:
        hint = f"one of {', '.join(TARGETS)}"
        if name.strip().upper() in MIXES:
            hint = f"{name} is a mix of several types; for single tensors {hint}"
        raise UsageError(f'there is no tensor type "{name}"{did_you_mean(name, TARGETS)}', hint=hint)
    return kind


TARGETS: tuple[str, ...] = tuple(
    name for name in TYPES if name not in {"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"}
)
"""Tensor types that a tensor can be quantized to."""
