"""``modelsmith gguf inspect`` and ``verify`` as a user runs them."""

from __future__ import annotations

import json
import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fakes.web import FakeWeb, serving
from hypothesis import given
from hypothesis import strategies as st
from local_stores import small_gguf, tensor, text

from modelsmith.cli import run
from modelsmith.cli.gguf.inspect.treemap import Box, squarified
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    licence = {"general.license": text("general.license", "apache-2.0")}
    write_sample("m.gguf", chat_template="{{ messages }}\n{% if tools %}{% endif %}", metadata=licence)


def test_the_summary_fits_on_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "inspect", "m.gguf"]) == 0
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) <= 24
    for words in (
        "modelsmith sample  llama · model · F16",
        "GGUF 3",
        "115.78k in 21 tensors, 16.04 bits per weight",
        "context ",
        "262 tokens, gpt2 (default)",
        "eos 257 <｜end▁of▁sentence｜>",
        "capabilities: tools",
        "{{ messages }}",
        "apache-2.0",
        "feed forward",
        "blocks 0–1",
    ):
        assert words in shown


def test_lists_of_tensors_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "inspect", "m.gguf", "--tensors"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 22
    assert re.fullmatch(r"token_embd\.weight +64 x 262 +F16 +33,536 +[\d,]+", listed[1])
    assert run(["gguf", "inspect", "m.gguf", "--metadata"]) == 0
    keys = capsys.readouterr().out
    assert 'general.architecture STRING "llama"' in keys
    assert 'tokenizer.ggml.merges STRING[3] ["t h", "h e", "i n"]' in keys
    assert 'tokenizer.chat_template STRING "{{ messages }}⏎{% if tools %}{% endif %}"' in keys


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "inspect", "m.gguf", "--json", "--tensors", "--metadata"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["architecture"], found["kind"], found["vocabulary"]) == ("llama", "model", 262)
    assert found["special_tokens"]["bos"] == {"id": 256, "text": "<｜begin▁of▁sentence｜>"}
    assert sum(part["bytes"] for part in found["roles"].values()) == sum(each["bytes"] for each in found["tensors"])
    assert found["metadata"]["tokenizer.ggml.tokens"]["count"] == 262
    assert found["sizes"]["block_count"] == 2
    assert found["findings"] == []


