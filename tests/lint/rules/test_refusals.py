"""What the real Ollama refuses is an error at its line, and what it accepts is none."""

from __future__ import annotations

import base64
import re
from functools import cache
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelfile_strategies import texts
from shared import conformance, corpus, needs_shared

from modelsmith.diagnostic import Severity
from modelsmith.errors import UnquotableValue
from modelsmith.lint.document import Document
from modelsmith.lint.facts.faults import blames
from modelsmith.lint.rules import all_rules
from modelsmith.lint.run.engine import check
from modelsmith.lint.run.fixes import fix
from modelsmith.lint.settings import Settings
from modelsmith.parameters import DEPRECATED, PARAMETERS
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.quote import quote
from modelsmith.versions import Version

KINDS = ("MS1", "MS2", "MS300", "MS401", "MS507", "MS509", "MS511")
"""The rules about what Ollama's parser, its parameters, templates and versions refuse; others look at files and models."""

UNCHECKED = "MS119"
"""Says that the Ollama whose answers were recorded stops there, as information: a newer one is documented to know the word."""

FILES = re.compile(
    r"stat |no Modelfile or safetensors files found|invalid content type|insecure path|failed to find user"
)
LINE = re.compile(r"\(line (\d+)\)")


def errors(data: str | bytes) -> tuple[Document, list[Any]]:
    document = Document.parse(data)
    rules = [rule for code, rule in all_rules().items() if code.startswith(KINDS)]
    found = [each for rule in rules for each in rule.diagnostics(document)]
    return document, [each for each in found if each.severity is Severity.ERROR or each.code == UNCHECKED]


def content(row: dict[str, Any]) -> bytes:
    if "b64" in row:
        return base64.b64decode(row["b64"])
    return corpus("modelfiles", row["corpus"]).read_bytes()


def physical(text: str, line: int) -> set[int]:
    """Return the lines that Ollama may mean: it counts CR and LF alike, and names the next line for an error at a line end."""
    offset, count = 0, 1
    for match in re.finditer(r"[\r\n]", text):
        if count == line:
            break
        count += 1
        offset = match.end()
    here = 1 + len(re.findall(r"\r\n|\r|\n", text[:offset]))
    before = 1 + len(re.findall(r"\r\n|\r|\n", text[: max(offset - 1, 0)]))
    return {here, before}


@cache
def agreement() -> dict[str, list[str]]:
    """Compare every recorded Modelfile once; the lists hold what disagrees."""
    found: dict[str, list[str]] = {"accepted": [], "refused": [], "false": [], "missed": [], "elsewhere": []}
    for row in conformance("modelfiles.jsonl.gz"):
        answer = row["answer"]
        data = content(row)
        document, told = errors(data)
        refusal = answer.get("error") or answer.get("request_error")
        if refusal and not answer.get("error") and FILES.match(refusal):
            continue
        name = f"{row['id']} {data!r} {refusal} {[(each.code, each.message) for each in told]}"
        if not refusal:
            found["accepted"].append("")
            if told:
                found["false"].append(name)
            continue
        found["refused"].append("")
        if not told:
            found["missed"].append(name)
        elif match := LINE.search(refusal):
            lines = physical(document.text, int(match[1]))
            if not lines & {document.source.position(each.span.start)[0] for each in told}:
                found["elsewhere"].append(f"{lines} {name}")
    return found


@needs_shared
@pytest.mark.parametrize("kind", ["false", "missed", "elsewhere"])
def test_ollamas_answers_to_modelfiles(kind: str) -> None:
    found = agreement()
    assert len(found["accepted"]) > 1000
    assert len(found["refused"]) > 1000
    assert found[kind] == []


@needs_shared
def test_ollamas_answers_to_parameters() -> None:
    compared = 0
    for row in conformance("params.jsonl.gz"):
        lines, skipped = ["FROM x"], False
        for name, values in row["params"].items():
            row_of = PARAMETERS.get(name)
            # of several values of a scalar the recorded function reads the first; deprecated names never reach it
            for value in (values or [""]) if row_of and row_of.is_list else values[:1] or [""]:
                skipped |= name in DEPRECATED or value.lower().lstrip("+-") in ("inf", "infinity", "nan")
                lines.append(f"PARAMETER {name} {quote(value)}")
        if skipped:
            continue
        compared += 1
        text = "\n".join([*lines, ""])
        told = errors(text)[1]
        assert bool(told) == ("error" in row["answer"]), (text, row["answer"], told)
        assert not told or len(told) == 1, (text, told)
    assert compared > 500


@needs_shared
def test_ollamas_answers_to_templates() -> None:
    for row in islice(conformance("template-fuzz.jsonl.gz"), 0, None, 20):
        try:
            text = f"FROM x\nTEMPLATE {quote(row['text'])}\n"
        except UnquotableValue:
            continue
        told = errors(text)[1]
        assert bool(told) == ("parse_error" in row["answer"]), (text, row["answer"], told)


@needs_shared
def test_ollamas_answers_to_creates() -> None:
    for row in conformance("create.jsonl"):
        refused = any("template error" in str(each.get("error")) for each in row["stream"])
        assert bool(errors(row["modelfile"])[1]) == refused, row["modelfile"]


@given(texts)
def test_what_ollama_refuses_is_one_error_and_what_it_accepts_none(text: str) -> None:
    document = Document.parse(text, settings=Settings(select=("MS1",)))
    told = [each for each in check(document) if each.severity is Severity.ERROR]
    modelfile = Modelfile.parse(text)
    if modelfile.as_ollama().error is not None:
        assert told
    spans = [each.span for each in told if each.code != "MS112"]
    assert len(spans) == len(set(spans))


@given(texts, st.booleans())
def test_fixes_come_to_rest_and_never_make_a_file_worse(text: str, unsafe: bool) -> None:
    document = Document.parse(text, settings=Settings(select=KINDS))
    fixed = fix(document, unsafe=unsafe)
    assert fixed.document.modelfile is not None
    assert Modelfile.parse(text).as_ollama().error or not fixed.document.modelfile.as_ollama().error
    before = sum(each.severity is Severity.ERROR for each in check(document))
    after = sum(each.severity is Severity.ERROR for each in fixed.remaining)
    assert before or not after


@pytest.mark.parametrize("version", ["0.11.0", "0.12.0", "0.14.0", "0.23.0", "0.30.0"])
def test_older_versions_refuse_what_they_do_not_know(version: str) -> None:
    lines = ["RENDERER qwen3-coder", "PARSER passthrough", "REQUIRES 0.11.0", "DRAFT ./d.gguf", "SYSTEM x"]
    for line in lines:
        text = f"FROM ./m.gguf\n{line}\n"
        document = Document.parse(text, settings=Settings(Version.parse(version), KINDS))
        told = [each for each in check(document) if each.severity is Severity.ERROR]
        assert bool(told) == (Modelfile.parse(text).as_ollama(version).error is not None), (version, line, told)


def test_every_rule_that_a_fault_is_blamed_on_exists() -> None:
    for text in (
        "FORM x",
        'SYSTEM "a',
        "SYSTEM a\nb",
        "PARAMETER a=1",
        "MESSAGE User x",
        "```",
        "THINK no",
        "F\0R\0O\0M\0 \0x\0",
    ):
        for blame in blames(Document.parse(text)):
            assert blame.code in all_rules()
