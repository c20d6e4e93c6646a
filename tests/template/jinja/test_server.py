"""Generated templates, the same ones each time, against a real llama-server where its wheel is installed."""

from __future__ import annotations

import llama_server
import pytest
from jinja_exploration import chats, expressions

pytestmark = pytest.mark.skipif(not llama_server.is_here(), reason=llama_server.MISSING)


@pytest.mark.parametrize("seed", [1, 1012])
def test_expressions(seed: int) -> None:
    _, total, differences = expressions(seed, 120)
    assert total == 120
    assert not differences


@pytest.mark.parametrize("seed", [2, 4, 6])
def test_chats(seed: int) -> None:
    _, total, differences = chats(seed)
    assert total
    assert not differences
