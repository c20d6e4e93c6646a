"""The language server, driven by a real client over stdio: texts, positions, findings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsp_client import Client

from modelsmith.cli.lsp.options import Options, read_options
from modelsmith.versions import NEWEST

pytest.importorskip("pygls")

GOOD = 'FROM ./model.gguf\nTEMPLATE """{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}"""\n'


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(tmp_path_factory.mktemp("lsp")).start(
        {"textOnly": True, "select": ["MS1", "MS2", "MS300", "MS508"]}
    )
    yield client
    assert client.stop() == 0
    assert not client.logged


def place(line: int, start: int, end: int) -> dict[str, Any]:
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def codes(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["code"]: each["range"] for each in found}


def test_it_says_what_it_can(client: Client) -> None:
    can = client.capabilities
    assert can["positionEncoding"] == "utf-16"
    assert can["textDocumentSync"]["change"] == 2, "changes come as edits"
    assert "source.fixAll.modelsmith" in can["codeActionProvider"]["codeActionKinds"]
    for name in ("hover", "documentFormatting", "documentRangeFormatting", "documentSymbol", "foldingRange"):
        assert can[f"{name}Provider"] is True
    assert "." in can["completionProvider"]["triggerCharacters"]


def test_findings_have_exact_places_and_go_when_they_are_mended(client: Client) -> None:
    uri = "file:///nowhere/a/Modelfile"
    found = client.open(uri, "FROM llama3.2\nPARAMETER num_ctxx 4096\nTEMPLATE {{ if .System }}\nFRMO x\n")
    assert codes(found)["MS201"] == place(1, 10, 18)
    assert codes(found)["MS300"] == place(2, 12, 14)
    assert codes(found)["MS101"] == place(3, 0, 4)
    assert codes(found)["MS508"] == place(0, 5, 13)
    severities = {each["code"]: each["severity"] for each in found}
    assert severities["MS201"] == 1
    assert severities["MS508"] > 1
    (unknown,) = [each for each in found if each["code"] == "MS201"]
    assert unknown["source"] == "modelsmith"
    assert "\n" in unknown["message"], "the hint stands below the message"
    left = client.change(
        uri,
        2,
        {"range": place(3, 0, 6), "text": ""},
        {"range": place(2, 9, 25), "text": "{{ .Prompt }}"},
        {"range": place(1, 17, 18), "text": ""},
    )
    assert set(codes(left)) == {"MS508"}
    assert client.change(uri, 3, {"text": GOOD}) == []
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert client.diagnostics(uri) == []


def test_columns_count_utf_16_units(client: Client) -> None:
    uri = "untitled:emoji"
    found = client.open(uri, "FROM x:1\nSYSTEM 😀漢 \nTEMPLATE 😀漢{{ fi }}\n")
    assert codes(found)["MS300"] == place(2, 9 + 2 + 1 + 3, 9 + 2 + 1 + 5)
    # "😀" is two units: the edit is behind it, not in it
    after = client.change(uri, 2, {"range": place(2, 15, 17), "text": ".Prompt"})
    assert "MS300" not in codes(after)


def test_other_units_and_versioned_edits_where_the_editor_asks(tmp_path: Path) -> None:
    client = Client(tmp_path).start(
        {"select": ["MS300"]},
        general={"positionEncodings": ["utf-8", "utf-16"]},
        workspace={"workspaceEdit": {"documentChanges": True}},
    )
    assert client.capabilities["positionEncoding"] == "utf-8"
    (found,) = client.open("untitled:x", "FROM x:1\nTEMPLATE 😀漢{{ endfor }}\n")
    assert found["range"] == place(1, 19, 25)
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    actions = client.of("codeAction", "untitled:x", range=whole, context={"diagnostics": []})
    (change,) = actions[0]["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": "untitled:x", "version": 1}
    assert client.change("untitled:x", 2, {"range": place(1, 19, 25), "text": ".Prompt"}) == []
    assert client.stop() == 0


def test_lines_end_where_the_protocol_says(client: Client) -> None:
    """Python's splitlines would also cut at form feeds and U+2028."""
    found = client.open("untitled:lines", "FROM x:1\r\nSYSTEM a\u2028b\x0cc\x85d\rPARAMETER num_ctxx 1\n")
    assert codes(found)["MS201"] == place(2, 10, 18)


def test_templates_alone(client: Client) -> None:
    found = client.open("file:///nowhere/chat.gotmpl", "a\n{{ if .System }}b\n", "plaintext")
    assert codes(found) == {"MS300": place(1, 3, 5)}
    assert client.open("file:///nowhere/by-id", "{{ .Prompt }}", "gotmpl") == []


def test_jinja_templates_are_read(client: Client) -> None:
    (found,) = client.open("file:///nowhere/chat.jinja", "{% for m in messages %}\n  {{ m. }}\n{% endfor %}", "jinja")
    assert found["code"] == "jinja-syntax"
    assert found["range"] == place(1, 2, 10)
    assert client.change("file:///nowhere/chat.jinja", 2, {"text": "{{ messages }}"}) == []


def test_a_comment_silences(client: Client) -> None:
    assert client.open("untitled:silent", "# modelsmith: ignore[MS508] why not\nFROM llama3.2\n") == []


