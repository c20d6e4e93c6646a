"""What turns numbers into a tensor type and back, and which one is there: ggml's own code, or numpy's for simple types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from modelsmith.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from modelsmith.weights.gguf.types import TensorType

    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
    Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

INSTALL = 'pip install "modelsmith[quantize]"'


class Codec(Protocol):
    """Reads and writes rows of tensors. May be called by several threads at once."""

    name: str

    def reads(self, kind: TensorType) -> bool:
        """Whether ``decode`` can read a type."""

    def writes(self, kind: TensorType) -> bool:
        """Whether ``encode`` can write a type."""

    def prepare(self, kinds: Iterable[TensorType]) -> None:
        """Get ready for writing these types; called once, before any thread starts."""

    def valid(self, kind: TensorType, data: Bytes) -> bool:
        """Whether whole blocks hold numbers only, no NaN and no infinity."""

    def decode(self, kind: TensorType, data: Bytes, numbers: Floats) -> None:
        """Fill ``numbers`` with what whole blocks hold."""

    def encode(self, kind: TensorType, numbers: Floats, data: Bytes, row: int, importance: Floats | None) -> None:
        """Fill ``data`` with rows of ``row`` numbers; ``importance`` has one value for each column."""


def find_codec() -> Codec:
    """Return ggml's code where it is installed, else numpy's, which knows the simple types only."""
    from modelsmith.weights.quantize_ggml import load_ggml

    codec = load_ggml()
    if codec is None:
        from modelsmith.weights.gguf.numpy_codec import NumpyCodec

        codec = NumpyCodec()
    return codec


def check_codec(codec: Codec, pairs: Iterable[tuple[TensorType, TensorType]]) -> None:
    """Raise Unsupported where a tensor cannot be turned from the first type of a pair into the second."""
    for source, target in pairs:
        if source.name != "F32" and not codec.reads(source):
            raise Unsupported(
                f"{source.name} tensors cannot be turned into {target.name}: there is no way back from {source.name}",
                hint="start from a GGUF in F16, BF16 or F32",
            )
        if target.name != "F32" and not codec.writes(target):
            needed = codec.name != "ggml"
            raise Unsupported(
                f"{target.name} needs ggml's own code, which is not installed"
                if needed
                else f"the installed ggml does not write {target.name}",
                hint=f"{INSTALL}; without it F16, BF16, F32 and Q8_0 work, and --pure with Q5_1, Q5_0, Q4_1 and Q4_0"
                if needed
                else f"get a newer one: {INSTALL.replace('install', 'install --upgrade')}",
            )
