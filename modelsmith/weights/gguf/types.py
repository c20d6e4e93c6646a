"""GGUF's numbers and names, as data.

Sources: ggml ``gguf.h`` and ``ggml.h``; Ollama ``fs/ggml/type.go`` (names of file types), ``fs/gguf/gguf.go`` (limits).
"""

from __future__ import annotations

from enum import IntEnum

from modelsmith.records import dataclass

MAGIC = b"GGUF"
DEFAULT_ALIGNMENT = 32
QUANTIZATION_VERSION = 2

MAX_STRING = 16 << 20
MAX_ARRAY = 64 << 20
MAX_DIMS = 4
MAX_TENSOR_NAME = 63
# Ollama does not bound these; without bounds a file of zeros, which takes no room on a disk, would take memory and minutes.
MAX_KEY = (1 << 16) - 1
MAX_KEYS = 1 << 14
MAX_KEPT = 16 << 20  # bytes of keys and small values that are held in memory
MAX_TENSORS = 1 << 16
MAX_TEXTS = 4 << 20  # in all arrays of a file; the largest vocabularies have half a million tokens and as many merges
MAX_ALIGNMENT = 1 << 20


class ValueType(IntEnum):
    """The type of a metadata value."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


# Value types of fixed width: the letter of the struct module (little-endian, standard sizes).
SCALARS: dict[int, str] = {
    ValueType.UINT8: "B",
    ValueType.INT8: "b",
    ValueType.UINT16: "H",
    ValueType.INT16: "h",
    ValueType.UINT32: "I",
    ValueType.INT32: "i",
    ValueType.FLOAT32: "f",
    ValueType.BOOL: "?",
    ValueType.UINT64: "Q",
    ValueType.INT64: "q",
    ValueType.FLOAT64: "d",
}
WIDTHS: dict[int, int] = dict(zip(SCALARS, (1, 1, 2, 2, 4, 4, 4, 1, 8, 8, 8), strict=True))


@dataclass(frozen=True, slots=True)
class TensorType:
    """How a tensor's elements are packed: ``block`` elements of the first dimension take ``width`` bytes."""

    id: int
    name: str
    block: int
    width: int


TENSOR_TYPES: dict[int, TensorType] = {
    id_: TensorType(id_, name, block, width)
    for id_, name, block, width in (
        (0, "F32", 1, 4),
        (1, "F16", 1, 2),
        (2, "Q4_0", 32, 18),
        (3, "Q4_1", 32, 20),
        (6, "Q5_0", 32, 22),
        (7, "Q5_1", 32, 24),
        (8, "Q8_0", 32, 34),
        (9, "Q8_1", 32, 36),
        (10, "Q2_K", 256, 84),
        (11, "Q3_K", 256, 110),
        (12, "Q4_K", 256, 144),
        (13, "Q5_K", 256, 176),
        (14, "Q6_K", 256, 210),
        (15, "Q8_K", 256, 292),
        (16, "IQ2_XXS", 256, 66),
        (17, "IQ2_XS", 256, 74),
        (18, "IQ3_XXS", 256, 98),
        (19, "IQ1_S", 256, 50),
        (20, "IQ4_NL", 32, 18),
        (21, "IQ3_S", 256, 110),
        (22, "IQ2_S", 256, 82),
        (23, "IQ4_XS", 256, 136),
        (24, "I8", 1, 1),
        (25, "I16", 1, 2),
        (26, "I32", 1, 4),
        (27, "I64", 1, 8),
        (28, "F64", 1, 8),
        (29, "IQ1_M", 256, 56),
        (30, "BF16", 1, 2),
        (34, "TQ1_0", 256, 54),
        (35, "TQ2_0", 256, 66),
        (39, "MXFP4", 32, 17),
        (40, "NVFP4", 64, 36),
        (41, "Q1_0", 128, 18),
    )
}

# general.file_type as Ollama prints it; what is not here, and 0, is "unknown" to it.
FILE_TYPES: dict[int, str] = {
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
}

# What llama.cpp takes for general.file_type where a file does not say it, by its most frequent tensor type.
GUESSED_FILE_TYPES: dict[str, int] = {
    "F32": 0,
    "F16": 1,
    "Q4_0": 2,
    "Q4_1": 3,
    "Q8_0": 7,
    "Q5_0": 8,
    "Q5_1": 9,
    "Q2_K": 10,
    "Q3_K": 12,
    "Q4_K": 15,
    "Q5_K": 17,
    "Q6_K": 18,
    "IQ2_XXS": 19,
    "IQ2_XS": 20,
    "IQ3_XXS": 23,
    "IQ1_S": 24,
    "IQ4_NL": 25,
    "IQ3_S": 26,
    "IQ2_S": 28,
    "IQ4_XS": 30,
    "IQ1_M": 31,
    "BF16": 32,
    "TQ1_0": 36,
    "TQ2_0": 37,
    "NVFP4": 39,
    "Q1_0": 40,
}


def padding(position: int, alignment: int) -> int:
    """Return how many zero bytes bring ``position`` to a multiple of ``alignment``."""
    return -position % alignment
