"""The questions that can be asked about models, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.errors import UsageError
from modelsmith.questions import diff, explain, render
from modelsmith.store.local.local import LocalStore
from modelsmith.template.conversation.conversation import Conversation

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))


def test_explain() -> None:
    assert explain("sample:deepseek-r1").effective.source == "jinja"
    assert explain("sample:deepseek-r1", version="0.12.0").effective.source == "go"


def test_diff(tmp_path: Path) -> None:
    (tmp_path / "a.gotmpl").write_text("{{ range .Messages }}{{ .Content }}{{ end }}")
    (tmp_path / "b.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    found = diff("a.gotmpl", "b.jinja", folder=tmp_path, conversations={"hello": HELLO})
    assert found.equal
    assert not diff("a.gotmpl", "sample:deepseek-r1", folder=tmp_path, store=LocalStore(tmp_path)).equal


def test_render(tmp_path: Path) -> None:
    assert render("sample:deepseek-r1", HELLO).endswith("hello<｜Assistant｜>")
    (tmp_path / "a.gotmpl").write_text("{{ .Think }}")
    assert render("a.gotmpl", HELLO, True, folder=tmp_path).startswith("true")
    with pytest.raises(UsageError, match="is a Go template"):
        render("a.gotmpl", HELLO, engine="jinja", folder=tmp_path)
