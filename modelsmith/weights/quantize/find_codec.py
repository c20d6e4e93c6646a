"""What turns numbers into a tensor type and back, and which one is there: ggml's own code, or numpy's for simple types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.weights.gguf.types import TensorType
    from modelsmith.weights.quantize.codec import Codec


INSTALL = 'pip install "modelsmith[quantize]"'


def find_codec() -> Codec:
    """Return ggml's code where it is installed, else numpy's, which knows the simple types only."""
    from modelsmith.weights.quantize.ggml import load_ggml

    codec = load_ggml()
    if codec is None:
        from modelsmith.weights.quantize.numpy_codec import NumpyCodec

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
