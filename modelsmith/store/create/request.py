"""The body of ``POST /api/create``, read as Ollama's server reads it.

Sources: Ollama ``api/types.go`` (CreateRequest, Message), ``server/create.go`` (CreateHandler); Go ``encoding/json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import BlobNotFound, DigestMismatch, InvalidDigest, Unsupported, UsageError
from modelsmith.gojson import GoStruct
from modelsmith.manifest import Digest
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.store.model import BlobSource, CreateRequest
from modelsmith.syntax.modelfile.table import NOTED, HasNoted
from modelsmith.weights.blobs.blob import FileBlob, SegmentBlob

if TYPE_CHECKING:
    from modelsmith.store.layout import Layout

_FILES = ("files", "draft_files", "adapters")
_DIGEST = regex(r"sha256[:-]([0-9a-fA-F]{64})")
_MESSAGE_TEXTS = ("tool_name", "tool_call_id")

Blobs = Mapping[str, "str | Path | BlobSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRequest(HasNoted):
    """A request whose types are right: what the model is made from, and what is set on it."""

    base: str
    remote_host: str
    files: Mapping[str, SegmentBlob]
    draft_files: Mapping[str, SegmentBlob]
    adapters: Mapping[str, SegmentBlob]
    template: str
    system: str
    licenses: tuple[str, ...]
    parameters: Mapping[str, Any]
    messages: tuple[GoStruct, ...]
    noted: Mapping[str, str]
    quantize: str
    draft_quantize: str
    info: Mapping[str, Any]


def checked_request(request: CreateRequest) -> CheckedRequest:
    """Check a request; raises UsageError with Ollama's reason where it is none."""
    fields = request.fields
    base = _text(fields, "from")
    for group in (request.files, request.draft_files):
        for name in group:
            if not _is_slash_path(name):
                raise UsageError(f"file path must be relative: {name!r:.120}", hint="name files as folder/file.gguf")
    if not base and not request.files:
        raise UsageError("neither 'from' or 'files' was specified", hint="say what the model is made from: FROM …")
    draft_quantize = _text(fields, "draft_quantize").upper()
    if draft_quantize and not request.draft_files:
        raise UsageError("--draft-quantize requires a DRAFT model")
    return CheckedRequest(
        base=base,
        remote_host=_text(fields, "remote_host"),
        files=_sources(request.files),
        draft_files=_sources(request.draft_files),
        adapters=_sources(request.adapters),
        template=_text(fields, "template"),
        system=_text(fields, "system"),
        licenses=_licenses(fields.get("license")),
        parameters=_parameters(fields.get("parameters")),
        messages=tuple(_message(index, message) for index, message in enumerate(_list(fields, "messages"))),
        noted={command: _text(fields, command) for command in NOTED},
        quantize=(_text(fields, "quantize") or _text(fields, "quantization")).upper(),
        draft_quantize=draft_quantize,
        info=_object(fields, "info"),
    )


def from_body(body: Mapping[str, Any], blobs: Blobs, layout: Layout) -> CreateRequest:
    """Return the request of a JSON body whose digests are found in ``blobs`` (digest -> file) or in the store.

    Raises BlobNotFound for a digest that is nowhere, DigestMismatch where a file has other bytes than it was named for.
    """
    groups: dict[str, dict[str, BlobSource]] = {}
    named = {_digest(digest): source for digest, source in blobs.items()}
    for key in _FILES:
        groups[key] = {}
        for name, text in _object(body, key).items():
            digest = _digest(text)
            if digest in named:
                groups[key][name] = _checked(named[digest], digest)
            elif layout.blob_path(digest).is_file():
                groups[key][name] = _checked(layout.blob_path(digest), digest)
            else:
                raise BlobNotFound(
                    f"{name}: there is no blob {digest}",
                    hint="give the file with blobs={digest: path}, or store it first",
                )
    fields = {key: value for key, value in body.items() if key not in {*_FILES, "model", "name", "stream"}}
    return CreateRequest(fields, groups["files"], groups["draft_files"], groups["adapters"])


def as_float64(value: Any) -> Any:
    """Return a JSON value as Go holds it: every number is a float64."""
    match value:
        case bool() | None | str() | float():
            return value
        case int():
            try:
                return float(value)
            except OverflowError:
                raise UsageError(f"the number {value!s:.40}… does not fit a float64") from None
        case Mapping():
            return {str(key): as_float64(item) for key, item in value.items()}
        case Sequence():
            return [as_float64(item) for item in value]
    raise UsageError(f"{value!r:.80} is not JSON")


def _digest(text: Any) -> Digest:
    match = _DIGEST.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise InvalidDigest(f"invalid digest format: {text!r:.120}", hint='"sha256:" and 64 hex digits are expected')
    return Digest(match[1].lower())


def _checked(source: str | Path | BlobSource, digest: Digest) -> BlobSource:
    blob = FileBlob(source) if isinstance(source, str | Path) else source
    found = blob.digest()
    if found != digest:
        raise DigestMismatch(
            f'{blob.path}: digest mismatch, expected "{digest}", got "{found}"',
            hint="the file changed since it was hashed; make the request again",
        )
    return blob


def _sources(group: Mapping[str, BlobSource]) -> dict[str, SegmentBlob]:
    sources: dict[str, SegmentBlob] = {}
    for name, source in group.items():
        if not isinstance(source, SegmentBlob):
            raise Unsupported(f"{name}: {type(source).__name__} is no source of bytes that a folder can take")
        sources[name] = source
    return sources


def _is_slash_path(name: str) -> bool:
    """Go's ``fs.ValidPath``: relative, with slashes, without empty, ``.`` or ``..`` elements."""
    return name == "." or not any(part in {"", ".", ".."} for part in name.split("/"))


def _wrong(key: str, value: Any, type_: str) -> UsageError:
    return UsageError(f"cannot read {value!r:.80} as the {type_} {key} of a create request")


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(key, value, "text")
    return value


def _object(fields: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(key, value, "object")
    return value


def _list(fields: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = fields.get(key)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _wrong(key, value, "list")
    return value


def _licenses(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise _wrong("license", value, "text or list of texts")
    return tuple(value)


def _parameters(value: Any) -> dict[str, Any]:
    return {str(key): as_float64(item) for key, item in _object({"parameters": value}, "parameters").items()}


def _message(index: int, message: Any) -> GoStruct:
    where = f"messages[{index}]"
    if not isinstance(message, Mapping):
        raise _wrong(where, message, "object")
    result = GoStruct(role=_text(message, "role").lower(), content=_text(message, "content"))
    if thinking := _text(message, "thinking"):
        result["thinking"] = thinking
    if images := _list(message, "images"):
        result["images"] = [str(image) for image in images]
    if calls := _list(message, "tool_calls"):
        result["tool_calls"] = [_tool_call(where, call) for call in calls]
    for key in _MESSAGE_TEXTS:
        if text := _text(message, key):
            result[key] = text
    return result


def _tool_call(where: str, call: Any) -> GoStruct:
    if not isinstance(call, Mapping):
        raise _wrong(f"{where}.tool_calls", call, "object")
    function = _object(call, "function")
    arguments = _object(function, "arguments")
    result = GoStruct(id=_text(call, "id")) if _text(call, "id") else GoStruct()
    result["function"] = GoStruct(
        index=int(function.get("index") or 0),
        name=_text(function, "name"),
        arguments=GoStruct({str(key): as_float64(item) for key, item in arguments.items()}),
    )
    return result
