"""The recorded answers of a real llama-server, all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance_checks import jinja
from shared import needs_shared

pytestmark = needs_shared


@pytest.mark.parametrize("check", [jinja.prompts, jinja.refusals, jinja.splits], ids=lambda check: check.__name__)
def test_agreement(check: Callable[[], tuple[int, int, list[object]]]) -> None:
    agree, total, differences = check()
    assert not differences, f"{agree} of {total} agree; the first: {differences[0]}"
    assert total
