"""What the language server answers to an editor's questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_stores import request
from lsp_client import Client, applied

from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

pytest.importorskip("pygls")

TEXT = """\
FROM stored:1b
# 😀
PARAMETER num_ctx 4096
RENDERER qwen3.5
MESSAGE user hi
TEMPLATE \"\"\"{{ range $i, $m := .Messages }}<|im_start|>{{ .Role }}
{{ $m.Content }}<|im_end|>
{{ end }}<|im_start|>assistant
\"\"\"
"""
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
SNIPPETS = {"completion": {"completionItem": {"snippetSupport": True}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lsp")
    (folder / "weights").mkdir()
    gguf = write_sample(folder / "weights" / "small.gguf")
    LocalStore(folder / "models").create("stored:1b", request({"small.gguf": gguf}, parameters={"num_ctx": 512}))
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    options = {"store": str(folder / "models"), "ignore": ["MS3", "MS4"]}
    client = Client(folder).start(options, textDocument=SNIPPETS)
    client.open(at(folder), TEXT)
    yield client
    assert client.stop() == 0


def at(folder: Path, name: str = "Modelfile") -> str:
    return (folder / name).as_uri()


def test_hover_over_instructions_parameters_names_and_roles(client: Client, folder: Path) -> None:
    def hover(line: int, character: int) -> str:
        found = client.at("hover", at(folder), line, character)
        return found["contents"]["value"] if found else ""

    assert hover(0, 1).startswith("`FROM model")
    assert "**stored:1b**" in hover(0, 6), "the model in the store"
    assert "num_ctx 512" in hover(0, 6)
    assert hover(1, 3) == ""
    assert "context window" in hover(2, 12)
    assert "context window" in hover(2, 19), "the value says what it is a value of"
    assert "<think>" in hover(3, 12)
    assert "what the person says" in hover(4, 9)
    assert "What the model sees" in hover(5, 3), "the keyword TEMPLATE shows the prompt"


def test_hover_in_a_template(client: Client, folder: Path) -> None:
    found = client.at("hover", at(folder), 5, 60)
    assert "`.Role` (string)" in found["contents"]["value"]
    assert "<|im_start|>⟦system⟧⏎\n" in found["contents"]["value"], "what it prints stands out, blanks can be seen"
    assert found["range"] == {"start": {"line": 5, "character": 58}, "end": {"line": 5, "character": 63}}
    assert "each element" in client.at("hover", at(folder), 5, 17)["contents"]["value"]


def test_hover_explains_the_rule_of_a_finding(client: Client) -> None:
    client.open("untitled:rule", "FROM x:1\nPARAMETER num_ctxx 1\n")
    text = client.at("hover", "untitled:rule", 1, 12)["contents"]["value"]
    assert "**MS201 " in text
    assert "*Why.*" in text


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("|^|", {"FROM", "PARAMETER", "TEMPLATE", "MESSAGE"}, {"num_ctx"}),
        ("FROM x\npar|^|", {"PARAMETER", "PARSER"}, {"num_ctx"}),
        ("FROM x\nPARAMETER |^|", {"num_ctx", "stop", "temperature"}, {"mirostat", "FROM"}),
        ("FROM x\nPARAMETER num_ctx |^|", {"8192"}, {"num_ctx"}),
        ("FROM x\nPARAMETER use_mmap |^|", {"true", "false"}, set()),
        ('TEMPLATE """{{ .Prompt }}<|im_end|>"""\nPARAMETER stop |^|', {'"<|im_end|>"'}, set()),
        ("FROM x\nMESSAGE |^|", {"user", "assistant", "system"}, {"tool"}),
        ("FROM x\nRENDERER |^|", {"qwen3-coder"}, {"passthrough"}),
        ("FROM x\nPARSER |^|", {"passthrough"}, {"olmo3.1"}),
        ("FROM x\nREQUIRES |^|", {"0.14.0"}, set()),
        ("FROM |^|", {"stored:1b", "./weights/"}, {"FROM"}),
        ("FROM ./weights/|^|", {"./weights/small.gguf"}, {"stored:1b"}),
        ("ADAPTER |^|", {"./weights/"}, {"stored:1b"}),
        ('TEMPLATE """{{ |^| }}"""', {".Messages", "json", "range", "$"}, {".Role"}),
        ('TEMPLATE """{{ .|^| }}"""', {"Messages", "System"}, {"Role", "json"}),
        ('TEMPLATE """😀{{ range .Messages }}{{ .|^|', {"Role", "Content"}, {"Messages"}),
        ('TEMPLATE """{{ range $i, $m := .Messages }}{{ $|^|', {"$", "$i", "$m"}, {"json"}),
        ('TEMPLATE """text |^|"""', set(), {"json", "FROM"}),
        ('SYSTEM """first\nPAR|^|\n"""', set(), {"PARAMETER"}),
        ("# PAR|^|", set(), {"PARAMETER"}),
    ],
)
def test_completion(client: Client, folder: Path, text: str, wanted: set[str], unwanted: set[str]) -> None:
    uri = at(folder, "Completion.modelfile")
    before, _, after = text.partition("|^|")
    client.open(uri, before + after)
    column = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
    items = client.at("completion", uri, before.count("\n"), column)["items"]
    labels = {each["label"] for each in items}
    assert wanted <= labels
    assert not unwanted & labels
    for each in items:
        inserted = applied(before + after, [each["textEdit"]])
        assert inserted.startswith(before[: before.rfind("\n") + 1]), "only the line is touched"


