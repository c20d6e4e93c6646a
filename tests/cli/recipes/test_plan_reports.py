"""``plan --html`` and ``plan --markdown``: what reviewers see, and that texts of others are nothing but text there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from modelsmith.cli import run

BASE = "name: r\nfrom: sample:deepseek-r1\ncreate: m\n"
EVIL = "</script><img src=x onerror=alert(1)> @team [x](http://evil.example) `````` ![](http://evil.example/p.png)"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", "models")


class Page(HTMLParser):
    """The elements of a page, and whether each that was opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in {"meta", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_everything_and_loads_nothing() -> None:
    Path("old.yaml").write_text(BASE + "parameters: {top_k: 7}\n")
    Path("new.yaml").write_text(BASE + f"system: '{EVIL}'\nparameters: {{temperature: 0.1}}\n")
    assert run(["apply", "old.yaml", "--quiet"]) == 0
    assert run(["plan", "new.yaml", "--html", "plan.html"]) == 0
    first = Path("plan.html").read_bytes()
    text = first.decode()
    page = Page(text)
    assert page.open == []
    kinds = [tag for tag, _ in page.elements]
    assert (kinds.count("script"), kinds.count("style")) == (1, 1)
    assert not {"img", "link", "iframe", "object"} & set(kinds)
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "style"}], tag
        assert attributes.get("href", "#").startswith("#")
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    plain = re.sub(r"<[^>]+>", "", text)
    for part in (
        "replace m:latest",
        "PARAMETER temperature",
        "PARAMETER top_k",
        "replaced m:latest",
        "What is written",
    ):
        assert part in plain
    assert run(["plan", "new.yaml", "--html", "plan.html"]) == 0
    assert Path("plan.html").read_bytes() == first
    Path("mine.html").write_text("mine")
    assert run(["plan", "new.yaml", "--html", "mine.html"]) == 2
    assert Path("mine.html").read_text() == "mine"


def test_the_comment_has_the_prompts_that_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "force-think", "--set", "base=sample:deepseek-r1", "--markdown"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("<!-- modelsmith plan -->\n### 🟢 create sample-deepseek-r1-think:latest")
    assert "```diff\n@@ -1 +1 @@\n-<｜User｜>What is a neap tide?<｜Assistant｜>\n+<｜User｜>" in text
    assert "| **promises** | 6 of 6 kept |" in text
    assert text.count("<details") == text.count("</details>")
    assert len(text) < 65_536


def test_texts_of_others_are_no_markup_in_a_comment(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(BASE + f"system: '{EVIL}'\nexpect:\n  - prompt-ends-with: '{EVIL}'\n")
    assert run(["plan", "r.yaml", "--markdown"]) == 1
    text = capsys.readouterr().out
    assert text.startswith("<!-- modelsmith plan -->\n### 🔴")
    outside = re.sub(r"(?ms)^(`{3,})diff\n.*?^\1$", "", text)
    assert "<img" not in outside
    assert "http://" not in outside
    assert "@team" not in outside
    fences = re.findall(r"(?m)^(`{3,})", text)
    assert all(len(fence) > 6 for fence in fences[-2:])


def test_one_form_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(BASE)
    assert run(["plan", "r.yaml", "--markdown", "--json"]) == 2
    assert "take one of them" in capsys.readouterr().err
