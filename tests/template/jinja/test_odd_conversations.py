"""Some real templates on conversations that no well-behaved client sends, as a real llama-server answers them."""

from __future__ import annotations

import llama_server
import pytest
import real_templates
from conformance_checks.live import compared
from shared import needs_shared

pytestmark = [needs_shared, pytest.mark.skipif(not llama_server.is_here(), reason=llama_server.MISSING)]


@pytest.mark.parametrize("word", ["Kimi-K2-Thinking", "gpt-oss", "Mistral-Nemo"])
def test_agreement(word: str) -> None:
    name, text = next((name, text) for name, text in real_templates.recorded().items() if word in name)
    rows = list(compared(text))
    assert len(rows) > 400
    assert [row for row in rows if row[2] != row[3]] == [], name
