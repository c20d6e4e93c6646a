"""Which files of a repository are meant: one quantization with its shards and its projector, or a checkpoint.

Where nothing is said, the order of preference is that of the Hub for Ollama: Q4_K_M where there is one
(the Hub's documentation "Use Ollama with any GGUF Model on Hugging Face Hub"), else what comes near to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import HubError
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.hub.reference import HubReference
    from modelsmith.hub.snapshot import HubFile, Snapshot

ArtifactKind = Literal["gguf", "checkpoint", "adapter", "file"]

_LABEL = re.compile(
    r"(?<![A-Za-z0-9])((?:UD-)?(?:I?Q\d[A-Z0-9_]*|TQ\d_\d|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)
_PREFERRED = ("Q4_K_M", "Q4_K_S", "Q4_0", "Q5_K_M", "Q5_K_S", "Q4_K_L", "Q6_K", "Q8_0", "IQ4_XS", "IQ4_NL", "Q3_K_M")
_PROJECTORS = ("F16", "BF16", "Q8_0", "F32")
_ALIASES = {"FP16": "F16", "FP32": "F32"}
_CHECKPOINT = re.compile(
    r"(?:model|consolidated)[^/]*\.safetensors|.*\.safetensors\.index\.json|[^/]*config\.json|tokenizer[^/]*\.(?:json|model)"
    r"|(?:vocab|merges|added_tokens|special_tokens_map|params)\.(?:json|txt)|chat_template\.(?:jinja|json)"
    r"|README\.md|LICENSE[^/]*",
    re.IGNORECASE,
)
_ADAPTER = re.compile(r"adapter_(?:config\.json|model[^/]*\.safetensors)")
_SIDE = frozenset(("template", "system", "params"))
_MANY = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """What is meant: ``files`` in order (the shards of a GGUF, all files of a checkpoint), and what goes with them.

    ``quantization`` is the name in the files' names, empty where they have none; ``sides`` are files of Ollama's instructions
    that the repository holds (``template``, ``system``, ``params``); ``note`` says why these were chosen.
    """

    kind: ArtifactKind
    files: tuple[HubFile, ...]
    quantization: str = ""
    projector: HubFile | None = None
    sides: tuple[HubFile, ...] = ()
    note: str = ""

    @property
    def size(self) -> int:
        """How many bytes all of it has."""
        return sum(file.size for file in self.everything)

    @property
    def everything(self) -> tuple[HubFile, ...]:
        """All files."""
        return (*self.files, *((self.projector,) if self.projector else ()), *self.sides)


def label_of(path: str) -> str:
    """Return the quantization that a file's path names, in capitals; empty where it names none."""
    found = _LABEL.findall(path.rpartition("/")[2]) or _LABEL.findall(path.rpartition("/")[0])
    label = str(found[-1]).upper() if found else ""
    return _ALIASES.get(label, label)


def choose(snapshot: Snapshot, reference: HubReference) -> Choice:
    """Return the files that a reference means in a repository; raises HubError where it has none of the kind."""
    sides = tuple(snapshot.files[name] for name in sorted(_SIDE & snapshot.files.keys()))
    models = [file for file in snapshot.ggufs if not _is_projector(file) and "imatrix" not in file.name.lower()]
    if reference.file:
        return _named(snapshot, reference.file, models, sides)
    if not models:
        if reference.quantization:
            raise HubError(
                f"{snapshot.repo} has no GGUF, and {reference.quantization} names one",
                hint=_instead(snapshot, reference),
            )
        return _checkpoint(snapshot)
    groups = _grouped(models)
    note = ""
    if reference.quantization:
        label = _ALIASES.get(reference.quantization.upper(), reference.quantization.upper())
        if label not in groups:
            raise HubError(
                f"{snapshot.repo} has no {reference.quantization}{did_you_mean(label, groups)}",
                hint=f"it has {_listed(groups)}",
            )
    else:
        label = next(
            (preferred for preferred in _PREFERRED if preferred in groups),
            min(groups, key=lambda group: _size(groups[group])),
        )
        if len(groups) > 1:
            note = f"{label or groups[label][0].name} was chosen of {len(groups)}: {_listed(groups)}"
    files = _one_model(snapshot, groups[label], label)
    return Choice("gguf", files, label, _projector(snapshot, files[0]), sides, note)


def choose_adapter(snapshot: Snapshot, reference: HubReference) -> Choice:
    """Return the files of a LoRA adapter: of the folder or the file that is named, else those at the top; raises HubError."""
    named = reference.file.rstrip("/")
    is_gguf = named.lower().endswith(".gguf") or bool(reference.quantization)
    folder = named.rpartition("/")[0] if named in snapshot.files else named
    start = f"{folder}/" if folder else ""
    if not is_gguf and f"{start}adapter_config.json" in snapshot.files:
        inside = [path for path in snapshot.files if path.startswith(start) and "/" not in path[len(start) :]]
        files = tuple(snapshot.files[path] for path in sorted(inside) if _ADAPTER.fullmatch(path[len(start) :]))
        if any(file.path.endswith(".safetensors") for file in files):
            return Choice("adapter", files)
        raise HubError(
            f"the adapter in {snapshot.repo} is no Safetensors: a pickle can run any code and is never opened",
            hint="ask its owner to save it again with safe_serialization=True",
        )
    if is_gguf or (not named and snapshot.ggufs):
        return choose(snapshot, reference)
    raise HubError(f"{snapshot.repo} holds no adapter{f' in {named}' if named else ''}", hint=_files_hint(snapshot))


