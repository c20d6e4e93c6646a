"""What long work reports while it runs."""

from __future__ import annotations

from collections.abc import Callable

from modelsmith.records import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of long work: ``status`` says what is done; ``completed`` of ``total`` bytes of ``digest``, if it has any.

    ``is_notice``: the status is a sentence that the user should read, where no progress is shown too.
    """

    status: str
    digest: str = ""
    completed: int = 0
    total: int = 0
    is_notice: bool = False


ProgressSink = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Ignore progress."""
