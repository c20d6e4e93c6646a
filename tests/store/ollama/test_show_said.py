"""What newer servers add to ``/api/show`` about how they run a model."""

from __future__ import annotations

from typing import Any

import pytest

from modelsmith.store.model import ServerSays
from modelsmith.store.ollama.show import read_show


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, None),
        ({"thinking": "high", "template_source": 5}, None),
        ({"thinking": {"values": 3}}, None),
        ({"template_source": "go_template"}, ServerSays("go_template")),
        (
            {"template_source": "renderer", "renderer": "qwen3.5", "parser": "qwen3.5"},
            ServerSays("renderer", "qwen3.5", "qwen3.5"),
        ),
        (
            {"thinking": {"values": [False, "low", 7, "\x1b[0m", "high"], "default": "low"}},
            ServerSays(think_values=("false", "low", "high"), think_default="low"),
        ),
    ],
)
def test_what_the_server_says(body: dict[str, Any], said: ServerSays | None) -> None:
    assert read_show(body).said == said
