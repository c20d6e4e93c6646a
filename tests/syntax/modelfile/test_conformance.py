"""The recorded answers of the real Ollama: every row agrees."""

from __future__ import annotations

import pytest
from conformance_checks.modelfile import CHECKS
from shared import needs_shared


@needs_shared
@pytest.mark.parametrize("file", CHECKS)
def test_every_row_agrees(file: str) -> None:
    agree, total, differences = CHECKS[file]()
    assert not differences[:3]
    assert agree == total > 1000
