"""The config blob of a model: what Ollama notes about it beside its layers.

Sources: Ollama ``types/model/config.go`` (keys and their order), ``format/format.go`` (HumanNumber), ``server/create.go``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelsmith.errors import UsageError
from modelsmith.gojson import GoStruct, encode
from modelsmith.syntax.modelfile.table import NOTED, HasNoted

if TYPE_CHECKING:
    from collections.abc import Mapping

_BILLION, _MILLION, _THOUSAND = 10**9, 10**6, 10**3
_MAX_INT = (1 << 63) - 1


@dataclass(slots=True)
class Config(HasNoted):
    """The values of a config blob while a model is being composed."""

    model_format: str = ""
    model_family: str = ""
    model_families: list[str] | None = None
    model_type: str = ""
    file_type: str = ""
    noted: dict[str, str] = field(default_factory=dict)
    remote_host: str = ""
    remote_model: str = ""
    capabilities: tuple[str, ...] = ()
    context_length: int = 0
    embedding_length: int = 0
    base_name: str = ""
    draft_format: str = ""
    draft_architecture: str = ""

    def inherit(self, base: Mapping[str, Any]) -> None:
        """Take over what a model passes on to those made from it; the rest is found out again from the weights."""

        def text(key: str) -> str:
            value = base.get(key)
            return value if isinstance(value, str) else ""

        self.noted = {command: self.noted.get(command) or text(command) for command in NOTED}
        self.model_format = self.model_format or text("model_format")
        given = base.get("capabilities")
        if not self.capabilities and isinstance(given, list):
            self.capabilities = tuple(given)

    def override(self, info: Mapping[str, Any]) -> None:
        """Apply the ``info`` of a request, which no Modelfile can express; raises UsageError for wrong types."""
        given = info.get("capabilities")
        if isinstance(given, list | tuple):
            self.capabilities += tuple(item if isinstance(item, str) else "" for item in given)
        self.model_family = _text(info, "model_family")
        if self.model_family:
            self.model_families = [self.model_family]
        self.base_name = _text(info, "base_name")
        self.file_type = _text(info, "quantization_level")
        self.model_type = _text(info, "parameter_size")
        self.context_length = _count(info, "context_length")
        self.embedding_length = _count(info, "embedding_length")

    def to_bytes(self) -> bytes:
        """Return the blob."""
        body = GoStruct(
            model_format=self.model_format,
            model_family=self.model_family,
            model_families=self.model_families,
            model_type=self.model_type,
            file_type=self.file_type,
        )
        optional: dict[str, Any] = {
            **{command: self.noted.get(command) for command in NOTED},
            "remote_host": self.remote_host,
            "remote_model": self.remote_model,
            "capabilities": list(self.capabilities),
            "context_length": self.context_length,
            "embedding_length": self.embedding_length,
            "base_name": self.base_name,
            "draft": GoStruct(model_format=self.draft_format, architecture=self.draft_architecture)
            if self.draft_format
            else None,
        }
        body.update({key: value for key, value in optional.items() if value})
        body.update(architecture="amd64", os="linux")
        return encode(body).encode() + b"\n"


def human_number(count: int) -> str:
    """Return a number of parameters as Ollama prints it: ``134.52M``, ``7.6B``, ``494K``."""
    if count >= _BILLION:
        return _scaled(count, _BILLION, 1) + "B"
    if count >= _MILLION:
        return _scaled(count, _MILLION, 2) + "M"
    return f"{count / _THOUSAND:.0f}K" if count >= _THOUSAND else str(count)


def _scaled(count: int, unit: int, digits: int) -> str:
    number = count / unit
    return f"{number:.0f}" if number.is_integer() else f"{number:.{digits}f}"


def _text(info: Mapping[str, Any], key: str) -> str:
    value = info.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f'info field "{key}" must be a string')
    return value


def _count(info: Mapping[str, Any], key: str) -> int:
    value = info.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f'info field "{key}" must be a number')
    if value < 0 or value != int(value) or value > _MAX_INT:
        raise UsageError(f'info field "{key}" must be a non-negative integer')
    return int(value)
