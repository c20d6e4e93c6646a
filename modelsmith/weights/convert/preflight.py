"""What can be said of a checkpoint before it is converted: the family, what is missing, the tokenizer, the sizes to come.

Two imports are looked at, this one and that of Ollama (``ollama create`` from a folder), which knows other architectures and
refuses symbolic links that lead out of the folder.
Source: Ollama ``convert/convert.go`` (architectures), ``parser/parser.go`` (which files it takes), ``server/create.go``.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity
from modelsmith.errors import ModelsmithError
from modelsmith.weights.convert.checkpoint import Checkpoint
from modelsmith.weights.convert.config import Config
from modelsmith.weights.convert.convert import plan_import, plan_model
from modelsmith.weights.convert.families import FAMILIES, find_family
from modelsmith.weights.convert.model import open_checkpoint
from modelsmith.weights.convert.tokenizers import KINDS, kind_of
from modelsmith.weights.convert.tokenizers.special import chat_templates

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from modelsmith.weights.convert.model import ConvertedModel

SIZES = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")
"""The quantizations whose sizes are foretold."""

OLLAMA = frozenset((
    "LlamaForCausalLM", "MixtralForCausalLM", "MllamaForConditionalGeneration", "Llama4ForConditionalGeneration",
    "Mistral3ForConditionalGeneration", "Ministral3ForCausalLM", "GemmaForCausalLM", "Gemma2ForCausalLM", "Gemma3ForCausalLM",
    "Gemma3ForConditionalGeneration", "Gemma3TextModel", "Gemma3nForConditionalGeneration", "Gemma4ForCausalLM",
    "Gemma4ForConditionalGeneration", "Phi3ForCausalLM", "Qwen2ForCausalLM", "Qwen2_5_VLForConditionalGeneration",
    "Qwen3VLForConditionalGeneration", "Qwen3VLMoeForConditionalGeneration", "Qwen3NextForCausalLM",
    "Qwen3_5ForConditionalGeneration", "Qwen3_5MoeForConditionalGeneration", "Olmo3ForCausalLM", "BertModel", "NomicBertModel",
    "NomicBertMoEModel", "CohereForCausalLM", "GptOssForCausalLM", "DeepseekOCRForCausalLM", "DeepseekV3ForCausalLM",
    "Glm4MoeLiteForCausalLM", "LagunaForCausalLM", "GlmOcrForConditionalGeneration", "Lfm2ForCausalLM", "Lfm2MoeForCausalLM",
    "Lfm2VlForConditionalGeneration", "NemotronHForCausalLM",
))  # fmt: skip
"""The architectures that Ollama up to 0.34.0 converted itself; later releases most likely convert none."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know: ``code`` is a kebab-case name; an error keeps the import from working."""

    severity: Severity
    code: str
    message: str
    hint: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return what ``--json`` prints."""
        return {"severity": str(self.severity), "code": self.code, "message": self.message, "hint": self.hint}


@dataclass(frozen=True, slots=True)
class Preflight:
    """The outcome. ``sizes`` are those of whole files in bytes, by type; empty where the import would fail."""

    checkpoint: Checkpoint
    architecture: str
    family: str
    tokenizer: str
    parameters: int
    bytes: int
    sizes: dict[str, int]
    ollama: tuple[Remark, ...]
    remarks: tuple[Remark, ...]

    @property
    def works(self) -> bool:
        """Whether the import would work."""
        return all(remark.severity is not Severity.ERROR for remark in self.remarks)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "folder": str(self.checkpoint.folder),
            "works": self.works,
            "architecture": self.architecture,
            "family": self.family,
            "tokenizer": self.tokenizer,
            "parameters": self.parameters,
            "bytes": self.bytes,
            "sizes": self.sizes,
            "remarks": [remark.to_dict() for remark in self.remarks],
            "ollama": [remark.to_dict() for remark in self.ollama],
        }


def preflight(folder: str | os.PathLike[str]) -> Preflight:
    """Look at a folder; raises UsageError or UnreadableFile only where there is nothing to look at."""
    checkpoint = Checkpoint.open(folder)
    remarks: list[Remark] = []
    architecture = family = tokenizer = ""
    model: ConvertedModel | None = None
    try:
        architecture = Config(checkpoint.config, checkpoint.folder / "config.json").architecture
        found = find_family(architecture)
        family = found.architecture
        kind = kind_of(found(checkpoint))
        tokenizer = KINDS.get(kind, "SentencePiece in tokenizer.json")
        model = open_checkpoint(checkpoint)
    except ModelsmithError as error:
        remarks.append(Remark(Severity.ERROR, _code(error), error.message, error.hint))
    sizes = _sizes(model, checkpoint) if model is not None else {}
    remarks += _remarks(checkpoint, sizes)
    return Preflight(
        checkpoint,
        architecture,
        family,
        tokenizer,
        model.parameter_count if model is not None else 0,
        _bytes(checkpoint),
        sizes,
        tuple(_for_ollama(checkpoint, architecture)),
        tuple(remarks),
    )


def _code(error: ModelsmithError) -> str:
    return {"Unsupported": "unsupported", "UnreadableFile": "missing"}.get(type(error).__name__, "damaged")


def _bytes(checkpoint: Checkpoint) -> int:
    paths = (checkpoint.folder / name for name in checkpoint.shard_names)
    return sum(path.stat().st_size for path in paths if path.exists())


def _sizes(model: ConvertedModel, checkpoint: Checkpoint) -> dict[str, int]:
    """Return the size of the file in the model's own type and in those that are usual."""
    plans = {"as it is": partial(plan_import, checkpoint), "F16": partial(plan_import, checkpoint, "F16")}
    plans |= {name: partial(plan_model, model, name) for name in SIZES}
    sizes: dict[str, int] = {}
    for name, plan in plans.items():
        try:
            sizes[name] = plan().size
        except ModelsmithError:
            continue  # a mix that does not fit the shape of this model
    return sizes


