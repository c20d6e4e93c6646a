"""What stores hand out and take in: stored models, sources of blobs, create requests."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from modelsmith.progress import ProgressSink, silent
from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.table import HasNoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelsmith.manifest import Digest
    from modelsmith.name import ModelName


class BlobSource(Protocol):
    """Bytes that can be stored: a file as it is, or a GGUF with edited metadata. Streams; never held in memory whole."""

    @property
    def path(self) -> Path:
        """The file that the bytes (or most of them) come from."""

    @property
    def size(self) -> int:
        """How many bytes ``chunks`` yields."""

    def digest(self, progress: ProgressSink = silent) -> Digest:
        """Hash the bytes that ``chunks`` yields (once; later calls answer from memory)."""

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes in order."""


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """The body of ``POST /api/create``, with sources of bytes where the body has digests.

    ``fields`` holds every key but ``files``, ``draft_files`` and ``adapters`` (file name -> source), e.g. ``from``,
    ``template``, ``system``, ``parameters``. Both stores consume it; it is the cut that Ollama makes itself.
    """

    fields: Mapping[str, Any]
    files: Mapping[str, BlobSource] = field(default_factory=dict)
    draft_files: Mapping[str, BlobSource] = field(default_factory=dict)
    adapters: Mapping[str, BlobSource] = field(default_factory=dict)

    def to_body(self, progress: ProgressSink = silent) -> dict[str, Any]:
        """Return the JSON body, hashing each file once."""
        body = dict(self.fields)
        for key in ("files", "draft_files", "adapters"):
            sources: Mapping[str, BlobSource] = getattr(self, key)
            if sources:
                body[key] = {name: str(source.digest(progress)) for name, source in sources.items()}
        return body


@dataclass(frozen=True, slots=True)
class ServerSays:
    """What a newer server says about how it runs a model, as far as it says it.

    ``template_source`` is the server's own word (``renderer_parser``, ``renderer``, ``parser``, ``harmony``, ``go_template``,
    ``gguf_chat_template``, ``none``), ``renderer`` and ``parser`` are the effective ones, ``think_values`` what ``think``
    may be, ``think_default`` what an unset one becomes, ``version`` the server's; empty where it says nothing. ``is_shown``: the server
    has no word of its own for it, ``template_source`` follows from the template that it shows.
    """

    template_source: str = ""
    renderer: str = ""
    parser: str = ""
    think_values: tuple[str, ...] = ()
    think_default: str = ""
    version: str = ""
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class StoredModel(HasNoted):
    """A model as its store describes it.

    ``template`` is the Go template of the model's own layer (None: no layer), ``chat_template`` the Jinja text inside
    its GGUF (None: there is none), ``chat_template_known`` False where the store cannot look into the GGUF.
    ``noted`` are the texts of its config (``renderer``, ``parser``, ``requires`` …). ``parameters`` are typed values, lists for ``stop``. ``weights`` is the GGUF's path where it can be read here;
    ``extra_layers`` are the kinds of further weights (``projector``, ``adapter``, ``draft`` …), ``format`` is that of the
    weights (``gguf``, ``safetensors``; "" where it is not noted), ``said`` what a server says about how it runs the model,
    ``parent`` the short name of the model that its weights were taken from ("" where it is not noted).
    """

    name: ModelName
    digest: str
    template: str | None
    chat_template: str | None
    chat_template_known: bool
    system: str
    parameters: Mapping[str, Any]
    messages: tuple[Mapping[str, Any], ...]
    licenses: tuple[str, ...]
    noted: Mapping[str, str]
    family: str
    capabilities: frozenset[str]
    weights: Path | None
    weights_digest: Digest | None
    size: int
    extra_layers: tuple[str, ...] = ()
    format: str = ""
    said: ServerSays | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class LayerPreview:
    """One blob of a model to be created and what it costs.

    ``how``: ``exists`` (already stored), ``write`` (a small text), ``copy`` or ``link`` (the file as it is),
    ``rewrite`` (a GGUF copied in canonical order), ``quantize`` (made of a larger one), ``upload`` (to a server). ``digest`` is None while it is not known.
    """

    media_type: str
    size: int
    how: str
    digest: Digest | None = None
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class CreatePreview:
    """What ``create`` would do: the blobs, and whether the model that is stored under the name would change.

    ``changes`` is False only when the stored model is known to be the same already.
    """

    layers: tuple[LayerPreview, ...]
    changes: bool

    @property
    def bytes_to_write(self) -> int:
        """Bytes that will be written or sent; links cost none."""
        return sum(layer.size for layer in self.layers if layer.how not in {"exists", "link"})
