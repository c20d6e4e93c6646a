"""How many chat templates of real models become Go templates, proven equal: never fewer than today.

Every fourth is tried; benchmarks/convert.py tries all.
"""

from __future__ import annotations

import json

from shared import corpus, needs_shared

from modelsmith.errors import ConversionError
from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.jinja.template import ChatTemplate

CHAT, ALL = 17, 17


@needs_shared
def test_real_templates() -> None:
    with corpus("templates", "library.jsonl").open(encoding="utf-8") as lines:
        texts = list(dict.fromkeys(json.loads(line)["jinja"] for line in lines))[::4]
    chat = whole = 0
    for text in texts:
        try:
            conversion = to_go(ChatTemplate.parse(text), eos_token="<end>")
        except ConversionError:
            continue
        chat += conversion.proven_chat
        whole += conversion.proven
    assert (chat, whole) >= (CHAT, ALL), f"{chat} without tools, {whole} with tools, of {len(texts)}"
