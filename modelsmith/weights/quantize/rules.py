"""Which type each tensor of a model gets in a mix: more bits where a loss hurts most.

Source of the rules: llama.cpp ``src/llama-quant.cpp`` (llama_tensor_get_type_impl, tensor_type_fallback,
tensor_requires_imatrix).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.weights.quantize.mixes import TYPES, Mix
from modelsmith.weights.quantize.roles import Role, role_of

if TYPE_CHECKING:
    from modelsmith.weights.gguf.read.tensors import Tensor
    from modelsmith.weights.quantize.facts import ModelFacts

_BLOCK = re.compile(r"blk\.(\d{1,9})\.")
_TINY = frozenset(("IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ1_S", "IQ1_M"))
_OUTPUT_IN_Q5_K = _TINY | {"IQ3_XXS"}
_EMBEDDINGS = (
    dict.fromkeys(("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M"), "Q2_K")
    | dict.fromkeys(("IQ2_S", "IQ2_M", "IQ3_XXS"), "IQ3_S")
    | dict.fromkeys(("TQ1_0", "TQ2_0"), "Q4_K")
)
_KEYS_AND_QUERIES = {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}
_OUTPUTS = {"Q2_K": "Q3_K", "IQ3_XXS": "IQ3_S", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}
_OUTPUTS_OF_EIGHT = frozenset(
    ("Q2_K", "IQ3_XS", "IQ3_XXS", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M", "IQ3_S", "IQ3_M", "IQ4_XS")
)
_FALLBACKS = (
    dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL")
    | dict.fromkeys(("Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0")
    | {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
)
_NEED_IMPORTANCE = frozenset(("IQ3_XXS", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ1_M", "IQ1_S"))
_ALWAYS_NEED_IMPORTANCE = frozenset(("IQ2_XXS", "IQ2_XS", "IQ1_S"))  # ggml_quantize_requires_imatrix


def more_bits(block: int, blocks: int) -> bool:
    """Whether a block is among those that get more bits: the first and last eighths, and every third between."""
    return block < blocks // 8 or block >= 7 * blocks // 8 or (block - blocks // 8) % 3 == 2


def fallback(kind: str, row: int) -> str:
    """Return the type for rows of this length that ``kind`` cannot hold; F16 in the end."""
    if row % TYPES[kind].block == 0:
        return kind
    smaller = _FALLBACKS.get(kind, "F16")
    return smaller if row % TYPES[smaller].block == 0 else "F16"


def needs_importance(name: str, kind: str, mix: Mix) -> bool:
    """Whether a tensor comes out as garbage in this type without an importance matrix."""
    if role_of(name) in {Role.OUTPUT, Role.EMBEDDING}:
        return kind in _ALWAYS_NEED_IMPORTANCE
    return kind in _NEED_IMPORTANCE or (kind == "Q2_K" and mix.name == "Q2_K_S")


class TypeChooser:
    """Chooses tensor by tensor, in the order of the file: some rules count what they have seen."""

    def __init__(self, mix: Mix, facts: ModelFacts) -> None:
        self._mix = mix.name
        self._default = mix.type or ""
        self._facts = facts
        self._seen_v = 0
        self._seen = {Role.FFN_DOWN: 0, Role.FFN_GATE: 0, Role.FFN_UP: 0}

    def choose(self, tensor: Tensor) -> str:
        """Return the type for the next tensor."""
        role = role_of(tensor.name)
        if role is Role.OUTPUT or (role is Role.EMBEDDING and self._facts.tied):
            return self._output(tensor)
        if self._mix == "MXFP4_MOE":
            return "MXFP4" if len(tensor.dims) > 2 else "Q8_0"
        if role is Role.EMBEDDING:
            return _EMBEDDINGS.get(self._mix, self._default)
        if role.like_v:
            number, self._seen_v = self._seen_v, self._seen_v + 1
            return self._tiny_v() if self._mix in _TINY else self._attention_v(number)
        if role in self._seen:
            number = self._seen[role]
            self._seen[role] += 1
            if self._mix in _TINY:
                return self._tiny_down(number) if role is Role.FFN_DOWN else self._default
            block = self._block(tensor.name, number)
            return self._ffn_down(block) if role is Role.FFN_DOWN else self._ffn_up_or_gate(block)
        if role is Role.ATTENTION_OUTPUT:
            return self._tiny_attention_output() if self._mix in _TINY else self._attention_output()
        return self._key_or_query(role)

    def _output(self, tensor: Tensor) -> str:
        if self._mix == "MXFP4_MOE" or self._falcon or tensor.dims[0] % TYPES[self._default].block:
            return "Q8_0"
        if self._mix in _OUTPUT_IN_Q5_K:
            return "Q5_K"
        return "Q8_0" if self._default == "Q8_0" else "Q6_K"

    @property
    def _falcon(self) -> bool:
        return self._facts.architecture == "falcon"

    @property
    def _grouped(self) -> bool:
        return self._facts.heads_per_kv_head >= 4

    @property
    def _eight(self) -> bool:
        return self._facts.experts == 8

    def _block(self, name: str, number: int) -> int:
        """Return the block that a tensor belongs to: counted, with experts read from its name."""
        match = _BLOCK.match(name) if self._facts.experts > 1 else None
        return int(match[1]) if match else number

    def _tiny_v(self) -> str:
        if self._grouped or self._facts.experts >= 4:
            return "Q4_K"
        return "IQ3_S" if self._mix in {"IQ2_S", "IQ2_M"} else "Q2_K"

    def _tiny_down(self, number: int) -> str:
        if number >= self._facts.blocks // 8:
            return self._default
        return "IQ3_S" if self._mix in {"IQ2_S", "IQ2_M"} else "Q2_K"

    def _tiny_attention_output(self) -> str:
        if self._eight:
            return "Q5_K"
        if self._mix in {"IQ1_S", "IQ1_M"}:
            return "IQ2_XXS"
        return "IQ3_S" if self._mix in {"IQ2_S", "IQ2_M"} else self._default

    def _attention_v(self, number: int) -> str:
        kind = self._attention_v_by_mix(number)
        if self._facts.is_70b and kind in {"Q3_K", "Q4_K"}:
            kind = "Q5_K"  # eight heads share it there, so that more bits cost next to nothing
        return "Q8_0" if self._eight else kind

    def _attention_v_by_mix(self, number: int) -> str:
        match self._mix:
            case "Q2_K":
                return "Q4_K" if self._grouped else "Q3_K"
            case "IQ3_XXS":
                return "Q4_K" if self._grouped else "IQ3_XXS" if self._facts.importance else "IQ3_S"
            case "Q2_K_S" | "IQ3_XS" | "IQ3_S" if self._grouped:
                return "Q4_K"
            case "IQ3_M":
                return "Q4_K"
            case "Q3_K_M":
                return "Q5_K" if number < 2 else "Q4_K"
            case "Q3_K_L":
                return "Q5_K"
            case "IQ4_NL" | "IQ4_XS" if self._grouped:
                return "Q5_K"
            case "Q4_K_M" | "Q5_K_M" if more_bits(number, self._facts.like_v):
                return "Q6_K"
            case "Q4_K_S" if number < 4:
                return "Q5_K"
        return self._default

    def _ffn_down(self, block: int) -> str:
        blocks = self._facts.blocks
        early, more = block < blocks // 8, more_bits(block, blocks)
        match self._mix:
            case "Q2_K":
                return "Q3_K"
            case "Q2_K_S" if early:
                return "Q4_K"
            case "IQ3_XXS" if not self._facts.importance:
                return "Q4_K" if early else "Q3_K"
            case "Q3_K_M":
                return "Q5_K" if block < blocks // 16 else "Q3_K" if self._falcon and not more else "Q4_K"
            case "IQ3_M" if early or (self._eight and more):
                return "Q4_K"
            case "Q3_K_L":
                return "Q4_K" if self._falcon else "Q5_K"
            case "Q4_K_M" if self._falcon:
                return "Q6_K" if block < blocks // 16 else "Q5_K" if more else "Q4_K"
            case "Q4_K_M" | "Q5_K_M" if more:
                return "Q6_K"
            case "IQ4_NL" | "IQ4_XS" if early and not self._facts.importance:
                return "Q5_K"
            case "Q4_K_S" if early and not self._falcon:
                return "Q5_K"
            case "Q4_0" | "Q5_0" if early and self._facts.importance:
                return "Q4_1" if self._mix == "Q4_0" else "Q5_1"
        return self._default

    def _ffn_up_or_gate(self, block: int) -> str:
        blocks = self._facts.blocks
        middle = blocks // 8 <= block < 7 * blocks // 8
        return "IQ3_XXS" if self._mix == "IQ3_XS" and middle else self._default

    def _attention_output(self) -> str:
        if self._falcon:
            return "Q4_K" if self._mix == "Q3_K_L" else self._default
        if self._eight:
            return "Q5_K" if self._mix in _OUTPUTS_OF_EIGHT else self._default
        return _OUTPUTS.get(self._mix, self._default)

    def _key_or_query(self, role: Role) -> str:
        if self._eight and role is Role.ATTENTION_K:
            return "Q4_K" if self._mix in _TINY else "Q8_0"
        if role in {Role.ATTENTION_K, Role.ATTENTION_Q}:
            return _KEYS_AND_QUERIES.get(self._mix, self._default)
        return self._default
