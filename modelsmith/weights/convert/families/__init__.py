"""The families of models that can be converted: one module each, and one row here."""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported

if TYPE_CHECKING:
    from modelsmith.weights.convert.families.family import Family

FAMILIES: dict[str, str] = {
    "LlamaForCausalLM": "llama:Llama",
    "LLaMAForCausalLM": "llama:Llama",
    "LlamaModel": "llama:Llama",
    "MistralForCausalLM": "llama:Llama",
    "MixtralForCausalLM": "llama:Mixtral",
    "SmolLM3ForCausalLM": "llama:SmolLM3",
    "Qwen2ForCausalLM": "qwen:Qwen2",
    "Qwen2Model": "qwen:Qwen2",
    "Qwen2MoeForCausalLM": "qwen:Qwen2Moe",
    "Qwen3ForCausalLM": "qwen:Qwen3",
    "Qwen3Model": "qwen:Qwen3",
    "Qwen3MoeForCausalLM": "qwen:Qwen3Moe",
    "GemmaForCausalLM": "gemma:Gemma",
    "Gemma2ForCausalLM": "gemma:Gemma2",
    "Gemma3ForCausalLM": "gemma:Gemma3",
    "Gemma3ForConditionalGeneration": "gemma:Gemma3",
    "Phi3ForCausalLM": "phi3:Phi3",
    "DeepseekV2ForCausalLM": "deepseek:DeepSeek2",
    "DeepseekV3ForCausalLM": "deepseek:DeepSeek2",
    "GraniteForCausalLM": "granite:Granite",
    "GraniteMoeForCausalLM": "granite:GraniteMoe",
    "GraniteMoeSharedForCausalLM": "granite:GraniteMoe",
    "Glm4ForCausalLM": "glm4:Glm4",
    "GptOssForCausalLM": "gpt_oss:GptOss",
    "BertModel": "bert:Bert",
    "BertForMaskedLM": "bert:Bert",
}
"""Names in ``architectures`` of a config.json: the module of the family, and the class in it."""

_ENDING = re.compile(r"(For[A-Z]\w*|Model)$")


def find_family(architecture: str) -> type[Family]:
    """Return the family of an architecture; raises Unsupported with the nearest one for what is not known."""
    row = FAMILIES.get(architecture)
    if row is None:
        raise Unsupported(
            f'models of the architecture "{architecture}" cannot be converted{_nearest(architecture)}',
            hint=f"known are {', '.join(FAMILIES)}; others convert with llama.cpp's convert_hf_to_gguf.py",
        )
    module, _, name = row.partition(":")
    found: type[Family] = getattr(import_module(f"{__name__}.{module}"), name)
    return found


def _nearest(architecture: str) -> str:
    bare = {_ENDING.sub("", name).lower(): name for name in reversed(FAMILIES)}
    found = get_close_matches(_ENDING.sub("", architecture).lower(), bare, n=1, cutoff=0.5)
    return f"; the nearest that can is {bare[found[0]]}" if found else ""
