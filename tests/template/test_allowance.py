"""One command, one allowance of rendering: Go and Jinja templates share it, and what is spent stays spent."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import RenderingLimitReached, TemplateRenderError, UsageError
from modelsmith.template.allowance import (
    MEMORY,
    MEMORY_VARIABLE,
    SECONDS_VARIABLE,
    Allowance,
    allow,
    foresee,
    unbounded,
)
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.engine.program import Program
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.template.jinja.transformers.template import TransformersTemplate

SECONDS = 20.0
"""Of this process alone, where what has no end would take far longer."""
_HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
_GO = Template.parse("{{ range .Messages }}{{ .Content }}{{ end }}")


def test_text_of_all_renderings_counts() -> None:
    with allow(Allowance(memory=12)) as left:
        assert _GO.render(_HELLO) == "hello"
        first = left.memory
        assert first < 12
        while left.memory > 0:
            _GO.render(_HELLO)
        with pytest.raises(RenderingLimitReached, match=r"1\.2e-05 MB") as raised:
            _GO.render(_HELLO)
    assert "of one command" in raised.value.hint
    assert _GO.render(_HELLO) == "hello"


def test_what_plainly_takes_too_long_is_refused_after_the_first_rendering() -> None:
    with allow(Allowance(seconds=3600)) as left:
        with foresee(10):
            _GO.render(_HELLO)
            assert left.coming == 9
            left.last = 3000
            with pytest.raises(
                RenderingLimitReached, match=r"would need more than 3600 seconds.*took 3000\.0 seconds, and 9 more come"
            ):
                _GO.render(_HELLO)
        assert _GO.render(_HELLO) == "hello"
        with foresee(4):
            left.last = 3000
            assert _GO.render(_HELLO) == "hello", "not so plainly: renderings differ"
        assert left.seconds > 3000
    with foresee(10):
        assert _GO.render(_HELLO) == "hello"


@pytest.mark.parametrize("engine", ["go", "jinja", "transformers"])
def test_a_template_of_very_many_tags_is_refused_at_once(engine: str) -> None:
    text = ("{{ .System }}" if engine == "go" else "{{ system }}") * 301

    def render() -> str:
        if engine == "go":
            return Template.parse(text).render(_HELLO)
        reader = TransformersTemplate if engine == "transformers" else ChatTemplate
        return reader.parse(text).render(_HELLO)

    with allow(Allowance(seconds=1)) as left:
        with pytest.raises(RenderingLimitReached, match=r"301 tags .* and 300 can be rendered in 1 seconds"):
            render()
        assert left.seconds == 1, "nothing was rendered"
    with allow(Allowance(seconds=60)):
        render()


@pytest.mark.parametrize(
    "text", ["{{ '" + "x" * 6000 + "' }}", "{{ 1" + " + 1" * 1500 + " }}", "{% if a %}" * 200 + "{% x" + "x" * 6000]
)
def test_a_template_of_very_long_tags_is_refused_at_once(text: str) -> None:
    with allow(Allowance(seconds=1)), pytest.raises(RenderingLimitReached, match=r"6,000 can be rendered in 1 seconds"):
        ChatTemplate.parse(text)
    with allow(Allowance(seconds=10)):
        ChatTemplate.parse("x" * 50_000 + "{# " + "y" * 50_000 + " #}{{ messages[0].content }}")


def test_go_and_jinja_share_the_time() -> None:
    program = Program.parse("{% for each in range(2000) %}{{ each }}{% endfor %}")
    with allow(Allowance(seconds=60)) as left:
        _GO.render(_HELLO)
        after_go = left.seconds
        program.run({})
        assert left.seconds < after_go < 60
        assert left.memory < MEMORY
        left.seconds = 0
        with pytest.raises(RenderingLimitReached, match="60 seconds"):
            program.run({})
        with pytest.raises(RenderingLimitReached, match="60 seconds"):
            _GO.render(_HELLO)


def test_what_fails_is_charged_too() -> None:
    with allow() as left:
        whole = left.memory
        with pytest.raises(TemplateRenderError, match="out of range"):
            Template.parse("{{ range 1000 }}0123456789{{ end }}{{ index .Messages 99 }}").render(_HELLO)
        assert whole - left.memory >= 10_000


def test_allowances_within_each_other() -> None:
    with allow(Allowance(seconds=0)):
        with allow():
            assert _GO.render(_HELLO) == "hello"
        with unbounded():
            assert _GO.render(_HELLO) == "hello"
        with pytest.raises(RenderingLimitReached):
            _GO.render(_HELLO)


def test_commands_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, "0.000002")
    file = tmp_path / "Modelfile"
    file.write_text('FROM x\nTEMPLATE """{{ range .Messages }}{{ .Content }}{{ end }}"""\n')
    assert run(["explain", str(file)]) == 3
    shown = capsys.readouterr()
    assert "MODELSMITH_RENDER_MB" in shown.err
    assert "Traceback" not in shown.err


LONG_GO = {
    "a loop that prints": "{{ range 100000 }}{{ $.Messages }}{{ end }}{{if .System}}x{{end}}",
    "loops in loops": "{{ range 1000 }}{{ range 900 }}{{ len $.Messages }}{{ end }}{{ end }}",
    "calls": '{{ define "a" }}{{ range 1000 }}{{ end }}{{ end }}{{ range 400 }}{{ template "a" . }}{{ end }}{{ .Messages }}',
    "texts that nobody prints": "{{ range 100000 }}{{ $x := slice `aaaaaaaaaaaaaaaaaaaaaaaa` 1 }}{{ end }}{{ .Messages }}",
}
LONG_JINJA = {
    "loops in loops": "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
    "macros": "{% macro f() %}{% endmacro %}{% for a in range(250000) %}{{ f() }}{{ f() }}{{ f() }}{{ f() }}{% endfor %}",
    "a large text": "{% set n = namespace(a='x' * 1000) %}{% for a in range(100000) %}{% if n.a|upper %}{% endif %}{% endfor %}",
}


def ends_early(render: Callable[[], object]) -> None:
    """The whole rendering takes longer than the little that its command has left, and stops soon after that."""
    began = time.process_time()
    with allow(Allowance(seconds=0.05)), pytest.raises(RenderingLimitReached, match=r"0\.05 seconds"):
        render()
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("text", LONG_GO.values(), ids=LONG_GO)
def test_time_ends_within_one_rendering_of_go(text: str) -> None:
    template = Template.parse(text)
    ends_early(lambda: template.render(_HELLO))


@pytest.mark.parametrize("text", LONG_JINJA.values(), ids=LONG_JINJA)
def test_time_ends_within_one_rendering_of_jinja(text: str) -> None:
    program = Program.parse(text)
    ends_early(lambda: program.run({}))


def test_time_ends_within_one_rendering_of_transformers() -> None:
    template = TransformersTemplate.parse(LONG_JINJA["loops in loops"])
    ends_early(lambda: template.render(_HELLO))


def test_memory_is_that_of_the_process() -> None:
    """Nothing is printed, and still the memory fills; a process of its own, whose memory no earlier test has left behind."""
    text = (
        "{% set n = namespace(all=[]) %}{% for a in range(1000) %}{% set n.all = n.all + ['x' * 100000] %}{% endfor %}"
    )
    code = (
        "from modelsmith.template.allowance import Allowance, allow\n"
        "from modelsmith.template.jinja.engine.program import Program\n"
        f"with allow(Allowance(memory=20_000_000)):\n    Program.parse({text!r}).run({{}})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RenderingLimitReached" in done.stderr
    assert "20 MB" in done.stderr


def test_who_needs_more_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECONDS_VARIABLE, "2.5")
    monkeypatch.setenv(MEMORY_VARIABLE, "1000")
    with allow() as given:
        assert (given.seconds, given.memory) == (2.5, 1_000_000_000)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "10 s", "x" * 1000])
def test_what_is_no_number_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SECONDS_VARIABLE, text)
    with pytest.raises(UsageError, match=f"{SECONDS_VARIABLE} is"):
        allow().__enter__()
    assert run(["rules"]) == 2
    assert SECONDS_VARIABLE in capsys.readouterr().err
