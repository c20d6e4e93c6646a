"""What a lock can say. Everything in it is checked when it is read: a lock comes with a repository, from anybody."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from modelsmith.name import ModelName
from modelsmith.syntax.modelfile.table import NOTED

VERSION = 1


def _joined(value: object) -> object:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return value


def _split(value: str | None) -> str | list[str] | None:
    return value.split("\n") if value is not None and "\n" in value else value


def _file_name(text: str) -> str:
    if text in {"", ".", ".."} or "/" in text or "\0" in text or len(text.encode("utf-8", "replace")) > 200:
        raise PydanticCustomError("file_name", "this is not the name of a file")
    return text


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Lines: TypeAlias = Annotated[str, BeforeValidator(_joined), PlainSerializer(_split)]
OptionalLines: TypeAlias = Annotated[str | None, BeforeValidator(_joined), PlainSerializer(_split)]
DigestText: TypeAlias = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
FileName: TypeAlias = Annotated[str, AfterValidator(_file_name)]
Size: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 60)]
Outline: TypeAlias = dict[str, Any]
"""The outline of a GGUF, see ``weights.gguf.outline``; checked when a file is made of it."""


class Part(BaseModel):
    """A part of a lock: unknown keys are errors, nothing is converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LockedSource(Part):
    """A recipe, or one that it extends: how it is named, and the digest of its text."""

    name: str
    digest: DigestText


class LockedFile(Part):
    """A file that a Modelfile names: which instruction names it, its bytes, and its header where it is a GGUF.

    An adapter of the Hub has a ``commit`` instead of bytes, and its address with | for / as its name.
    """

    name: FileName
    keyword: Literal["FROM", "ADAPTER", "DRAFT"]
    digest: DigestText | None = None
    size: Size
    commit: str = ""
    gguf: Outline | None = None


class LockedLayer(Part):
    """One blob of a model; ``digest`` is not there where it is known only once the blob was made."""

    type: str
    digest: DigestText | None = None
    size: Size
    source: str = ""
    name: str = ""


class LockedStored(Part):
    """A model of a store, as far as a plan needs it.

    Each of ``noted``, the instructions whose text Ollama keeps in a model's config, is a key of its own in the file.
    """

    name: str
    digest: str
    size: Size
    template: OptionalLines = None
    chat_template: OptionalLines = None
    chat_template_known: bool = True
    system: Lines = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    messages: Annotated[tuple[dict[str, Any], ...], BeforeValidator(_as_tuple)] = ()
    licenses: Annotated[tuple[Lines, ...], BeforeValidator(_as_tuple)] = ()
    noted: dict[str, str] = Field(default_factory=dict)
    family: str = ""
    format: str = ""
    capabilities: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    extra_layers: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    weights: DigestText | None = None
    config: dict[str, Any] | None = None
    layers: Annotated[tuple[LockedLayer, ...], BeforeValidator(_as_tuple)] = ()
    ggufs: dict[DigestText, Outline] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "noted" in data:
            return data
        noted = {key: value for key, value in data.items() if key in NOTED}
        return {**{key: value for key, value in data.items() if key not in NOTED}, "noted": noted}

    @model_serializer(mode="wrap")
    def _spread(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        spread: dict[str, Any] = {}
        for key, value in serialized(self).items():
            spread |= value if key == "noted" else {key: value}
        return spread


class LockedBase(Part):
    """Where a recipe starts: ``spec`` as the recipe says it, the commit of the Hub, the files or the model that it means.

    ``partly`` says why the base cannot be planned with from the lock alone; "" where it can.
    """

    spec: str
    commit: str = ""
    modelfile: Lines = ""
    files: Annotated[tuple[LockedFile, ...], BeforeValidator(_as_tuple)] = ()
    model: LockedStored | None = None
    partly: str = ""


class LockedResult(Part):
    """What the recipe makes: the manifest's digest and its blobs, and which template runs then.

    ``weights`` is a digest of what the weights are made of and how; equal ones make equal weights.
    """

    manifest: DigestText | None = None
    runs: str
    weights: DigestText
    layers: Annotated[tuple[LockedLayer, ...], BeforeValidator(_as_tuple)] = ()


class LockedModel(Part):
    """One model that a recipe makes, and everything that it depends on."""

    recipe: str
    inputs: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    profile: str = ""
    sources: Annotated[tuple[LockedSource, ...], BeforeValidator(_as_tuple)]
    tools: dict[str, str]
    as_is: bool = False
    base: LockedBase
    adapters: Annotated[tuple[LockedFile, ...], BeforeValidator(_as_tuple)] = ()
    result: LockedResult


def _model_name(text: str) -> str:
    if ModelName.parse(text).problem:
        raise PydanticCustomError("model_name", "this is not the name of a model")
    return text


class Lock(Part):
    """A lock: the models by the names under which recipes create them."""

    version: Literal[1]
    models: dict[Annotated[str, AfterValidator(_model_name)], LockedModel] = Field(default_factory=dict)
