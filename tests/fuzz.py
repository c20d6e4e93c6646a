"""Give every reader of foreign text or bytes inputs that nobody has seen.

    python tests/fuzz.py --inputs 560000
    python tests/fuzz.py --only gguf --inputs 20000 --seed 7
    python tests/fuzz.py --only lint --seed 7 --at 1234

An input is a real one that was bent: cut, spliced with another, doubled, with words of the language and odd bytes in it. The targets
are rows of tests/fuzz_targets.py, and each gets its share. What a target may do is raise ModelsmithError, within seconds; anything else
is a fault, is printed with what repeats it (``--at``), and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fuzz_targets import TARGETS, seeds_of  # noqa: E402 - found where the line above says

from modelsmith.errors import ModelsmithError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 3.0
"""Processor time that one input may take: a bent sample is small."""
_WORDS = (
    b"FROM ", b"PARAMETER stop ", b"TEMPLATE ", b'"""', b'"', b"MESSAGE user ", b"{{ ", b" }}", b"{{- end }}", b"{{ range .Messages }}",
    b"{{ if .System }}", b"{{ else }}", b"{{ .Content }}", b"$x := ", b"| printf \"%v\" ", b"{% ", b" %}", b"{% for a in b %}",
    b"{% endfor %}", b"{% if x %}", b"{%- endif -%}", b"[::-1]", b"| tojson", b".items()", b"(", b")", b"[", b"]", b"{", b"}", b",", b":",
    b"null", b"true", b"-1", b"0", b"1e999", b"9223372036854775808", b"NaN", b"\n", b"\r", b"\r\n", b"\t", b" ", b"#", b"\\", b"\\n",
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", "é".encode(), "\u2028".encode(), "\U0001f600".encode(), b"'", b"`", b"```\n",
    b"<think>", b"</think>", b"<|im_start|>", b"../", b"/", b"ollama ", b"OLLAMA_HOST=", b"&x ", b"*x", b"!!python", b"- ", b"${a}",
)  # fmt: skip
_NUMBERS = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


def bent(chance: random.Random, seeds: Sequence[bytes], *, is_text: bool) -> bytes:
    """Return one of the seeds, changed at a few places."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        place = chance.randrange(len(data) + 1)
        length = min(chance.choice((1, 1, 2, 4, 8, 40)), len(data) - place)
        match chance.randrange(8 if is_text else 9):
            case 0:
                del data[place : place + length]
            case 1 | 2:
                data[place:place] = chance.choice(_WORDS)
            case 3:
                data[place : place + length] = chance.choice(_WORDS)
            case 4:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) + 1)
                data[place:place] = other[start : start + chance.choice((3, 20, 200))]
            case 5:
                data[place:place] = data[place : place + length] * chance.choice((2, 3, 50))
            case 6:
                del data[place : len(data) if chance.random() < 0.2 else place + 1]
            case 7:
                if place < len(data):
                    data[place] = chance.randrange(256)
            case 8:
                width = chance.choice((1, 4, 8))
                data[place : place + width] = (chance.choice(_NUMBERS) & ((1 << 8 * width) - 1)).to_bytes(
                    width, "little"
                )
    return bytes(data)


class TooSlow(Exception):
    """An input took more than SECONDS."""


@contextmanager
def timed() -> Iterator[None]:
    """Raise TooSlow where the processor works for too long."""

    def stop(_number: int, _frame: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def fault_of(name: str, data: bytes, folder: Path) -> str | None:
    """Run a target on one input; return what is wrong, "" where the input is refused as it should be, None where it is read."""
    try:
        with timed():
            TARGETS[name].run(data, folder)
    except ModelsmithError as error:
        return f"{error}: {error.hint}" if "bug in modelsmith" in f"{error.message} {error.hint}" else ""
    except TooSlow:
        return f"takes more than {SECONDS:g} s"
    except Exception:  # noqa: BLE001 - that is what is looked for
        return traceback.format_exc(limit=-6)
    return None


def fuzz(name: str, numbers: range, seed: int, *, shows: bool) -> int:
    """Run a target on the inputs of these numbers; return how many faults there were."""
    began, faults, read, seeds = time.process_time(), 0, 0, seeds_of(name)
    slowest = (0.0, 0)
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            data = bent(random.Random(f"{seed} {name} {number}"), seeds, is_text=TARGETS[name].is_text)
            if shows:
                sys.stdout.write(f"{data!r}\n")
            before = time.process_time()
            fault = fault_of(name, data, Path(folder))
            slowest = max(slowest, (time.process_time() - before, number))
            read += fault is None
            if fault:
                faults += 1
                sys.stdout.write(f"FAULT --only {name} --seed {seed} --at {number}: {data[:300]!r}\n{fault}\n")
                sys.stdout.flush()
    spent = time.process_time() - began
    sys.stdout.write(
        f"{name}: {len(numbers):,} inputs, {read:,} of them read to the end, {faults} faults, {spent:.0f} s;"
        f" the slowest, --at {slowest[1]}, {slowest[0]:.2f} s\n"
    )
    sys.stdout.flush()
    return faults


def main() -> int:
    """Read the command line and run the targets one after the other."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--inputs", type=int, default=20_000, help="how many, all targets together (default: 20,000)")
    words.add_argument("--only", choices=sorted(TARGETS), action="append", help="these targets, instead of all")
    words.add_argument("--seed", type=int, help="as an earlier run printed it")
    words.add_argument("--at", type=int, help="this one input")
    asked = words.parse_args()
    warnings.simplefilter("error")
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    names = asked.only or list(TARGETS)
    whole = sum(TARGETS[name].share for name in names)
    sys.stdout.write(f"--seed {seed}\n")
    faults = 0
    for name in names:
        count = -(-asked.inputs * TARGETS[name].share // whole)
        numbers = range(count) if asked.at is None else range(asked.at, asked.at + 1)
        faults += fuzz(name, numbers, seed, shows=asked.at is not None)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
