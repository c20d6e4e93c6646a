"""``modelsmith diff``: on the terminal, as JSON, and as a page that no template can break out of."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.template.conversation.named import NAMED

CHAT = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}\n{{ end }}<|assistant|>\n"
HOSTILE = (
    "</pre></script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>"
    "<style>*{display:none}</style><!-- --> ]]> &amp; \" ' {{ `\u202e\u0000\u0007\u001b[2J` }}"
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    Path("a.gotmpl").write_text(CHAT)
    Path("b.gotmpl").write_text(CHAT + "<think>\n")
    Path("A").write_text(f'FROM x\nTEMPLATE """{CHAT}"""\nPARAMETER stop a\nPARAMETER stop b\n')
    Path("B").write_text(f'FROM x\nTEMPLATE """{CHAT}"""\nPARAMETER stop b\nPARAMETER stop c\n')


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int) -> str:
    capsys.readouterr()
    assert run(["diff", *arguments]) == code
    return capsys.readouterr().out


def test_equal(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "a.gotmpl", "a.gotmpl", code=0)
    assert text.splitlines()[0] == f"equal for all {len(NAMED)} conversations"
    Path("c.gotmpl").write_text("{{- /* a comment */ -}}" + CHAT)
    text = output(capsys, "a.gotmpl", "c.gotmpl", code=0)
    assert "the text differs; what the model reads does not" in text
    assert "a comment" in output(capsys, "a.gotmpl", "c.gotmpl", "--text", code=1)


def test_different_shows_the_smallest_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "a.gotmpl", "b.gotmpl", code=1)
    assert text.startswith(f"different: prompts differ for all {len(NAMED)} conversations\n")
    assert "user, think unset, true, false\n    <|user|>What is a neap tide?⏎\n" in text
    assert "{+<think>⏎" in text
    assert "parallel-tools" not in text
    assert "parallel-tools" in output(capsys, "a.gotmpl", "b.gotmpl", "--all", code=1)


def test_values(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "A", "B", code=1)
    assert text.startswith(f"different: 1 value; prompts equal for all {len(NAMED)} conversations\n")
    assert "PARAMETER stop: [-a-] {+c+}" in text
    assert "-PARAMETER stop a" in text


def test_one_conversation_by_name_or_file(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "a.gotmpl", "b.gotmpl", "--conversation", "tool-result", code=1)
    assert "for the conversation tool-result" in text
    Path("mine.json").write_text(json.dumps({"messages": [{"role": "user", "content": "mine"}]}))
    assert "<|user|>mine⏎" in output(capsys, "a.gotmpl", "b.gotmpl", "-c", "mine.json", code=1)
    assert "mine, think unset, true, false  (same)" in output(capsys, "a.gotmpl", "a.gotmpl", "-c", "mine.json", code=0)
    assert run(["diff", "a.gotmpl", "b.gotmpl", "-c", "tool-reslt"]) == 2
    assert 'did you mean "tool-result"?' in capsys.readouterr().err


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(output(capsys, "A", "B", "--json", code=1))
    assert found["equal"] is False
    assert [(value["name"], value["removed"], value["added"]) for value in found["values"]] == [
        ("PARAMETER stop", ["a"], ["c"])
    ]
    assert found["prompts"]["different"] == []
    assert found["prompts"]["total"] == found["prompts"]["same"] == 3 * len(NAMED)
    found = json.loads(output(capsys, "a.gotmpl", "b.gotmpl", "--json", code=1))
    smallest = found["prompts"]["smallest"]
    assert (smallest["conversation"], smallest["think"]) == ("user", "unset")
    assert smallest["b"]["prompt"] == smallest["a"]["prompt"] + "<think>\n"
    assert set(found["a"]) == {"name", "kind", "effective", "reason", "template", "capabilities"}
    assert len(json.loads(output(capsys, "A", "B", "--json", "--all", code=1))["prompts"]["shown"]) == 3 * len(NAMED)


class Page(HTMLParser):
    """What a browser would make of a page: elements with attributes, and the text inside of each kind of element."""

    VOID = frozenset({"meta", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.texts[self.open[-1] if self.open else ""] = self.texts.get(self.open[-1] if self.open else "", "") + data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report(*arguments: str, code: int = 1) -> tuple[str, Page]:
    assert run(["diff", *arguments, "--html", "report.html"]) == code
    text = Path("report.html").read_text(encoding="utf-8")
    return text, Page(text)


def test_the_page_is_whole_and_loads_nothing() -> None:
    text, page = report("a.gotmpl", "b.gotmpl")
    assert page.open == []
    assert text.startswith("<!doctype html>")
    assert [len(page.attributes(tag)) for tag in ("script", "style", "link", "img", "iframe", "object")] == [
        1,
        1,
        0,
        0,
        0,
        0,
    ]
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "action", "style"} & set(attributes), tag
        assert attributes.get("href", "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"https?://|@import|url\(", page.texts["style"] + page.texts["script"])
    policy = next(each["content"] for each in page.attributes("meta") if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    labels = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    assert labels <= set(identifiers)


def test_the_page_holds_every_conversation_under_every_think_value() -> None:
    _, page = report("a.gotmpl", "b.gotmpl")
    cards = page.attributes("article")
    told = {(card["data-conversation"], think) for card in cards for think in card["data-think"].split()}
    assert told == {(name, think) for name in NAMED for think in ("unset", "true", "false")}
    assert {card["data-same"] for card in cards} == {"false"}
    assert page.texts["ins"].count("<think>") + page.texts["span"].count("<think>") >= len(NAMED)


def test_the_page_of_equal_things_shows_their_prompts_too() -> None:
    _, page = report("A", "A", code=0)
    assert {card["data-same"] for card in page.attributes("article")} == {"true"}
    assert not page.attributes("ins")
    assert not [each for each in page.attributes("input") if each.get("id") == "only" and "checked" in each]


def test_no_template_gets_out_of_its_box() -> None:
    Path("h.gotmpl").write_text(HOSTILE + CHAT)
    Path("H").write_text(f'FROM x\nTEMPLATE """{HOSTILE.replace(chr(34), "")}"""\nSYSTEM "<script>x</script>"\n')
    for arguments in (("a.gotmpl", "h.gotmpl"), ("A", "H"), ("h.gotmpl", "h.gotmpl")):
        text, page = report(*arguments, code=int(arguments[0] != arguments[1]))
        assert page.open == []
        assert len(page.attributes("script")) == len(page.attributes("style")) == 1
        assert not page.attributes("img")
        assert "alert(" not in page.texts["script"]
        assert "\u202e" not in text
        assert "\0" not in text
        assert "\x1b" not in text
    assert "U+202E" in text


def test_a_name_is_text_too() -> None:
    name = '"><script>x.gotmpl'
    Path(name).write_text(CHAT)
    _, page = report("b.gotmpl", name)
    assert len(page.attributes("script")) == 1


def test_the_terminal_is_not_steered(capsys: pytest.CaptureFixture[str]) -> None:
    Path("h.gotmpl").write_text(HOSTILE + CHAT)
    text = output(capsys, "a.gotmpl", "h.gotmpl", "--all", code=1)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_huge_prompts_are_cut_where_they_part(capsys: pytest.CaptureFixture[str]) -> None:
    for name, word in (("a", "one"), ("b", "two")):
        Path(f"{name}.gotmpl").write_text(f'{{{{ printf "%070000d" 0 }}}} {word} {{{{ printf "%070000d" 0 }}}}')
    Path("c.json").write_text(json.dumps({"messages": [{"role": "user", "content": "x"}]}))
    text, page = report("a.gotmpl", "b.gotmpl", "-c", "c.json")
    assert len(text) < 1_000_000
    assert "one" in page.texts["del"]
    assert "two" in page.texts["ins"]
    shown = capsys.readouterr().out
    assert len(shown) < 20_000
    assert "[-one-]{+two+}" in shown


def test_a_report_replaces_a_report_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    report("a.gotmpl", "b.gotmpl")
    first = Path("report.html").read_bytes()
    report("a.gotmpl", "b.gotmpl")
    assert Path("report.html").read_bytes() == first
    before = sorted(Path().iterdir())
    Path("notes.html").write_text('<!doctype html>\n<html lang="en">mine')
    for target, words in (
        ("notes.html", "it would be lost"),
        (".", "is a folder"),
        ("no/r.html", "mkdir -p no"),
        ("A", "it is what is read"),
    ):
        assert run(["diff", "A", "B", "--html", target]) == 2
        assert words in capsys.readouterr().err
    assert Path("notes.html").read_text().endswith("mine")
    assert sorted(Path().iterdir()) == sorted([*before, Path("notes.html")])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["A"], 2, "Missing argument 'B'"),
        (["A", "nosuch"], 3, '"nosuch" was not found'),
        (["A", "nosuch.gotmpl"], 3, "nosuch.gotmpl cannot be read"),
        (["A", "bad.gotmpl"], 3, "bad.gotmpl:1:12: error: "),
        (["A", "B", "--target-ollama", "new"], 2, "is not a version"),
    ],
)
def test_errors(arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.gotmpl").write_text("{{ if .X }}")
    assert run(["diff", *arguments]) == code
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "--help", code=0)
    assert "modelsmith diff a.gguf b.gguf --json" in text
    assert "\\b" not in text


def test_where_transformers_differ_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = "{% for m in messages %}{{ m.role }}{{ m.content }}{% endfor %}"
    for name, text in (("a", same), ("b", same.replace("m.content", "m.content + none"))):
        (tmp_path / f"{name}.jinja").write_text(text)
    assert run(["diff", str(tmp_path / "a.jinja"), str(tmp_path / "b.jinja"), "--json"]) == 0
    (note,) = json.loads(capsys.readouterr().out)[
        "notes"
    ]  # begun answers, which differ for every template, do not count
    assert note.startswith(
        f"{tmp_path / 'b.jinja'}: transformers, vLLM and SGLang make something else than llama-server of "
    )
