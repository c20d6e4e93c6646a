"""Reading an adapter as PEFT saves it: a folder with ``adapter_config.json`` and ``adapter_model.safetensors``.

Sources: PEFT ``tuners/lora/config.py`` (keys), ``utils/save_and_load.py`` (names), ``utils/other.py`` (patterns of ranks).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from modelsmith.errors import InvalidAdapter, Unsupported
from modelsmith.files.regular import stat_regular
from modelsmith.weights.adapters.lora import StoredMatrix
from modelsmith.weights.convert.safetensors import SafetensorsFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelsmith.weights.convert.safetensors import StoredTensor

CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
_MAX_CONFIG = 4 << 20
_MAX_RANK = 1 << 16
_PREFIX = "base_model.model."
_NAME = re.compile(
    r"(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<side>[AB])(?:\.(?!weight$)[\w-]+)?(?:\.weight)?"
)
_DTYPES = frozenset(("F32", "F16", "BF16", "F64"))


@dataclass(frozen=True, slots=True)
class PeftPair:
    """The two matrices for one module of the model."""

    a: StoredMatrix
    b: StoredMatrix
    scale: float
    embedding: bool


@dataclass(frozen=True, slots=True)
class PeftAdapter:
    """A folder that was read: ``pairs`` by the module's name in the checkpoint, such as ``model.layers.0.mlp.up_proj``."""

    path: Path
    config: Mapping[str, Any]
    pairs: Mapping[str, PeftPair]

    @property
    def base(self) -> str:
        """The name or path of the model that it was made for."""
        value = self.config.get("base_model_name_or_path")
        return value if isinstance(value, str) else ""

    @property
    def alpha(self) -> float:
        """What its configuration says, before anything is made of it."""
        return _number(self.path, self.config, "lora_alpha", 8.0)

    @property
    def rank_stabilized(self) -> bool:
        """Whether alpha is divided by the root of the rank instead of the rank (rslora)."""
        return self.config.get("use_rslora") is True


def is_peft(path: Path) -> bool:
    """Whether a path is a folder with an adapter, or its file of weights or configuration."""
    if path.is_dir():
        return (path / CONFIG).is_file()
    return path.name in {CONFIG, _WEIGHTS} and (path.parent / CONFIG).is_file()


def read_peft(path: Path) -> PeftAdapter:
    """Read an adapter; raises UnreadableFile, InvalidAdapter or Unsupported, each with the way out."""
    folder = path if path.is_dir() else path.parent
    config = _config(folder)
    _check_config(folder, config)
    weights = folder / _WEIGHTS
    if not weights.exists():
        pickled = next((name for name in ("adapter_model.bin", "adapter_model.pt") if (folder / name).exists()), "")
        if pickled:
            raise Unsupported(
                f"{folder / pickled} is a pickle, which can run any code and is never opened",
                hint="save it again where it was made: model.save_pretrained(FOLDER, safe_serialization=True)",
            )
        raise InvalidAdapter(f"{folder} has no {_WEIGHTS}", hint="download the whole adapter")
    halves: dict[str, dict[str, StoredTensor]] = {}
    embeddings: set[str] = set()
    for name, tensor in SafetensorsFile.open(weights).tensors.items():
        match = _NAME.fullmatch(name)
        if match is None:
            _refuse_extra(folder, name)
        module = match["module"].removeprefix(_PREFIX)
        sides = halves.setdefault(module, {})
        if match["side"] in sides:
            raise InvalidAdapter(f"{weights} holds two {match['side']} matrices for {module}", hint="keep one adapter")
        sides[match["side"]] = tensor
        if match["embedding"]:
            embeddings.add(module)
    if not halves:
        raise InvalidAdapter(f"{weights} holds no tensor", hint="download it again")
    return PeftAdapter(
        folder,
        config,
        {
            module: _pair(folder, config, module, sides, embedding=module in embeddings)
            for module, sides in sorted(halves.items())
        },
    )


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG
    if stat_regular(path).st_size > _MAX_CONFIG:
        raise InvalidAdapter(f"{path} has more than {_MAX_CONFIG:,} bytes", hint="download it again")
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InvalidAdapter(f"{path} is no JSON: {error}", hint="download it again") from error
    if not isinstance(config, dict):
        raise InvalidAdapter(f"{path} is no table", hint="download it again")
    return config


