"""Opening an adapter of any kind for a model, and making sure that they belong together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import InvalidAdapter, Unsupported
from modelsmith.weights.adapters.fingerprint import fingerprint
from modelsmith.weights.adapters.gguf_adapter import read_gguf_adapter
from modelsmith.weights.adapters.lora import Lora, LoraPair
from modelsmith.weights.adapters.names import gguf_name, heads_of
from modelsmith.weights.adapters.peft import PeftAdapter, is_peft, read_peft

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.tensors import Tensor

_OTHER = "this adapter was made for another model; the name of its base is in adapter_config.json"


def open_adapter(path: Path, parts: Sequence[GGUFFile]) -> Lora:
    """Return an adapter for the model that ``parts`` are, checked against it.

    Raises InvalidAdapter where a tensor is missing or has another shape, or where the fingerprint is another model's;
    Unsupported for what cannot be merged. What is only doubtful is in ``notes``.
    """
    lora = for_gguf(read_peft(path), parts) if is_peft(path) else read_gguf_adapter(path)
    return checked(lora, parts)


def for_gguf(adapter: PeftAdapter, parts: Sequence[GGUFFile]) -> Lora:
    """Return an adapter of PEFT with its matrices named and arranged as the model's GGUF has them."""
    metadata = parts[0].metadata
    architecture = metadata.architecture
    heads = metadata.uint(f"{architecture}.attention.head_count")
    key_heads = metadata.uint(f"{architecture}.attention.head_count_kv") or heads
    pairs = {}
    for module, pair in adapter.pairs.items():
        name = gguf_name(module)
        if name is None:
            raise Unsupported(
                f"{adapter.path} changes {module}, which has no tensor of its own in a GGUF",
                hint="merge it into the Safetensors of its base, then import those: modelsmith lora merge FOLDER ADAPTER -o OUT",
            )
        rows = heads_of(name, architecture, heads, key_heads)
        if rows and pair.b.shape[0] % (2 * rows):
            raise InvalidAdapter(
                f"{adapter.path}: {module} has {pair.b.shape[0]} rows, and the model {rows} heads", hint=_OTHER
            )
        pairs[name] = LoraPair(pair.a, pair.b, pair.scale, rows, looked_up=pair.embedding)
    return Lora(adapter.path, pairs, adapter.alpha, adapter.base, architecture)


def checked(lora: Lora, parts: Sequence[GGUFFile]) -> Lora:
    """Return the adapter, with notes about what is doubtful; raises where it does not fit the model."""
    model = parts[0]
    if lora.architecture != model.architecture:
        raise InvalidAdapter(
            f"{lora.path} is for the architecture {lora.architecture}, and {model.path.name} is {model.architecture}",
            hint=_OTHER,
        )
    tensors = {tensor.name: tensor for part in parts for tensor in part.tensors}
    for name, pair in lora.pairs.items():
        _check_tensor(lora, name, pair, tensors, model)
    found = fingerprint(parts)
    if lora.fingerprint and found and lora.fingerprint != found:
        raise InvalidAdapter(
            f"{lora.path} was made for a model with other weights than {model.path.name}: "
            f"the fingerprints are {lora.fingerprint} and {found}",
            hint="both have the same shape: it is another version of the model, or a finetune; get the base of the adapter",
        )
    if not lora.fingerprint and lora.base and not _alike(lora.base, model):
        lora = lora.with_note(
            f"it was made for {lora.base}, and the model calls itself {model.metadata.text('general.name') or 'nothing'}: "
            "shapes fit, but whether the weights are those only the results can tell"
        )
    return lora


def _check_tensor(lora: Lora, name: str, pair: LoraPair, tensors: dict[str, Tensor], model: GGUFFile) -> None:
    tensor = tensors.get(name)
    if tensor is None:
        tied = name == "output.weight" and "token_embd.weight" in tensors
        why = " (it shares the one of its embeddings)" if tied else did_you_mean(name, tensors)
        hint = "an adapter that changes lm_head fits only models that have one of their own" if tied else _OTHER
        raise InvalidAdapter(f"{lora.path} changes {name}, and {model.path.name} has no such tensor{why}", hint=hint)
    if tensor.dims != (pair.shape[1], pair.shape[0]):
        raise InvalidAdapter(
            f"{lora.path}: its matrices for {name} make {pair.shape[0]} x {pair.shape[1]} numbers, and the tensor in "
            f"{model.path.name} has {' x '.join(map(str, reversed(tensor.dims)))}",
            hint=_OTHER,
        )


def _alike(base: str, model: GGUFFile) -> bool:
    """Whether the name of an adapter's base and what a model says about itself have to do with each other."""
    text = model.metadata.text
    names = [text(f"general.{key}") for key in ("name", "basename", "repo_url", "source.repo_url", "base_model.0.name")]
    wanted = _plain(base.rstrip("/").rpartition("/")[2])
    plain = [_plain(name.rpartition("/")[2]) for name in names if name]
    return any(own_name and (own_name in wanted or wanted in own_name) for own_name in plain)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