def test_only_the_newest_version_is_reported(client: Client) -> None:
    uri = "untitled:fast"
    client.open(uri, GOOD)
    document = {"uri": uri, "version": 0}
    for version in range(2, 12):
        changes = [{"range": place(0, 0, 0), "text": "#\n"}]
        client.notify(
            "textDocument/didChange", {"textDocument": {**document, "version": version}, "contentChanges": changes}
        )
    assert client.change(uri, 12, {"text": "FROM x:1\nPARAMETER num_ctxx 1\n"})[0]["code"] == "MS201"
    assert client.notes.empty(), "one report for all that was typed"


def test_settings_of_the_editor_and_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "modelsmith.toml").write_text('[lint]\nignore = ["MS508"]\nexclude = ["old/*"]\n')
    text = "FROM llama3.2\nPARAMETER num_ctxx 1\nREQUIRES 0.14.0\n"
    uri, old = ((tmp_path / name).as_uri() for name in ("Modelfile", "old/Modelfile"))
    url = "https://example.com/rules/{code}.md"
    client = Client(tmp_path).start({"modelsmith": {"textOnly": True, "rulesUrl": url}})
    found = client.open(uri, text)
    assert "MS508" not in codes(found)
    (unknown,) = [each for each in found if each["code"] == "MS201"]
    assert unknown["codeDescription"]["href"] == "https://example.com/rules/MS201.md"
    assert client.open(old, text) == []
    client.notify("textDocument/didClose", {"textDocument": {"uri": old}})
    settings = {"modelsmith": {"targetOllama": "0.5", "select": ["MS5"], "textOnly": True}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    assert "MS507" in codes(client.diagnostics(uri)), "REQUIRES is not known to 0.5"
    client.notify("workspace/didChangeConfiguration", {"settings": {"targetOlama": "0.5", "timeLimit": "soon"}})
    assert "MS201" in codes(client.diagnostics(uri))
    assert any('did you mean "targetOllama"' in line for line in client.logged)
    assert any("timeLimit" in line for line in client.logged)
    client.change(uri, 2, {"text": "FROM ./missing.gguf\n"})
    client.notify("workspace/didChangeConfiguration", {"settings": {"select": ["MS501"]}})
    assert codes(client.diagnostics(uri)), "the files that the text names are looked at"
    client.notify("workspace/didChangeConfiguration", {"settings": {"select": ["MS501"], "textOnly": True}})
    assert client.diagnostics(uri) == []
    client.change(uri, 3, {"text": text})
    client.notify("workspace/didChangeConfiguration", {"settings": {}})
    client.diagnostics(uri)
    (tmp_path / "modelsmith.toml").write_text("[lint]\nselect = 5\n")
    client.notify("workspace/didChangeWatchedFiles", {"changes": []})
    assert "MS508" in codes(client.diagnostics(uri)), "a configuration that cannot be read counts as none"
    assert any("select" in line for line in client.logged)
    assert client.stop() == 0


def test_every_setting_is_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "editors.md").read_text(encoding="utf-8")
    for field in fields(Options):
        name = "".join(word.title() if number else word for number, word in enumerate(field.name.split("_")))
        assert f"`{name}`" in page
        assert read_options({name: None}) == (Options(), ())


@pytest.mark.parametrize(
    "data", [5, [], "latest", {"modelsmith": 5}, {"textOnly": 1}, {"select": [3]}, {"timeLimit": -1}]
)
def test_settings_that_make_no_sense_count_as_not_set(data: object) -> None:
    options, problems = read_options(data)
    assert options == Options()
    assert len(problems) == 1


def test_what_editors_keep_for_themselves_is_no_setting() -> None:
    assert read_options({"path": "x", "targetOllama": "", "trace": {"server": "off"}}) == (Options(), ())
    assert read_options({"modelsmith": {"targetOllama": "latest"}})[0].target_ollama == NEWEST


POSITION = st.tuples(st.integers(0, 5), st.integers(0, 9))


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from("ab\n\r😀漢\u2028"), max_size=20),
    st.lists(st.tuples(POSITION, POSITION, st.text(st.sampled_from("x\n\r😀"), max_size=3)), max_size=4),
)
def test_edits_of_the_editor_are_applied_as_in_the_editor(start: str, edits: list[Any]) -> None:
    """Against a text of UTF-16 units, as editors keep it; no edit cuts a pair of units or a CRLF in two."""
    from lsprotocol import types

    from modelsmith.cli.lsp.texts import Text

    text, expected = Text("x:y", 1, start, "modelfile", "utf-16"), start
    for one, other, new in edits:
        first, last = sorted((one, other))
        places = [_offset(expected, *position) for position in (first, last)]
        if None in places:
            continue
        changed = types.Range(types.Position(*first), types.Position(*last))
        text = text.changed(2, [types.TextDocumentContentChangePartial(changed, new)])
        expected = expected[: places[0]] + new + expected[places[1] :]
    assert text.text == expected


def _offset(text: str, line: int, column: int) -> int | None:
    """Return the code point at a position, None within a pair of units."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    if line >= len(lines):
        return len(text)
    units = lines[line].rstrip("\r\n").encode("utf-16-le")[: 2 * column]
    try:
        return sum(map(len, lines[:line])) + len(units.decode("utf-16-le"))
    except UnicodeDecodeError:
        return None
