"""How many chat templates of real models become Go templates, proven equal: never fewer than today."""

from __future__ import annotations

import json

from shared import corpus, needs_shared

from modelsmith.errors import ConversionError
from modelsmith.template.convert import to_go
from modelsmith.template.jinja import ChatTemplate

CHAT, ALL = 63, 40


@needs_shared
def test_real_templates() -> None:
    with corpus("templates", "library.jsonl").open(encoding="utf-8") as lines:
        texts = dict.fromkeys(json.loads(line)["jinja"] for line in lines)
    chat = whole = 0
    for text in texts:
        try:
            conversion = to_go(ChatTemplate.parse(text), eos_token="<end>")
        except ConversionError:
            continue
        chat += conversion.proven_chat
        whole += conversion.proven
    assert (chat, whole) >= (CHAT, ALL), f"{chat} without tools, {whole} with tools, of {len(texts)}"
