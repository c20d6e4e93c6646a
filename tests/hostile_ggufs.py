"""GGUFs that lie, break off or attack: what each is, and the byte at which the reader must see it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

U32, U64, F32, STRING, ARRAY = 4, 10, 6, 8, 9
START = 24
_ALIGNMENT = b"general.alignment"


@dataclass(frozen=True)
class Hostile:
    """A file: its first bytes, how long it is with the zeros behind them, and the fault with its byte that must be found."""

    name: str
    data: bytes
    code: str
    offset: int | None
    size: int = 0


def text(data: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}Q", len(data)) + data


def start(tensors: int, keys: int, order: str = "<", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack(f"{order}IQQ", version, tensors, keys)


def key(name: bytes, kind: int, value: bytes, order: str = "<") -> bytes:
    return text(name, order) + struct.pack(f"{order}I", kind) + value


def array(name: bytes, kind: int, count: int, items: bytes, order: str = "<") -> bytes:
    return key(name, ARRAY, struct.pack(f"{order}IQ", kind, count) + items, order)


def record(name: bytes, dims: tuple[int, ...], kind: int, offset: int, order: str = "<") -> bytes:
    return text(name, order) + struct.pack(f"{order}I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def sound(order: str = "<", version: int = 3) -> tuple[bytes, list[int]]:
    """Return a small GGUF without faults, and the bytes at which its parts begin."""
    fields = [
        b"GGUF",
        struct.pack(f"{order}I", version),
        struct.pack(f"{order}Q", 2),
        struct.pack(f"{order}Q", 4),
        *_parts(b"general.architecture", STRING, text(b"llama", order), order),
        *_parts(b"tokens", ARRAY, struct.pack(f"{order}IQ", STRING, 3), order),
        *(text(each, order) for each in (b"x", b"", "é".encode())),
        *_parts(b"numbers", ARRAY, struct.pack(f"{order}IQ", U32, 2), order),
        struct.pack(f"{order}2I", 7, 8),
        *_parts(b"scale", F32, struct.pack(f"{order}f", 1.5), order),
    ]
    for name, dims, kind, offset in ((b"a", (8, 2), 0, 0), (b"b", (32,), 8, 64)):
        fields += [struct.pack(f"{order}Q", len(name)), name, struct.pack(f"{order}I", len(dims))]
        fields += [struct.pack(f"{order}Q", size) for size in dims]
        fields += [struct.pack(f"{order}I", kind), struct.pack(f"{order}Q", offset)]
    size = sum(map(len, fields))
    fields += [
        bytes(-size % 32),
        struct.pack(f"{order}16f", *range(16)),
        struct.pack(f"{order}e", 0.5) + bytes(range(32)),
    ]
    boundaries, position = [], 0
    for field in fields:
        boundaries.append(position)
        position += len(field)
    return b"".join(fields), boundaries


def _parts(name: bytes, kind: int, value: bytes, order: str) -> list[bytes]:
    return [struct.pack(f"{order}Q", len(name)), name, struct.pack(f"{order}I", kind), value]


def cut() -> Iterator[Hostile]:
    """Yield a sound file cut at every boundary of its structure, and one byte behind it."""
    whole, boundaries = sound()
    data = boundaries[-2]
    for boundary in boundaries[1:]:
        for size in (boundary, boundary + 1):
            if size < 4:
                continue
            code = "header-cut" if size < data - 31 or size < boundaries[-3] else "truncated"
            # where the data begins nothing of the header is missing any more
            yield Hostile(f"cut at {size}", whole[:size], code, size if code == "truncated" or size < START else None)


def lying() -> Iterator[Hostile]:
    """Yield files with numbers that cannot be true."""
    huge = struct.pack("<Q", 1 << 60)
    most = struct.pack("<Q", (1 << 64) - 1)
    yield Hostile("2^60 tensors", start(1 << 60, 0), "too-many", 8)
    yield Hostile("2^60 keys", start(0, 1 << 60), "too-many", 16)
    yield Hostile("a key of 2^63 bytes", start(0, 1) + struct.pack("<Q", 1 << 63) + bytes(64), "too-long", START)
    yield Hostile("a text of 2^63 bytes", start(0, 1) + key(b"k", STRING, struct.pack("<Q", 1 << 63)), "too-long", 37)
    yield Hostile("a text of 2^64 - 1 bytes", start(0, 1) + key(b"k", STRING, most), "too-long", 37)
    yield Hostile("a text behind the end", start(0, 1) + key(b"k", STRING, struct.pack("<Q", 9)), "header-cut", 37)
    yield Hostile("2^60 numbers", start(0, 1) + array(b"k", U32, 1 << 60, b""), "too-many", 41)
    yield Hostile("2^60 texts", start(0, 1) + array(b"k", STRING, 1 << 60, b""), "too-many", 41)
    yield Hostile("2^24 texts in no bytes", start(0, 1) + array(b"k", STRING, 1 << 24, b""), "header-cut", 49)
    yield Hostile("a long text in an array", start(0, 1) + array(b"k", STRING, 2, text(b"ab") + huge), "too-long", 59)
    yield Hostile("value type 13", start(0, 1) + key(b"k", 13, bytes(8)), "unknown-value-type", 33)
    yield Hostile("value type 2^32 - 1", start(0, 1) + key(b"k", 0xFFFFFFFF, bytes(8)), "unknown-value-type", 33)
    yield Hostile("an array of arrays", start(0, 1) + array(b"k", ARRAY, 1, bytes(64)), "nested-array", 37)
    deep = struct.pack("<IQ", ARRAY, 1) * 10_000
    yield Hostile("arrays 10,000 deep", start(0, 1) + array(b"k", ARRAY, 1, deep), "nested-array", 37)
    yield Hostile("an array of type 99", start(0, 1) + array(b"k", 99, 1, bytes(64)), "unknown-value-type", 37)
    yield Hostile("a key that is not UTF-8", start(0, 1) + key(b"\xff\xfe", U32, bytes(4)), "not-utf-8", 32)
    twice = key(b"k", U32, bytes(4))
    yield Hostile("a key twice", start(0, 2) + twice * 2, "duplicate-key", START + len(twice))
    for what, number in (("0", 0), ("3", 3), ("2^31", 1 << 31)):
        data = start(0, 1) + key(_ALIGNMENT, U32, struct.pack("<I", number))
        yield Hostile(f"alignment {what}", data, "bad-alignment", START)
    negative = start(0, 1) + key(_ALIGNMENT, 5, struct.pack("<i", -32))
    yield Hostile("alignment -32", negative, "bad-alignment", START)
    yield Hostile("a text for alignment", start(0, 1) + key(_ALIGNMENT, STRING, text(b"32")), "bad-alignment", START)
    yield Hostile("version 1", start(0, 0, version=1), "old-version", 4)
    yield Hostile("version 77", start(0, 0, version=77), "unknown-version", 4)


def lying_tensors() -> Iterator[Hostile]:
    """Yield files whose tensors cannot be where or what they say."""

    def one(*records: bytes) -> bytes:
        head = start(len(records), 0) + b"".join(records)
        return head + bytes(-len(head) % 32) + bytes(512)

    yield Hostile("an offset behind the end", one(record(b"t", (8,), 0, 1 << 40)), "tensor-outside-file", START)
    yield Hostile("an offset of 2^64 - 32", one(record(b"t", (8,), 0, (1 << 64) - 32)), "overflow", START + 25)
    yield Hostile("2^80 numbers", one(record(b"t", (1 << 40, 1 << 40), 0, 0)), "overflow", START + 13)
    yield Hostile("a product of 2^64", one(record(b"t", (1 << 32, 1 << 32), 0, 0)), "overflow", START + 13)
    yield Hostile("four dimensions of 2^64 - 1", one(record(b"t", ((1 << 64) - 1,) * 4, 0, 0)), "overflow", START + 13)
    yield Hostile("5 dimensions", one(record(b"t", (1,) * 5, 0, 0)), "broken-tensor", START + 9)
    yield Hostile("2^32 - 1 dimensions", one(text(b"t") + b"\xff" * 4), "broken-tensor", START + 9)
    yield Hostile("a name of 2^63 bytes", one(struct.pack("<Q", 1 << 63)), "broken-tensor", START)
    yield Hostile("a name that is not UTF-8", one(record(b"\xc3", (8,), 0, 0)), "not-utf-8", START + 8)
    yield Hostile("type 5", one(record(b"t", (8,), 5, 0)), "unknown-tensor-type", START + 21)
    yield Hostile("half a block", one(record(b"t", (33,), 8, 0)), "broken-block", START + 13)
    first, second = record(b"a", (8,), 0, 0), record(b"b", (8,), 0, 0)
    yield Hostile("two at one place", one(first, second), "overlapping-tensors", START + len(first))
    over = record(b"a", (32,), 0, 0), record(b"b", (8,), 0, 32)
    yield Hostile("one inside another", one(*over), "overlapping-tensors", START + len(over[0]))
    yield Hostile("a name twice", one(first, first), "duplicate-tensor", START + len(first))
    yield Hostile("an odd offset", one(record(b"t", (8,), 0, 7)), "misaligned-tensor", START)


def sparse() -> Iterator[Hostile]:
    """Yield files of zeros that would take terabytes to read; on a disk they take nothing."""
    yield Hostile("a terabyte of keys", start(0, (1 << 14)), "duplicate-key", START + 13, 1 << 40)
    yield Hostile("a terabyte of tensors", start(1 << 16, 0), "duplicate-tensor", START + 24, 1 << 40)
    yield Hostile("64 million texts", start(0, 1) + array(b"k", STRING, 1 << 26, b""), "too-many", 41, 1 << 40)
    many = b"".join(array(b"%d" % number, STRING, 0, b"") for number in range(3))
    yield Hostile(
        "a large key", start(0, 4) + many + struct.pack("<Q", 1 << 24), "too-long", START + len(many), 1 << 40
    )
    values = b"".join(key(b"%05d" % number, STRING, struct.pack("<Q", 4088) + bytes(4088)) for number in range(4200))
    yield Hostile("many small values", start(0, 4200) + values, "too-many", None, 1 << 40)
    tokens = start(0, 2) + array(b"a", STRING, 1 << 22, bytes(8 << 22)) + array(b"b", STRING, 1, b"")
    yield Hostile("more texts than any vocabulary", tokens, "too-many", None, 1 << 40)


def hostile() -> Iterator[Hostile]:
    """Yield all of them."""
    yield from cut()
    yield from lying()
    yield from lying_tensors()
    yield from sparse()
