"""The recorded answers of the real Ollama: all of them, of the generated templates every third (tests/conformance.py takes all)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from conformance_checks import gotemplate
from shared import needs_shared

pytestmark = needs_shared


@pytest.mark.parametrize(
    "check",
    [gotemplate.templates, gotemplate.renderings, partial(gotemplate.fuzz, every=3)],
    ids=["templates", "renderings", "fuzz"],
)
def test_agreement(check: Callable[[], gotemplate.Outcome]) -> None:
    agree, total, differences = check()
    assert not differences, f"{agree} of {total} agree; the first: {differences[0]}"
    assert total