def _remarks(checkpoint: Checkpoint, sizes: dict[str, int]) -> Iterator[Remark]:
    if extra := checkpoint.extra_shards:
        named = ", ".join(extra[:3])
        yield Remark(
            Severity.INFO,
            "extra-file",
            f"{named} belong{'s' if len(extra) == 1 else ''} to no part of the model and {'is' if len(extra) == 1 else 'are'} left alone",
        )
    if pickles := checkpoint.pickles:
        yield Remark(
            Severity.INFO, "pickle", f"{', '.join(pickles[:3])}: pickles are never opened; the Safetensors are used"
        )
    if "auto_map" in checkpoint.config_or_empty:
        yield Remark(
            Severity.INFO,
            "code",
            "config.json names code of its own (auto_map); it is not run, and its changes of the architecture are not known",
        )
    if not chat_templates(checkpoint):
        yield Remark(
            Severity.WARNING,
            "no-chat-template",
            "it has no chat template",
            "a base model needs none; a chat model gets one by TEMPLATE in a Modelfile or `template` in a recipe",
        )
    if sizes:
        free = shutil.disk_usage(checkpoint.folder).free
        smallest = min(sizes.values())
        if smallest > free:
            yield Remark(
                Severity.WARNING,
                "disk",
                f"{free:,} bytes are free beside it, and the smallest result has {smallest:,}",
                "write to another disk",
            )


def _for_ollama(checkpoint: Checkpoint, architecture: str) -> Iterator[Remark]:
    """Say what Ollama's own import of the folder would stumble over."""
    ours = "`modelsmith import` makes a GGUF of it that every Ollama takes" if architecture in FAMILIES else ""
    if architecture and architecture not in OLLAMA:
        yield Remark(
            Severity.ERROR, "ollama-architecture", f'Ollama answers "unsupported architecture" for {architecture}', ours
        )
    if links := checkpoint.links_out:
        yield Remark(
            Severity.ERROR,
            "ollama-links",
            f'Ollama answers "insecure path": {links[0]} leads out of the folder, as all files in the Hub\'s cache do',
            f"{ours}; or copy the folder with its links followed: cp -rL".lstrip("; "),
        )
    names = [path.name for path in checkpoint.folder.glob("*.safetensors")]
    if names and not any(name.startswith(("model", "consolidated")) for name in names):
        yield Remark(
            Severity.ERROR,
            "ollama-names",
            f'Ollama finds no model in it: it takes "model*.safetensors" only, and not {names[0]}',
            ours,
        )
    if (checkpoint.folder / "chat_template.jinja").exists():
        yield Remark(Severity.WARNING, "ollama-template", "Ollama does not read chat_template.jinja", ours)
