"""What lint may know beside the text: the files that it names, the model it builds on, the machine.

Values only: whoever calls lint looks at disk and store (``modelsmith.store.surroundings``). What is None was not looked at,
and rules that need it stay silent.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class PathKind(StrEnum):
    """What a path leads to."""

    MISSING = "missing"
    FILE = "file"
    FOLDER = "folder"
    SPECIAL = "special"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class PathFacts:
    """A path that FROM, ADAPTER or DRAFT names, looked at.

    ``format`` is what the first bytes say: gguf, safetensors, html, git-lfs, gzip, zip, ggml, pytorch, unknown, "" for
    folders. ``problem`` says what is wrong with a weights file ("" for nothing) and ``hint`` the way out. ``entries`` are
    the names in a folder. ``role`` is model, adapter, projector or vocabulary for a GGUF; ``model`` is what its header says.
    """

    path: str
    kind: PathKind
    size: int = 0
    format: str = ""
    problem: str = ""
    hint: str = ""
    entries: tuple[str, ...] = ()
    is_link: bool = False
    leaves_folder: bool = False
    role: str = ""
    model: Model | None = None


class Vocabulary(Protocol):
    """The tokens of a model."""

    def id_of(self, text: str) -> int | None:
        """Return the id of the token with exactly this text, None where there is none."""

    def is_control(self, token: int) -> bool:
        """Say whether a token is a control or user-defined one: never split, never part of ordinary text."""

    def controls(self) -> Iterable[str]:
        """Return the texts of all control and user-defined tokens."""

    def count(self, text: str) -> int | None:
        """Return how many tokens a text has, None where this kind of tokenizer is not known."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a base model: from a GGUF's header, from a store, or both.

    Lengths are in tokens, ``embedding_length`` (and for a projector ``projection_width``) in numbers a token; 0 and "" mean
    unknown. ``is_stored`` says that template,
    system, parameters and so on are those of a stored model (a GGUF has none of them). ``is_decision`` marks a decision model,
    which answers with a verdict and not with text: it needs no template and no stops.
    """

    name: str
    architecture: str = ""
    context_length: int = 0
    embedding_length: int = 0
    chat_template: str | None = None
    bos: str = ""
    eos: str = ""
    eot: str = ""
    adds_bos: bool = False
    end_tokens: tuple[str, ...] = ()
    vocabulary: Vocabulary | None = None
    capabilities: frozenset[str] = frozenset()
    is_stored: bool = False
    template: str = ""
    system: str = ""
    renderer: str = ""
    parser: str = ""
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    licenses: tuple[str, ...] = ()
    license: str = ""
    is_embedding: bool = False
    is_decision: bool = False
    projection_width: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything outside of the text; ``paths`` by the argument as it is written."""

    paths: Mapping[str, PathFacts] | None = None
    model: Model | None = None
    stored_models: frozenset[str] | None = None


NOTHING = Surroundings()
"""Nothing was looked at: only the text counts."""
