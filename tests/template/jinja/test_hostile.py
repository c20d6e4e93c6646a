from __future__ import annotations

import json

import pytest
from shared import corpus, needs_shared

from modelsmith.template.jinja.hostile import hostile_part


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{{ ''.__class__.__mro__ }}", ".__class__"),
        ("{{ x['__globals__'] }}", "['__globals__']"),
        ("{{ x | attr('a') }}", "| attr("),
        ("{{ os.popen('id') }}", "os.popen"),
        ("{% for i in range(100000000) %}{% endfor %}", "range(100000000"),
        ("{{ 9 ** 999 }}", "** 999"),
    ],
)
def test_ways_out_are_found(text: str, part: str) -> None:
    match = hostile_part(text)
    assert match is not None
    assert match[0] == part


def test_what_templates_do_is_not_hostile() -> None:
    text = "{% for m in messages %}{{ m['content'].split('</think>')[-1] | trim }}{{ 'import json' }}{% endfor %}"
    assert hostile_part(text) is None


@needs_shared
def test_no_real_template_is_called_hostile() -> None:
    texts: list[str] = []
    for path in corpus("templates").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = json.loads(line).get("jinja") or []
            texts += [found] if isinstance(found, str) else found
    assert texts
    assert [text[:80] for text in texts if hostile_part(text)] == []