def test_completion_fills_in_places_where_the_editor_can(client: Client, folder: Path) -> None:
    client.open("untitled:snippet", "FROM x\nPARAMETER num")
    items = {each["label"]: each for each in client.at("completion", "untitled:snippet", 1, 13)["items"]}
    assert items["temperature"]["textEdit"]["newText"] == "temperature ${1:0.8}"
    assert items["temperature"]["insertTextFormat"] == 2
    assert "randomness" in items["temperature"]["documentation"]["value"]


def actions(client: Client, uri: str, **context: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.of("codeAction", uri, range=WHOLE, context={"diagnostics": [], **context})
    return found


def test_code_actions_mend_and_silence(client: Client) -> None:
    uri, text = "untitled:actions", "FROM x:1\nSYSTEM 😀\nPARAMETER num_ctxx 1\n"
    client.open(uri, text)
    found = [each for each in actions(client, uri) if "MS201" in each["title"]]
    assert {each["kind"] for each in found} == {"quickfix"}
    mending = next(each for each in found if "Silence" not in each["title"])
    assert mending["diagnostics"][0]["code"] == "MS201"
    assert applied(text, mending["edit"]["changes"][uri]) == "FROM x:1\nSYSTEM 😀\nPARAMETER num_ctx 1\n"
    silencing = next(each for each in found if "Silence" in each["title"])
    silent = applied(text, silencing["edit"]["changes"][uri])
    assert silent == "FROM x:1\nSYSTEM 😀\n# modelsmith: ignore[MS201]\nPARAMETER num_ctxx 1\n"
    assert "MS201" not in {each["code"] for each in client.change(uri, 2, {"text": silent})}


def test_code_actions_come_for_the_range_and_the_kind_that_is_asked_for(client: Client) -> None:
    uri = "untitled:range"
    client.open(uri, "FROM x:1\nSYSTEM hi\nPARAMETER num_ctxx 1\n")
    assert actions(client, uri, only=["refactor"]) == []
    line = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 3}}
    assert client.of("codeAction", uri, range=line, context={"diagnostics": [], "only": ["quickfix"]}) == []


def test_fix_all_mends_what_is_safe(client: Client) -> None:
    uri, text = "untitled:all", "# modelsmith: ignore[MS202] old\nFROM x:1\n# modelsmith: ignore[MS202]\nSYSTEM hi\n"
    client.open(uri, text)
    (action,) = actions(client, uri, only=["source.fixAll"])
    assert action["kind"] == "source.fixAll.modelsmith"
    assert applied(text, action["edit"]["changes"][uri]) == "FROM x:1\nSYSTEM hi\n"


def test_formatting(client: Client) -> None:
    uri, text = "untitled:format", "from   x:1\n\n\n\nSystem    😀  hi\nparameter num_ctx   1\n"
    client.open(uri, text)
    options = {"tabSize": 4, "insertSpaces": True}
    edits = client.of("formatting", uri, options=options)
    assert applied(text, edits) == "FROM x:1\n\nSYSTEM 😀  hi\nPARAMETER num_ctx 1\n"
    assert client.of("rangeFormatting", uri, range=WHOLE, options=options) == edits
    client.open("untitled:refused", "FROM x\nFRMO y\n")
    assert client.of("formatting", "untitled:refused", options=options) is None
    assert any("is not formatted" in line for line in client.logged)
    client.open("untitled:t.gotmpl", "{{.Prompt}}", "gotmpl")
    edits = client.of("formatting", "untitled:t.gotmpl", options=options)
    assert applied("{{.Prompt}}", edits) == "{{ .Prompt }}"


def test_outline_folding_and_colours(client: Client, folder: Path) -> None:
    outline = client.of("documentSymbol", at(folder))
    assert [each["name"] for each in outline] == [
        "FROM stored:1b",
        "PARAMETER num_ctx",
        "RENDERER qwen3.5",
        "MESSAGE user",
        "TEMPLATE",
    ]
    (block,) = outline[-1]["children"]
    assert block["name"] == "range $i, $m := .Messages"
    folds = {(each["startLine"], each["endLine"]) for each in client.of("foldingRange", at(folder))}
    assert folds == {(5, 8), (5, 7)}
    data = client.of("semanticTokens/full", at(folder))["data"]
    assert data[:10] == [0, 0, 4, 0, 0, 1, 0, 4, 4, 0], "FROM, and a comment whose 😀 has two units"
