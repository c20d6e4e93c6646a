"""ggml's own quantization, called in its shared library: ctypes lets go of the interpreter, so that threads run side by side.

Source: ggml ``include/ggml.h`` (ggml_quantize_chunk, ggml_get_type_traits, ggml_validate_row_data).
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.weights.gguf.types import TENSOR_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from modelsmith.weights.gguf.types import TensorType
    from modelsmith.weights.quantize.codec import Bytes, Codec, Floats

_PACKAGE = "libggml"
_NAMES = {"darwin": "libggml-base.dylib", "win32": "ggml-base.dll"}
_TO_FLOAT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


class _Traits(ctypes.Structure):
    """``struct ggml_type_traits``."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.c_void_p),
        ("from_float_ref", ctypes.c_void_p),
    )


class GgmlCodec:
    """Tensor types as ggml reads and writes them, bit for bit."""

    name = "ggml"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._encode = library.ggml_quantize_chunk
        self._encode.restype = ctypes.c_size_t
        self._encode.argtypes = (
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_int64,
            ctypes.c_int64,
            ctypes.c_int64,
            ctypes.c_void_p,
        )
        self._valid = library.ggml_validate_row_data
        self._valid.restype = ctypes.c_bool
        self._valid.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
        self._prepare = library.ggml_quantize_init
        self._prepare.restype = None
        self._prepare.argtypes = (ctypes.c_int,)
        traits = library.ggml_get_type_traits
        traits.restype = ctypes.POINTER(_Traits)
        traits.argtypes = (ctypes.c_int,)
        self._decoders: dict[int, Callable[[int, int, int], None]] = {}
        self._known: set[int] = set()
        for kind in TENSOR_TYPES.values():
            found = traits(kind.id).contents
            if (found.blck_size, found.type_size) != (kind.block, kind.width):
                continue  # a ggml that knows this type no more, or does not know it yet
            self._known.add(kind.id)
            if found.to_float:
                self._decoders[kind.id] = _TO_FLOAT(found.to_float)

    def reads(self, kind: TensorType) -> bool:
        """Whether ggml can turn a type into floats."""
        return kind.id in self._decoders

    def writes(self, kind: TensorType) -> bool:
        """Whether ggml can turn floats into a type; all that it reads."""
        return kind.id in self._decoders and kind.name != "Q8_K"

    def prepare(self, kinds: Iterable[TensorType]) -> None:
        """Let ggml build the tables that some types need."""
        for kind in kinds:
            self._prepare(kind.id)

    def valid(self, kind: TensorType, data: Bytes) -> bool:
        """Whether ggml finds numbers only."""
        return kind.id not in self._known or bool(self._valid(kind.id, data.ctypes.data, data.nbytes))

    def decode(self, kind: TensorType, data: Bytes, numbers: Floats) -> None:
        """Turn whole blocks into floats."""
        self._decoders[kind.id](data.ctypes.data, numbers.ctypes.data, numbers.size)

    def encode(self, kind: TensorType, numbers: Floats, data: Bytes, row: int, importance: Floats | None) -> None:
        """Turn rows of floats into whole blocks."""
        weights = None if importance is None else importance.ctypes.data
        self._encode(kind.id, numbers.ctypes.data, data.ctypes.data, 0, numbers.size // row, row, weights)


@lru_cache(maxsize=1)
def load_ggml() -> Codec | None:
    """Return ggml, or None where the extra ``quantize`` is not installed or does not fit this machine."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).rglob(_NAMES.get(sys.platform, "libggml-base.so"))):
            try:
                return GgmlCodec(ctypes.CDLL(str(path)))
            except (OSError, AttributeError):
                continue  # built for another machine, or too old to have the functions
    return None
