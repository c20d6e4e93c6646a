"""What other programs and tutorials call Ollama's parameters.

Sources: OpenAI's API, llama.cpp's options, Transformers' generation settings; Modelfiles in public repositories.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {
    "num_predict": "max_tokens max_new_tokens max_length n_predict max_output_tokens max_completion_tokens max_token tokens",
    "num_ctx": "n_ctx ctx context_length context_size context_window ctx_size max_context max_context_length num_context ctx_len ctx_length "
    "context max_position_embeddings max_seq_len max_model_len",
    "num_gpu": "gpu_layers n_gpu_layers num_gpu_layers ngl gpu num_gpus gpu_count",
    "temperature": "temp",
    "repeat_penalty": "repetition_penalty rep_penalty repeat_pen repetition_pen",
    "frequency_penalty": "freq_penalty",
    "presence_penalty": "pres_penalty",
    "repeat_last_n": "repeat_last repetition_last_n penalty_last_n",
    "num_thread": "num_threads n_threads threads n_thread",
    "num_batch": "batch_size n_batch batch",
    "stop": "stop_sequence stop_sequences stop_token stop_tokens stops stop_words eos_token",
    "typical_p": "typical",
    "use_mmap": "mmap",
    "num_keep": "n_keep keep",
    "top_k": "topk",
    "top_p": "topp nucleus",
    "min_p": "minp",
    "draft_num_predict": "num_draft n_draft draft_max num_draft_tokens",
}
RENAMES: Mapping[str, str] = MappingProxyType({old: new for new, names in _NAMES.items() for old in names.split()})
"""Another program's name in small letters -> Ollama's."""

_LAYERS = "Ollama's num_gpu counts layers on the GPU, and is best left out: it decides itself"
UNSURE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(_NAMES["num_gpu"].split(), _LAYERS)
    | {"max_length": "for Transformers this counts the prompt too; Ollama's num_predict does not"}
    | {"max_position_embeddings": "Ollama's num_ctx is what is used, not what the model could"}
    | {"context": "the context length is num_ctx"}
    | {"eos_token": "a text that ends the answer is a stop"}
)
"""Names that may mean something else than Ollama's, and why."""

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "keep_alive": "keep_alive is a field of each request, or OLLAMA_KEEP_ALIVE of the server",
        "format": "format is a field of each request",
        "grammar": "a grammar is not offered; `format` in a request takes a JSON schema",
        "json": '`format: "json"` is a field of each request',
        "stream": "stream is a field of each request",
        "raw": "raw is a field of each request",
        "num_parallel": "the server's OLLAMA_NUM_PARALLEL sets it",
        "flash_attention": "the server's OLLAMA_FLASH_ATTENTION sets it",
        "flash_attn": "the server's OLLAMA_FLASH_ATTENTION sets it",
        "kv_cache_type": "the server's OLLAMA_KV_CACHE_TYPE sets it",
        "cache_type_k": "the server's OLLAMA_KV_CACHE_TYPE sets it",
        "cache_type_v": "the server's OLLAMA_KV_CACHE_TYPE sets it",
        "system": "a system prompt is the instruction SYSTEM",
        "template": "a template is the instruction TEMPLATE",
        "license": "a license is the instruction LICENSE",
        "quantization": "quantizing is an option of `ollama create --quantize`",
        "dtype": "the numbers' type is that of the weights file",
        "rope_scaling": "the GGUF's metadata says how positions are scaled",
        "top_a": "Ollama has no such sampler",
        "xtc_probability": "Ollama has no such sampler",
        "xtc_threshold": "Ollama has no such sampler",
        "dry_multiplier": "Ollama has no such sampler",
        "dry_base": "Ollama has no such sampler",
        "dynatemp_range": "Ollama has no such sampler",
        "do_sample": "temperature 0 always takes the likeliest token",
        "num_beams": "Ollama has no beam search",
        "vram": "Ollama measures the memory itself; the server's OLLAMA_GPU_OVERHEAD keeps some free",
        "timeout": "the server's OLLAMA_LOAD_TIMEOUT, or the client's own, sets it",
    }
)
"""What is set elsewhere, or not at all, and where."""


@lru_cache(maxsize=512)
def close_to(name: str) -> str:
    """Return the parameter that a name is a misspelling of, "" for none."""
    import difflib

    found = difflib.get_close_matches(name.replace("-", "_"), PARAMETERS, n=1, cutoff=0.7)
    return found[0] if found else ""
