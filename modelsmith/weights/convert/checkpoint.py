"""A folder in the layout of the Hugging Face Hub: its configuration, its tokenizer's files and its tensors.

Nothing in it is trusted and nothing is run: pickles are not opened, ``auto_map`` code is not imported, names in the index that
lead out of the folder are refused. Symbolic links to single files are followed, as the Hub's own cache is made of them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidCheckpoint, ModelsmithError, UnreadableFile
from modelsmith.files.regular import open_regular
from modelsmith.records import dataclass
from modelsmith.weights.convert.safetensors import SafetensorsFile, all_tensors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.files.segments import FileStamp
    from modelsmith.weights.convert.safetensors import StoredTensor

INDEX = "model.safetensors.index.json"
CONFIG = "config.json"
_MAX_JSON = 128 << 20
_MAX_SHARDS = 4096
_PICKLE = re.compile(r"(pytorch_model|consolidated|model).*\.(bin|pth|pt|ckpt)")
_SHARD = re.compile(r".*-(\d{5})-of-(\d{5})\.safetensors")
_AGAIN = "it is damaged or was not downloaded completely; fetch it again"


@dataclass(frozen=True)
class Checkpoint:
    """A folder with ``config.json`` and Safetensors. Raises UnreadableFile where ``folder`` is none."""

    folder: Path
    _json: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Checkpoint:
        """Return the checkpoint in a folder; raises UnreadableFile with the way out."""
        path = Path(folder)
        if not path.exists():
            raise UnreadableFile(f"{path} does not exist", hint="name the folder that holds config.json")
        if not path.is_dir():
            raise UnreadableFile(f"{path} is a file, and no folder of Safetensors", hint=_way_out(path))
        return cls(path)

    def text(self, name: str) -> str | None:
        """Return the text of a file of the folder, None where there is no such file."""
        path = self.folder / name
        if not path.exists():
            return None
        descriptor = open_regular(path)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(_MAX_JSON + 1)
        if len(data) > _MAX_JSON:
            raise InvalidCheckpoint(f"{path} is larger than {_MAX_JSON:,} bytes", hint="it is not what it is taken for")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise InvalidCheckpoint(f"{path} is not UTF-8 (byte {error.start})", hint=_AGAIN) from error

    def json(self, name: str) -> Any:
        """Return what a JSON file of the folder holds, None where there is no such file."""
        if name not in self._json:
            text = self.text(name)
            try:
                self._json[name] = None if text is None else json.loads(text)
            except (ValueError, RecursionError) as error:
                raise InvalidCheckpoint(f"{self.folder / name} is no JSON: {error}", hint=_AGAIN) from error
        return self._json[name]

    def table(self, name: str) -> Mapping[str, Any]:
        """Return the table in a JSON file, an empty one where there is no such file."""
        found = self.json(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise InvalidCheckpoint(f"{self.folder / name} is no table", hint=_AGAIN)
        return found

    def data(self, name: str, limit: int) -> bytes | None:
        """Return the bytes of a file of the folder, None where there is no such file."""
        path = self.folder / name
        if not path.exists():
            return None
        with os.fdopen(open_regular(path), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise InvalidCheckpoint(f"{path} is larger than {limit:,} bytes", hint="it is not what it is taken for")
        return data

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The table in ``config.json``; raises UnreadableFile where there is none."""
        if self.json(CONFIG) is None:
            raise UnreadableFile(f"{self.folder} has no {CONFIG}", hint=self._without_config())
        return self.table(CONFIG)

    @property
    def config_or_empty(self) -> Mapping[str, Any]:
        """The same, and an empty table where it is missing or damaged."""
        try:
            return self.config
        except ModelsmithError:
            return {}

    def _without_config(self) -> str:
        if any(self.folder.glob("*.gguf")):
            return "it holds a GGUF: name that file"
        if (self.folder / "adapter_config.json").exists():
            return "it holds an adapter, which is merged into its base model and not converted by itself"
        if (self.folder / "params.json").exists():
            return "it is in Mistral's own format; take the files for Transformers from the same repository"
        below = sorted(self.folder.glob(f"snapshots/*/{CONFIG}"))
        return f"name the folder {below[0].parent}" if below else "name the folder that holds config.json"

    @cached_property
    def shard_names(self) -> tuple[str, ...]:
        """The Safetensors that belong to the model, by the index or by their names."""
        index = self.table(INDEX).get("weight_map")
        if index is None:
            found = sorted(path.name for path in self.folder.glob("*.safetensors"))
            named = [name for name in found if name.startswith("model")]
            return tuple(named or [name for name in found if not name.startswith(("adapter", "consolidated"))])
        if not isinstance(index, dict) or not all(isinstance(name, str) for name in index.values()):
            raise InvalidCheckpoint(f"{self.folder / INDEX}: its weight_map is no table of file names", hint=_AGAIN)
        names = tuple(sorted(set(index.values())))
        for name in names:
            if Path(name).name != name or name in {"", ".", ".."} or "\\" in name or "\0" in name:
                raise InvalidCheckpoint(
                    f"{self.folder / INDEX} names {name!r}, which is outside of the folder",
                    hint="such an index is not what it seems; do not use this download",
                )
        if len(names) > _MAX_SHARDS:
            raise InvalidCheckpoint(f"{self.folder / INDEX} names {len(names):,} files", hint=_AGAIN)
        return names

    @property
    def missing_shards(self) -> tuple[str, ...]:
        """The files that the index, or the numbers in the names, ask for and that are not there."""
        missing = [name for name in self.shard_names if not (self.folder / name).exists()]
        for name in self.shard_names:
            if match := _SHARD.fullmatch(name):
                count = int(match[2])
                wanted = (
                    f"{name[: match.start(1)]}{number:05}-of-{match[2]}.safetensors"
                    for number in range(1, min(count, _MAX_SHARDS) + 1)
                )
                missing += [shard for shard in wanted if shard not in self.shard_names and shard not in missing]
                break
        return tuple(missing)

    @property
    def extra_shards(self) -> tuple[str, ...]:
        """Safetensors in the folder that the index does not know."""
        found = {path.name for path in self.folder.glob("*.safetensors")}
        return tuple(sorted(found - set(self.shard_names)))

    @property
    def pickles(self) -> tuple[str, ...]:
        """Files of PyTorch, which hold programs and are never opened."""
        return tuple(sorted(path.name for path in self.folder.iterdir() if _PICKLE.fullmatch(path.name)))

    @property
    def links_out(self) -> tuple[str, ...]:
        """Files that are symbolic links to places out of the folder, as in the Hub's cache."""
        root = self.folder.resolve()
        return tuple(
            sorted(
                path.name
                for path in self.folder.iterdir()
                if path.is_symlink() and not path.resolve().is_relative_to(root)
            )
        )

    @cached_property
    def shards(self) -> tuple[SafetensorsFile, ...]:
        """The headers of all files; raises where there are none, or not all."""
        if not self.shard_names:
            hint = "name the folder that holds model.safetensors"
            if self.pickles:
                hint = (
                    f"{self.pickles[0]} is a pickle, which can run programs and is never opened; convert it where you trust it: "
                    "AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(OUT)"
                )
            raise UnreadableFile(f"{self.folder} has no Safetensors", hint=hint)
        if missing := self.missing_shards:
            raise InvalidCheckpoint(
                f"{self.folder}: {len(missing)} of the model's files {'is' if len(missing) == 1 else 'are'} missing: {_list(missing)}",
                hint="fetch them as well; the download was not completed",
            )
        return tuple(SafetensorsFile.open(self.folder / name) for name in self.shard_names)

    @cached_property
    def tensors(self) -> Mapping[str, StoredTensor]:
        """All tensors by name; raises InvalidCheckpoint where index and files do not agree."""
        found = all_tensors(self.shards)
        index = self.table(INDEX).get("weight_map")
        if isinstance(index, dict):
            if lost := sorted(set(index) - set(found)):
                raise InvalidCheckpoint(
                    f"{self.folder}: {len(lost)} tensors of the index are in none of its files: {_list(lost)}",
                    hint=_AGAIN,
                )
            if extra := sorted(set(found) - set(index)):
                raise InvalidCheckpoint(
                    f"{self.folder}: {len(extra)} tensors of its files are not in the index: {_list(extra)}",
                    hint=f"the files are of another download than {INDEX}; fetch both again",
                )
        return found

    @property
    def stamps(self) -> tuple[FileStamp, ...]:
        """The files that hold the tensors, in the state in which they were found."""
        return tuple(shard.stamp for shard in self.shards)

    def files(self) -> Iterator[Path]:
        """Yield every file whose content a conversion depends on."""
        yield from (self.folder / name for name in self.shard_names)
        for pattern in ("*.json", "*.jinja", "tokenizer.model", "merges.txt", "README.md", "*_Pooling/config.json"):
            yield from sorted(self.folder.glob(pattern))


def _list(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _way_out(path: Path) -> str:
    """Return what to do with a file in place of a folder."""
    if path.suffix.lower() == ".gguf":
        return f"look at a GGUF with: modelsmith gguf inspect {shlex.quote(str(path))}"
    return "name the folder that holds config.json and the .safetensors"