def _grouped(models: Iterable[HubFile]) -> dict[str, list[HubFile]]:
    groups: dict[str, list[HubFile]] = {}
    for file in models:
        groups.setdefault(label_of(file.path), []).append(file)
    return groups


def _size(files: Iterable[HubFile]) -> int:
    return sum(file.size for file in files)


def _listed(groups: dict[str, list[HubFile]]) -> str:
    rows = [
        f"{label or ', '.join(file.path for file in files[:3])} ({_size(files) / 1e9:.2f} GB)"
        for label, files in sorted(groups.items(), key=lambda group: _size(group[1]))
    ]
    return ", ".join(rows[:_MANY]) + (f" and {len(rows) - _MANY} more" if len(rows) > _MANY else "")


def _one_model(snapshot: Snapshot, files: list[HubFile], label: str) -> tuple[HubFile, ...]:
    """Return the shards of the one model among the files of a quantization, complete and in order."""
    stems = {_SHARD.sub("", file.path).removesuffix(".gguf") for file in files}
    if len(stems) > 1:
        raise HubError(
            f"{snapshot.repo} has {len(stems)} models{' in ' + label if label else ''}: {', '.join(sorted(stems)[:_MANY])}",
            hint=f"name the file: hf://{snapshot.repo}/{files[0].path}",
        )
    return shards_of(snapshot, files[0])


def shards_of(snapshot: Snapshot, file: HubFile) -> tuple[HubFile, ...]:
    """Return the file, or all shards of the model that it is one of; raises HubError where one is missing."""
    match = _SHARD.search(file.path)
    if match is None:
        return (file,)
    stem, count = file.path[: match.start()], int(match[2])
    paths = [f"{stem}-{number:05}-of-{match[2]}.gguf" for number in range(1, min(count, 1 << 12) + 1)]
    missing = [path for path in paths if path not in snapshot.files]
    if missing or not count:
        raise HubError(
            f"{snapshot.repo} lacks {len(missing)} of the {count} shards of {stem}: {', '.join(missing[:3])}",
            hint="the upload is not finished, or the repository is broken; choose another quantization",
        )
    return tuple(snapshot.files[path] for path in paths)


def _is_projector(file: HubFile) -> bool:
    return "mmproj" in file.name.lower()


def _projector(snapshot: Snapshot, model: HubFile) -> HubFile | None:
    """Return the projector that lies beside a model, or at the top; of several the one in half precision."""
    found = [file for file in snapshot.ggufs if _is_projector(file)]
    near = [file for file in found if file.folder == model.folder] or [file for file in found if not file.folder]
    order = {label: number for number, label in enumerate(_PROJECTORS)}
    return min(near, key=lambda file: (order.get(label_of(file.name), len(order)), file.path), default=None)


def _named(snapshot: Snapshot, path: str, models: list[HubFile], sides: tuple[HubFile, ...]) -> Choice:
    file = snapshot.files.get(path)
    if file is None:
        inside = [file for file in snapshot.files if file.startswith(f"{path.rstrip('/')}/")]
        close = did_you_mean(path, snapshot.files)
        hint = f"name one of its files, such as {sorted(inside)[0]}" if inside else _files_hint(snapshot)
        raise HubError(
            f"{snapshot.repo} at {snapshot.revision or snapshot.commit[:12]} has no file {path}{close}", hint=hint
        )
    if file not in models:
        return Choice("file", (file,))
    return Choice("gguf", shards_of(snapshot, file), label_of(file.path), _projector(snapshot, file), sides)


def _checkpoint(snapshot: Snapshot) -> Choice:
    names = snapshot.files
    if "adapter_config.json" in names and "config.json" not in names:
        return Choice("adapter", tuple(names[name] for name in sorted(names) if _ADAPTER.fullmatch(name)))
    files = tuple(names[name] for name in sorted(names) if _CHECKPOINT.fullmatch(name))
    if not any(file.path.endswith(".safetensors") for file in files):
        raise HubError(
            f"{snapshot.repo} holds no GGUF and no Safetensors at its top: nothing to make a model of",
            hint=_files_hint(snapshot),
        )
    return Choice("checkpoint", files)


def _files_hint(snapshot: Snapshot) -> str:
    shown = sorted(snapshot.files, key=lambda path: (not path.lower().endswith((".gguf", ".safetensors")), path))
    if not shown:
        return "it is empty"
    rest = f" and {len(shown) - _MANY} more" if len(shown) > _MANY else ""
    return f"it has {', '.join(shown[:_MANY])}{rest}"


def _instead(snapshot: Snapshot, reference: HubReference) -> str:
    if any(path.endswith(".safetensors") for path in snapshot.files):
        return (
            f"it has Safetensors: name hf://{reference.repo} and say how to quantize it "
            f"(quantize: {reference.quantization.upper()} in a recipe)"
        )
    return _files_hint(snapshot)
