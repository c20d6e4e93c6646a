"""One thing that is wrong with a GGUF: where it is, what was expected there, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity
from modelsmith.errors import InvalidGGUF
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

AGAIN = "it is damaged or was not downloaded completely; fetch it again"
MOST = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding: ``code`` is a kebab-case name, ``offset`` a byte of the file (None where it concerns no one place).

    ``shard`` is the name of the file where several make one model, empty otherwise and for what concerns all of them.
    """

    code: str
    message: str
    offset: int | None = None
    expected: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
    shard: str = ""

    def __str__(self) -> str:
        place = [f"byte {self.offset}"] if self.offset is not None else []
        place += [f"expected {self.expected}"] if self.expected else []
        return f"{self.message} ({'; '.join(place)})" if place else self.message

    def error(self, name: str) -> InvalidGGUF:
        """Return the error that refuses the file ``name`` for this."""
        return InvalidGGUF(f"{name}: {self}", offset=self.offset, expected=self.expected, hint=self.hint)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        found: dict[str, Any] = {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "offset": self.offset,
            "expected": self.expected,
            "hint": self.hint,
        }
        return found | {"shard": self.shard} if self.shard else found


class Faults:
    """Faults as they are found; a hostile file can have millions, of which only the first of each kind are kept."""

    def __init__(self) -> None:
        self._found: list[Fault] = []
        self._counts: dict[str, int] = {}

    def add(self, code: str, message: str, offset: int | None = None, expected: str = "", hint: str = AGAIN) -> None:
        """Note an error."""
        self.note(Fault(code, message, offset, expected, hint))

    def note(self, fault: Fault) -> None:
        """Note a fault of any severity."""
        count = self._counts[fault.code] = self._counts.get(fault.code, 0) + 1
        if count <= MOST:
            self._found.append(fault)

    def __iter__(self) -> Iterator[Fault]:
        yield from self._found
        for code, count in self._counts.items():
            if count > MOST:
                yield Fault(code, f"{count - MOST} more of the kind {code}")