def test_numbers_that_json_has_not_become_texts(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [text("general.architecture", "x"), Entry.of("x.nan", 6, float("nan"))]
    small_gguf(Path("n.gguf"), entries)
    assert run(["gguf", "inspect", "n.gguf", "--json", "--metadata"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found["metadata"]["x.nan"]["value"] == "nan"


def test_names_of_others_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [
        text("general.architecture", "x\x1b[2J"),
        text("general.name", "a\x1b]0;b\x07\nc"),
        text("k\x1b[1m", "v"),
    ]
    small_gguf(Path("n.gguf"), entries, [tensor("t\x1b[5m", (8,))])
    for more in ([], ["--tensors"], ["--metadata"]):
        assert run(["gguf", "inspect", "n.gguf", *more]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_url_is_inspected_and_verified(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(FakeWeb(Path("m.gguf").read_bytes())) as web:
        assert run(["gguf", "inspect", f"{web.url}/m.gguf"]) == 0
        assert "in 1 requests" in capsys.readouterr().out
        assert run(["gguf", "verify", f"{web.url}/m.gguf", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["ok"] is True
        assert run(["gguf", "verify", f"{web.url}/m.gguf", "--deep"]) == 2


def test_a_cut_file_is_shown_with_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    data = Path("m.gguf").read_bytes()
    Path("cut.gguf").write_bytes(data[:-999])
    assert run(["gguf", "inspect", "cut.gguf"]) == 1
    shown = capsys.readouterr().out
    assert "115.78k in 21 tensors" in shown
    assert "999 bytes" in shown
    assert "hint:" in shown


def test_what_is_no_gguf_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("page.gguf").write_text("<!doctype html>")
    assert run(["gguf", "inspect", "page.gguf"]) == 3
    assert "a web page" in capsys.readouterr().err
    assert run(["gguf", "inspect", "gone.gguf"]) == 3
    assert "does not exist" in capsys.readouterr().err


def test_verify_tells_of_each_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("page.gguf").write_text("<!doctype html>")
    broken = bytearray(Path("m.gguf").read_bytes())
    broken[-2:] = struct.pack("<H", 0x7E00)
    Path("nan.gguf").write_bytes(broken)
    assert run(["gguf", "verify", "m.gguf", "nan.gguf"]) == 0
    assert capsys.readouterr().out.count("sound") == 2
    assert run(["gguf", "verify", "m.gguf", "page.gguf", "nan.gguf", "--deep"]) == 1
    shown = capsys.readouterr().out
    assert "sound m.gguf" in shown
    assert "page.gguf  1 error\n" in shown
    assert f"byte {len(broken) - 2:,}:" in shown
    assert run(["gguf", "verify", "m.gguf", "gone.gguf", "page.gguf", "--json"]) == 3
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row.get("ok") for row in rows] == [True, None, False]
    assert rows[2]["findings"][0]["offset"] == 0
    assert run(["gguf", "verify", "gone.gguf"]) == 3


def test_shards_are_verified_as_one_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "split", "m.gguf", "s", "--max-tensors", "8", "--no-tensor-first"]) == 0
    capsys.readouterr()
    names = sorted(path.name for path in Path().glob("s-*.gguf"))
    assert len(names) == 4
    assert run(["gguf", "verify", *names, "m.gguf"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("sound s-00001-of-00004.gguf  4 shards, 21 tensors, ")
    assert second.startswith("sound m.gguf  21 tensors, ")
    with serving(FakeWeb(files={f"/{name}": Path(name).read_bytes() for name in names})) as web:
        assert run(["gguf", "verify", f"{web.url}/{names[2]}", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["tensors"], found["shards"]) == (21, names)
    Path(names[3]).unlink()
    assert run(["gguf", "verify", names[0]]) == 1
    assert f"1 of the others are not beside it, such as {names[3]}" in capsys.readouterr().out


def test_a_sample_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gguf", "verify", "sample:deepseek-r1", "--deep"]) == 0
    assert "every number" in capsys.readouterr().out


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [text("general.architecture", "x"), text("general.name", "<script>alert(1)</script>")]
    small_gguf(
        Path("n.gguf"), entries, [tensor("blk.0.<b>", (64, 64)), tensor("blk.0.c", (8,)), tensor("output", (8,))]
    )
    assert run(["gguf", "inspect", "n.gguf", "--html", "n.html"]) == 0
    assert "wrote n.html" in capsys.readouterr().err
    html = Path("n.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(html)
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not any({"src", "href", "style"} & set(attributes) for _, attributes in page.tags)
    assert "url(" not in html
    assert "@import" not in html
    assert "<script>" not in html
    assert (
        sum((attributes.get("class") or "").startswith("cell") for tag, attributes in page.tags if tag == "rect") == 3
    )
    assert "prefers-color-scheme: dark" in html
    assert run(["gguf", "inspect", "n.gguf", "--html", "n.html"]) == 0
    assert run(["gguf", "inspect", "n.gguf", "--html", "m.gguf"]) == 2


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=60))
def test_a_treemap_fills_its_box(sizes: list[float]) -> None:
    sizes = sorted(sizes, reverse=True)
    box = Box(0, 0, 1200, 660)
    boxes = squarified(sizes, box)
    total = sum(sizes)
    assert sum(each.width * each.height for each in boxes) == pytest.approx(1200 * 660)
    for size, each in zip(sizes, boxes, strict=True):
        assert each.width * each.height == pytest.approx(1200 * 660 * size / total, abs=1e-3)
        assert each.x >= -1e-6
        assert each.y >= -1e-6
        assert each.x + each.width <= 1200.01
        assert each.y + each.height <= 660.01
