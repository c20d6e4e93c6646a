from __future__ import annotations

from conformance_checks.splits import splits
from shared import needs_shared


@needs_shared
def test_every_recorded_answer_is_split_as_the_real_server_does() -> None:
    agree, total, differences = splits()
    assert not differences
    assert agree == total >= 900
