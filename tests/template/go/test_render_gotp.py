"""Made-up templates against the real Go engine: the wheel ``gotp`` carries one as a program. They are the same in every run.

It has no functions of Ollama and no ``missingkey=zero``, so both engines get Go's own functions and Go's own way with
missing keys, as the last turn of a legacy template does in Ollama. What differs for other reasons is put right here:

- gotp calls the template "stdin", Ollama calls it "", and trims line breaks at the end of an error;
- so ``{{ define "" }}`` is the template itself only in Ollama: such templates are left out;
- templates that call each other without end stop here after far fewer calls than in Go.

``python tests/explore.py`` makes other ones, by ``GOTP_SEED`` and ``GOTP_CASES``.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from template_generator import DATA, Generator

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.syntax.gotemplate.literals import visible
from modelsmith.syntax.gotemplate.tree import parse
from modelsmith.template.go.evaluate.program import Program
from modelsmith.template.go.functions.functions import BUILTINS
from modelsmith.template.go.state import State
from modelsmith.template.go.values.ollama import json_value
from modelsmith.template.go.values.values import NO_VALUE

GOTP = shutil.which("gotp", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
CASES = int(os.environ.get("GOTP_CASES", "400"))
SEED = int(os.environ.get("GOTP_SEED", "20261128"))
Answer = tuple[str, str]

pytestmark = pytest.mark.skipif(
    GOTP is None, reason="the wheel gotp, which carries the real Go engine, is not installed"
)


def ours(text: str) -> Answer:
    try:
        tree = parse(text)
    except TemplateSyntaxError as error:
        return "parse error", error.message.rstrip("\n")
    out: list[str] = []
    try:
        program = Program(text, tree.templates, BUILTINS, missing=NO_VALUE)
        program.run(State(out.append, json_value(DATA)))
    except TemplateRenderError as error:
        depth = "exceeded maximum template depth (100000)"
        message = error.message.replace("exceeded maximum template depth (60; Go's is 100000)", depth)
        return "error", message.rstrip("\n")
    return "prompt", visible("".join(out))


def theirs(text: str) -> Answer:
    assert GOTP is not None
    command = [GOTP, "-", "--text", "--data", json.dumps(DATA)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=600, check=False)
    if done.returncode == 0:
        return "prompt", visible(done.stdout.decode("utf-8", "surrogateescape"))
    message = visible(done.stderr.decode("utf-8", "surrogateescape")).removeprefix("error: ").rstrip("\n")
    for name, empty in (("template: stdin:", "template: :"), ('"stdin"', '""'), ("started at stdin:", "started at :")):
        message = message.replace(name, empty)
    return ("error" if ": executing " in message else "parse error"), message


def compared(texts: list[str]) -> list[tuple[str, Answer, Answer]]:
    with ThreadPoolExecutor(2) as pool:
        return list(zip(texts, pool.map(theirs, texts), map(ours, texts), strict=True))


@pytest.mark.explores
def test_made_up_templates_render_as_in_go() -> None:
    generator = Generator(random.Random(SEED))
    made = [text for text in (generator.template() for _ in range(CASES)) if 'define ""' not in text]
    rows = compared(made)
    differences = [row for row in rows if row[1] != row[2]]
    text, go, mine = min(differences, key=lambda row: len(row[0]), default=("", "", ""))
    assert not differences, (
        f"GOTP_SEED={SEED}: {len(differences)} of {len(rows)} differ; the smallest:\n{text!r}\nGo:   {go}\nours: {mine}"
    )
    kinds = {kind for _, (kind, _), _ in rows}
    assert len(rows) < 100 or kinds == {"prompt", "error", "parse error"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ .Missing }}|{{ .Map.missing }}|{{ .Nil }}|{{ .List }}",
        "{{ range $i, $v := .List }}{{ $i }}={{ printf `%v %T` $v $v }};{{ else }}none{{ end }}",
        "{{ range 3 }}{{ . }}{{ end }}{{ range $k, $v := .Map }}{{ $k }}{{ $v }}{{ end }}",
        '{{ with $x := .Map.c }}{{ index .d 1 }}{{ $x }}{{ end }}{{ define "t" }}{{ . }}{{ end }}{{ template "t" .Users }}',
        "{{ and .Yes .Name | len | printf `%03d` }}{{- /* c */ -}}  {{ slice .Name 1 3 | js }}{{ html .Name | urlquery }}",
        "{{ index .List 9 }}",
        "{{ .Name.Deep }}",
        "{{ if }}",
    ],
)
def test_what_every_template_may_hold(text: str) -> None:
    assert ours(text) == theirs(text)