def _check_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse what is more than two matrices for each module: it would be lost without a word."""

    def refuse(
        what: str, hint: str = "merge it with PEFT: model.merge_and_unload(), and import the result"
    ) -> NoReturn:
        raise Unsupported(f"{folder} {what}", hint=hint)

    kind = config.get("peft_type", "LORA")
    if str(kind).upper() != "LORA":
        refuse(f"is an adapter of the kind {kind}, and only LORA is known")
    if config.get("use_dora"):
        refuse("is a DoRA adapter: it also scales the rows of the model")
    if config.get("fan_in_fan_out"):
        refuse("is made for a model that stores its matrices the other way round (fan_in_fan_out)")
    for key in ("modules_to_save", "layer_replication", "trainable_token_indices", "target_parameters"):
        if config.get(key):
            refuse(f"holds more than LoRA matrices ({key}: {json.dumps(config[key])[:80]})")
    if config.get("bias", "none") not in {"none", None} or config.get("lora_bias"):
        refuse(f"changes biases too (bias: {config.get('bias')})")


def _refuse_extra(folder: Path, name: str) -> NoReturn:
    if "lora_magnitude_vector" in name:
        what = "is a DoRA adapter"
    elif "lora_" in name:
        what = "has a kind of LoRA matrix that is not known"
    else:
        what = "holds a whole tensor beside its LoRA matrices"
    raise Unsupported(
        f"{folder} {what}: {name}", hint="merge it with PEFT: model.merge_and_unload(), and import the result"
    )


def _pair(
    folder: Path, config: Mapping[str, Any], module: str, sides: Mapping[str, StoredTensor], *, embedding: bool
) -> PeftPair:
    if len(sides) != 2:
        raise InvalidAdapter(
            f"{folder} has only the {next(iter(sides))} matrix for {module}",
            hint="its file of weights is not complete; download or save it again",
        )
    a, b = (_matrix(folder, module, sides[side]) for side in "AB")
    if a.shape[0] != b.shape[1] or not 0 < a.shape[0] <= _MAX_RANK:
        raise InvalidAdapter(
            f"{folder}: the matrices for {module} do not fit each other: A has {a.shape[0]} rows and B {b.shape[1]} columns",
            hint="both are the rank; download or save it again",
        )
    rank = a.shape[0]
    alpha = _by_pattern(config.get("alpha_pattern"), module)
    if alpha is None:
        alpha = _number(folder, config, "lora_alpha", 8.0)
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") is True else rank)
    return PeftPair(a, b, scale, embedding)


def _matrix(folder: Path, module: str, tensor: StoredTensor) -> StoredMatrix:
    if tensor.dtype not in _DTYPES:
        raise Unsupported(
            f"{folder}: {tensor.name} is {tensor.dtype}, and LoRA matrices are read in F32, F16 and BF16",
            hint="save the adapter in one of these types",
        )
    if len(tensor.shape) != 2:
        raise Unsupported(
            f"{folder}: {tensor.name} has the shape {list(tensor.shape)}, and only matrices are known",
            hint=f"{module} is perhaps a convolution or a stack of experts; merge it with PEFT",
        )
    return StoredMatrix(tensor.dtype, (tensor.shape[0], tensor.shape[1]), tensor.place)


def _by_pattern(patterns: Any, module: str) -> float | None:
    """Return what a table of names or their ends says of a module, as PEFT looks it up; None where it says nothing."""
    if not isinstance(patterns, dict):
        return None
    for pattern, value in patterns.items():
        if isinstance(value, int | float) and (module == pattern or module.endswith(f".{pattern.lstrip('^')}")):
            return float(value)
    return None


def _number(folder: Path, config: Mapping[str, Any], key: str, default: float) -> float:
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidAdapter(f"{folder / CONFIG}: {key} is {value!r}, which is no number", hint="download it again")
    return float(value)
