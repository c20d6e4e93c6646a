"""Folders of Safetensors with a megabyte of JSON."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

from megabyte_kinds.kind import KINDS, MB, Kind, fill, text

if TYPE_CHECKING:
    from pathlib import Path

_CHECKPOINT = (
    "inspect model",
    "import model -o o.gguf",
    "import model -o o.gguf --dry-run",
    "plan import-safetensors --set base=./model",
    "explain ./model",
    "lora inspect model",
    "lint Modelfile",
)


def checkpoint(name: str, **files: str | bytes) -> None:
    """Add a folder of Safetensors; ``files`` are named with ``_`` for the dot."""

    def make(folder: Path) -> None:
        place = folder / "model"
        place.mkdir()
        config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4,
                  "num_key_value_heads": 4, "intermediate_size": 64, "vocab_size": 8, "max_position_embeddings": 128, "rms_norm_eps": 1e-5}  # fmt: skip
        (place / "config.json").write_text(json.dumps(config))
        (place / "model.safetensors").write_bytes(
            header('{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}') + bytes(4)
        )
        for file, content in files.items():
            path = place / file.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        text(folder, "Modelfile", "FROM ./model\n")

    KINDS.append(Kind(f"checkpoint: {name}", make, _CHECKPOINT))


def header(content: str) -> bytes:
    """Return the first bytes of a Safetensors file with this header."""
    data = content.encode()
    return struct.pack("<Q", len(data)) + data


def _tokenizer(vocabulary: str, merges: str = "", added: str = "") -> str:
    return f'{{"added_tokens": [{added}], "model": {{"type": "BPE", "vocab": {{{vocabulary}"z": 0}}, "merges": [{merges}"a b"]}}}}'


checkpoint(
    "tensors",
    model__safetensors=header(
        "{"
        + ", ".join(
            f'"model.layers.{name}.x": {{"dtype": "F32", "shape": [1], "data_offsets": [{4 * name}, {4 * name + 4}]}}'
            for name in range(13_000)
        )
        + "}"
    )
    + bytes(52_000),
)
checkpoint("metadata", model__safetensors=header('{"__metadata__": {' + fill('"k{n}": "v", ') + '"z": "z"}}'))
checkpoint("a deep header", model__safetensors=header('{"a":' * 100_000))
checkpoint(
    "a long shape",
    model__safetensors=header('{"a": {"dtype": "F32", "shape": [' + fill("1, ") + '1], "data_offsets": [0, 4]}}')
    + bytes(4),
)
checkpoint(
    "index",
    model__safetensors__index__json='{"weight_map": {'
    + fill('"t{n}": "model-{n}.safetensors", ')
    + '"z": "model.safetensors"}}',
)
checkpoint("vocabulary", tokenizer__json=_tokenizer(fill('"t{n}": {n}, ')))
checkpoint("merges", tokenizer__json=_tokenizer(fill('"t{n}": {n}, ', 10_000), fill('"t{n} b", ')))
checkpoint(
    "added tokens",
    tokenizer__json=_tokenizer(
        "", "", fill('{"id": {n}, "content": "<{n}>", "special": true}, ') + '{"id": 9, "content": "z"}'
    ),
)
checkpoint("a deep tokenizer", tokenizer__json='{"a":' * 150_000)
checkpoint("a long token", tokenizer__json=_tokenizer('"' + "a" * MB + '": 1, '))
checkpoint("configuration", config__json="{" + fill('"k{n}": 1, ') + '"architectures": ["LlamaForCausalLM"]}')
checkpoint("a deep configuration", config__json="[" * 500_000)
checkpoint("architectures", config__json='{"architectures": [' + fill('"A{n}", ') + '"z"]}')
checkpoint(
    "quantization",
    config__json='{"architectures": ["LlamaForCausalLM"], "quantization_config": {"ignore": ['
    + fill('"re:(a+)+{n}", ')
    + '"z"]}}',
)
checkpoint("a template", tokenizer_config__json=json.dumps({"chat_template": fill("{{ messages }}")}))
checkpoint("tokenizer.model", tokenizer__model=b"\x0a\x05\x0a\x03abc" * 140_000)
checkpoint(
    "an adapter",
    adapter_config__json=json.dumps(
        {"peft_type": "LORA", "r": 8, "lora_alpha": 8, "target_modules": "(a+)+" * 200_000}
    ),
)
checkpoint(
    "an adapter's modules",
    adapter_config__json=json.dumps(
        {
            "peft_type": "LORA",
            "r": 8,
            "lora_alpha": 8,
            "target_modules": [f"m{name}" for name in range(80_000)],
            "rank_pattern": {f"(a+)+{name}": 8 for name in range(20_000)},
        }
    ),
)
