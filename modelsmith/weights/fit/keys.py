"""Reading the numbers that memory depends on from a GGUF's metadata: bounded, each refusal naming the key and the value.

Sources: llama.cpp ``src/llama-model.cpp`` (load_hparams: which keys have defaults), ``src/llama-hparams.h`` (limits).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from modelsmith.errors import InvalidGGUF
from modelsmith.weights.gguf.metadata import GGUFArray

if TYPE_CHECKING:
    from modelsmith.weights.gguf.metadata import Metadata

MAX_LAYERS = 1024
MAX_HEADS = 4096
MAX_WIDTH = 1 << 20
MAX_CONTEXT = 1 << 31
MAX_EXPERTS = 4096


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one architecture; ``name`` is what messages call the model."""

    metadata: Metadata
    name: str

    def fail(self, key: str, value: object, why: str) -> NoReturn:
        """Raise InvalidGGUF for a value that cannot be true."""
        raise InvalidGGUF(
            f"{self.name}: {self.full(key)} is {value!r:.60}, {why}",
            hint="the file is damaged or was made by a faulty converter; `modelsmith gguf verify` looks closer",
        )

    def full(self, key: str) -> str:
        """Return a key with the architecture before it."""
        return f"{self.metadata.architecture}.{key}"

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return self.full(key) in self.metadata

    def value(self, key: str) -> Any:
        """Return a value as it stands there, arrays as lists; None where there is none."""
        value = self.metadata.get(self.full(key))
        if isinstance(value, GGUFArray):
            if len(value) > MAX_LAYERS:
                self.fail(key, value, f"more than the {MAX_LAYERS} layers that any model has")
            return list(value)
        return value

    def number(self, key: str, default: int | None = None, *, least: int = 0, most: int = MAX_WIDTH) -> int:
        """Return a whole number within bounds; raises InvalidGGUF where it is missing without a default, or out of bounds."""
        value = self.value(key)
        if isinstance(value, list):
            value = max((number for number in value if _whole(number)), default=None)
        if value is None:
            if default is None:
                raise InvalidGGUF(
                    f"{self.name}: {self.full(key)} is missing, and its memory cannot be told without it",
                    hint="is this the first shard of the model's own file? Convert it again if it is",
                )
            return default
        return self._checked(key, value, least, most)

    def per_layer(self, key: str, layers: int, default: int | None = None, *, most: int = MAX_WIDTH) -> tuple[int, ...]:
        """Return a number for each layer: the one number that is there, or the items of an array."""
        value = self.value(key)
        if not isinstance(value, list):
            return (self.number(key, default, most=most),) * layers
        if len(value) < layers:
            self.fail(key, self.metadata[self.full(key)], f"and the model has {layers} layers")
        return tuple(self._checked(key, number, 0, most) for number in value[:layers])

    def _checked(self, key: str, value: Any, least: int, most: int) -> int:
        if not _whole(value):
            self.fail(key, value, "which is no whole number")
        if not least <= value <= most:
            self.fail(key, value, f"and must be within {least} and {most}")
        return int(value)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
