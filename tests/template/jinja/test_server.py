"""Generated templates, the same ones each time, against a real llama-server where its wheel is installed."""

from __future__ import annotations

import llama_server
import pytest
from jinja_exploration import chats, expressions

pytestmark = pytest.mark.skipif(not llama_server.is_here(), reason=llama_server.MISSING)

ECHO = "{% for message in messages %}{{ message.content }}{% endfor %}"
ENDLESS = "{% macro f(n) %}{{ f(n) }}{% endmacro %}{% if n %}{{ f(n) }}{% endif %}"


def body(content: str, **variables: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}], "chat_template_kwargs": variables}


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


def test_a_request_that_the_server_does_not_survive_hides_no_other() -> None:
    bodies = [body("one"), body("two", n=1), body("three"), body("four", n=1)]
    found = llama_server.answers(ENDLESS + ECHO, bodies)
    died = {"died": "signal 11"}
    assert found == [{"prompt": "one"}, died, {"prompt": "three"}, died]


def test_a_model_says_what_it_is_made_to_say() -> None:
    asked = llama_server.forced(body("one"), 'A "quoted" wörd\n')
    assert llama_server.answers(ECHO, [asked]) == [{"reasoning": None, "content": 'A "quoted" wörd\n'}]


def test_a_template_that_is_not_loaded_has_no_answers() -> None:
    assert llama_server.answers("{{ broken", [body("one")]) is None
