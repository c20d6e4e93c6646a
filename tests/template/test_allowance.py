"""One command, one allowance of rendering: Go and Jinja templates share it, and what is spent stays spent."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import RenderingLimitReached, TemplateRenderError
from modelsmith.template import allowance
from modelsmith.template.allowance import SIZE, Allowance, allow, unbounded
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.engine.program import Program

_HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
_GO = Template.parse("{{ range .Messages }}{{ .Content }}{{ end }}")


def test_text_of_all_renderings_counts() -> None:
    with allow(Allowance(size=12)) as left:
        assert _GO.render(_HELLO) == "hello"
        first = left.size
        assert first < 12
        while left.size > 0:
            _GO.render(_HELLO)
        with pytest.raises(RenderingLimitReached, match="200 MB") as raised:
            _GO.render(_HELLO)
    assert "of one command" in raised.value.hint
    assert _GO.render(_HELLO) == "hello"


def test_go_and_jinja_share_the_time() -> None:
    program = Program.parse("{% for each in range(2000) %}{{ each }}{% endfor %}")
    with allow(Allowance(seconds=60)) as left:
        _GO.render(_HELLO)
        after_go = left.seconds
        program.run({})
        assert left.seconds < after_go < 60
        assert left.size < SIZE
        left.seconds = 0
        with pytest.raises(RenderingLimitReached, match="10 seconds"):
            program.run({})
        with pytest.raises(RenderingLimitReached, match="10 seconds"):
            _GO.render(_HELLO)


def test_what_fails_is_charged_too() -> None:
    with allow() as left:
        whole = left.size
        with pytest.raises(TemplateRenderError, match="out of range"):
            Template.parse("{{ range 1000 }}0123456789{{ end }}{{ index .Messages 99 }}").render(_HELLO)
        assert whole - left.size >= 10_000


def test_allowances_within_each_other() -> None:
    with allow(Allowance(seconds=0)):
        with allow():
            assert _GO.render(_HELLO) == "hello"
        with unbounded():
            assert _GO.render(_HELLO) == "hello"
        with pytest.raises(RenderingLimitReached):
            _GO.render(_HELLO)


def test_commands_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(allowance, "Allowance", partial(Allowance, size=2))
    file = tmp_path / "Modelfile"
    file.write_text('FROM x\nTEMPLATE """{{ range .Messages }}{{ .Content }}{{ end }}"""\n')
    assert run(["explain", str(file)]) == 3
    shown = capsys.readouterr()
    assert "200 MB" in shown.err
    assert "Traceback" not in shown.err
