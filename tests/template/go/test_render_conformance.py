"""The recorded answers of the real Ollama, all of them."""

from __future__ import annotations

import pytest
from conformance_checks import gotemplate
from shared import needs_shared

pytestmark = needs_shared


@pytest.mark.parametrize(
    "check", [gotemplate.templates, gotemplate.renderings, gotemplate.fuzz], ids=lambda check: check.__name__
)
def test_agreement(check: object) -> None:
    agree, total, differences = check()
    assert not differences, f"{agree} of {total} agree; the first: {differences[0]}"
    assert total
