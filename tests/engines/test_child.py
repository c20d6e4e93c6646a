"""A child process that hangs, dies, or answers garbage is one error, and is gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.engines.child import Child, Job
from modelsmith.errors import EngineError, Unsupported

READ = "import sys, os, time, json\nsys.stdin.readline()\n"


def started(folder: Path, text: str, seconds: float = 20) -> Child:
    program = folder / "child.py"
    program.write_text(READ + text)
    return Child.start(Job(Path("m.gguf"), 512), seconds, program=program)


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelsmith.engines.child.importlib.util.find_spec", lambda name: name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("os.abort()", "died (signal SIGABRT)"),
        (
            "print('llama: error: no memory', file=sys.stderr, flush=True); os._exit(3)",
            "(exit code 3): llama: error: no memory",
        ),
        ("print('{oops', flush=True); time.sleep(60)", "it answered b'{oops'"),
        ("print('[]', flush=True); time.sleep(60)", "it answered b'[]'"),
        ("print(json.dumps({'error': 'RuntimeError: no'}), flush=True)", "cannot load m.gguf: RuntimeError: no"),
        ("os.close(1); os._exit(0)", "died (exit code 0)"),
    ],
)
def test_what_goes_wrong_while_it_loads(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as raised:
        started(tmp_path, text)
    assert words in raised.value.message


def test_a_hang_has_an_end(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"did not load m\.gguf within 0\.3 s"):
        started(tmp_path, "time.sleep(60)", 0.3)


def test_it_ends_with_its_input_and_says_how_it_ended(tmp_path: Path) -> None:
    child = started(tmp_path, "print(json.dumps({'url': 'http://x'}), flush=True); sys.stdin.read(); os._exit(0)")
    assert child.url == "http://x"
    assert child.is_running
    assert child.how_it_ended(0) == ""
    child.close()
    assert not child.is_running


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    child = started(tmp_path, "print(json.dumps({'url': 'http://x'}), flush=True); time.sleep(60)")
    child.close()
    assert not child.is_running


def test_without_the_library_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelsmith.engines.child.importlib.util.find_spec", lambda _name: None)
    with pytest.raises(Unsupported) as raised:
        Child.start(Job(Path("m.gguf"), 512), 1)
    assert "modelsmith[run]" in raised.value.hint
