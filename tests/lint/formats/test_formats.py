"""Reports for machines: places, escapes, fingerprints."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from modelsmith.lint.document import Document
from modelsmith.lint.formats import FORMATS, write
from modelsmith.lint.report import Report
from modelsmith.lint.run.baseline import fingerprint, read_baseline, without_old, write_baseline
from modelsmith.lint.run.engine import check
from modelsmith.source import Source

TEXT = "FROM deepseek-r1\nPARAMETER num_ctx=4096\nSYSTEM 你好\x07 ,:%\nPARAMETER top_kk 1\n"


def report(text: str = TEXT, name: str = "models/a b.modelfile") -> Report:
    document = Document.parse(text, name)
    return Report(document.source, check(document))


FAILED = Report(Source("", "no,pe"), failed="no,pe cannot be read: 50 % gone\nreally")


def test_json_has_places_and_fixes() -> None:
    data = json.loads(write("json", [report(), FAILED]))
    place = next(each for each in data["findings"] if each["code"] == "MS508")
    assert (place["line"], place["column"], place["end_line"], place["end_column"]) == (1, 6, 1, 17)
    assert place["name"] == "unpinned-base"
    assert data["failed"] == [{"path": "no,pe", "message": FAILED.failed}]
    fixable = next(each for each in data["findings"] if each["fix"])
    assert fixable["fix"]["edits"][0].keys() == {"line", "column", "end_line", "end_column", "text"}


def test_concise_is_one_line_a_finding_that_steers_no_terminal() -> None:
    found = report("FROM llama3.2 # small\nPARAMETER temprature 1\n", "a\x1b[31mb")
    lines = write("concise", [found, FAILED]).splitlines()
    assert len(lines) == len(found.diagnostics) + 1
    assert lines[0].startswith("a\\x1b[31mb:1:15: warning: ")
    assert lines[0].endswith(" [MS104] [*]")
    assert any(line.endswith(" [MS201]") for line in lines)
    assert lines[-1] == "no,pe: error: no,pe cannot be read: 50 % gone\\x0areally"


def test_github_escapes_what_would_end_a_command() -> None:
    lines = write("github", [report(), FAILED]).splitlines()
    assert len(lines) == len(report().diagnostics) + 1
    assert any(
        line.startswith("::notice file=models/a b.modelfile,line=1,endLine=1,col=6,endColumn=17") for line in lines
    )
    assert lines[-1] == "::error file=no%2Cpe,title=modelsmith::no,pe cannot be read: 50 %25 gone%0Areally"


def test_junit_is_xml_whatever_the_text_holds() -> None:
    root = ET.fromstring(write("junit", [report("SYSTEM \x00\x1b[0m <b>\nFROM x\n"), FAILED]))
    suite = root.find("testsuite")
    assert suite is not None
    assert suite.get("tests") == "2"
    assert suite.get("errors") == "1"
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures", "0"))


def test_gitlab_has_unique_fingerprints() -> None:
    twice = report("FROM deepseek-r1\nFROM deepseek-r1\n")
    issues = json.loads(write("gitlab", [twice, FAILED]))
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints)
    assert {issue["severity"] for issue in issues} <= {"info", "minor", "major", "critical", "blocker"}


def test_sarif_names_rules_regions_and_fixes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    run = json.loads(write("sarif", [report(), FAILED]))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"] == {"uri": "models/a%20b.modelfile", "uriBaseId": "SRCROOT"}
        assert location["region"]["startLine"] >= 1
    assert any("fixes" in result for result in run["results"])
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len({json.dumps(result["partialFingerprints"]) for result in run["results"]}) == len(run["results"])


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_found_is_a_report_too(name: str) -> None:
    text = write(name, [report("FROM llama3.2:3b\n")])
    assert text.endswith("\n") or not text


def test_a_fingerprint_stays_when_lines_move() -> None:
    before, after = report("FROM deepseek-r1\n"), report("# a comment\n\nFROM deepseek-r1\n")
    assert fingerprint(before, before.diagnostics[0]) == fingerprint(after, after.diagnostics[0])


def test_a_baseline_leaves_what_is_new() -> None:
    baseline = read_baseline(write_baseline([report("FROM deepseek-r1\n")]), "b")
    (left,) = without_old([report("FROM deepseek-r1\nFROM deepseek-r1\nFROM llama3\n")], baseline)
    assert left.silenced == 1
    assert [each.span.start for each in left.diagnostics if each.code == "MS508"] == [22, 39]
