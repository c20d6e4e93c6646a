"""The pure core in the Python of browsers: it imports and answers without native packages, threads and POSIX modules."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from modelsmith.fmt.format import format_template
from modelsmith.playground.bridge import answer
from modelsmith.playground.examples import examples
from modelsmith.weights.gguf.sample import write_sample
from tests.playground.pages import SITE, no_page

REQUEST = {key: value for key, value in examples()[0].items() if key != "title"} | {"talk": {"name": "user"}}
DOES = ("about", "check", "mend", "prompt", "convert")
SCRIPT = Path(__file__).with_name("pure.mjs")


@pytest.mark.skipif(bool(no_page()), reason=no_page())
def test_the_pure_core_answers_in_pyodide(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf")
    done = subprocess.run(
        ["node", str(SCRIPT), str(SITE), str(tmp_path / "m.gguf"), json.dumps(REQUEST), json.dumps(DOES)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    for do, said in found["answers"].items():
        assert json.loads(said)["ok"], (do, said)
    assert found == {
        "lossless": True,
        "codes": ["MS104", "MS201", *[code for code in found["codes"] if code not in {"MS104", "MS201"}]],
        "go": "<|user|>hello",
        "jinja": "<user>hello",
        "fmt": format_template("{{.Prompt}}"),
        "architecture": "llama",
        "eos": "<｜end▁of▁sentence｜>",
        "answers": {do: answer(json.dumps({"do": do, **REQUEST})) for do in DOES},
        "impure": [],
    }
