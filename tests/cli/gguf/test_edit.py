"""The commands that read, edit, compare and cut GGUFs, from the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from modelsmith.cli import run
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.sample import write_sample

JINJA = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_sample(Path("m.gguf"), chat_template=JINJA)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["gguf", *arguments]) == code, capsys.readouterr()
    output = capsys.readouterr()
    return output.out if code in {0, 1} else output.err


def data(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    return json.loads(answer(capsys, *arguments, "--json", code=code))


def test_get(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del model
    text = answer(capsys, "get", "m.gguf")
    assert "general.name" in text
    assert '"modelsmith sample" (STRING)' in text
    assert "262 items (array of STRING)" in text
    assert answer(capsys, "get", "m.gguf", "general.name") == "modelsmith sample\n"
    assert answer(capsys, "get", "m.gguf", "llama.block_count") == "2\n"
    assert answer(capsys, "get", "m.gguf", "tokenizer.ggml.merges") == '["t h", "h e", "i n"]\n'
    assert answer(capsys, "get", "m.gguf", "tokenizer.ggml.tokens[257]") == "<｜end▁of▁sentence｜>\n"
    assert [*data(capsys, "get", "m.gguf", "*_token_id")] == [
        "tokenizer.ggml.bos_token_id",
        "tokenizer.ggml.eos_token_id",
    ]
    assert data(capsys, "get", "m.gguf")["tokenizer.ggml.tokens"] == {"type": "[string]", "count": 262}
    assert 'did you mean "general.name"' in answer(capsys, "get", "m.gguf", "general.nam", code=2)
    assert "no key like" in answer(capsys, "get", "m.gguf", "nothing.*", code=2)
    assert "there is no [262]" in answer(capsys, "get", "m.gguf", "tokenizer.ggml.tokens[262]", code=2)
    assert "--raw prints one text" in answer(capsys, "get", "m.gguf", "--raw", code=2)


def test_raw_text_goes_round(model: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    del model
    assert run(["gguf", "get", "m.gguf", "tokenizer.chat_template", "--raw"]) == 0
    text = capfdbinary.readouterr().out
    assert text == JINJA.encode()
    Path("t.jinja").write_bytes(text)
    assert run(["gguf", "set", "m.gguf", "tokenizer.chat_template", "--from-file", "t.jinja"]) == 0
    assert b"nothing to change" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "key", "value"),
    [
        (["general.name", "x"], "general.name", "x"),
        (["tokenizer.ggml.eos_token_id", "3"], "tokenizer.ggml.eos_token_id", 3),
        (["my.key", "-7", "--type", "i16"], "my.key", -7),
        (["my.key", "0.5", "-t", "f64"], "my.key", 0.5),
        (["tokenizer.ggml.add_bos_token", "true"], "tokenizer.ggml.add_bos_token", True),
        (["general.tags", '["a", "b"]'], "general.tags", ["a", "b"]),
        (["my.list", "[1, 2]", "--type", "[u8]"], "my.list", [1, 2]),
        (["tokenizer.ggml.merges[1]", "x y"], "tokenizer.ggml.merges", ["t h", "x y", "i n"]),
        (["llama.context_length", "x", "--type", "string"], "llama.context_length", "x"),
    ],
)
def test_set_and_undo(
    model: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], key: str, value: object
) -> None:
    before = model.read_bytes()
    found = data(capsys, "set", "m.gguf", *arguments, "--verify")
    assert found["written"]
    assert list(found["changes"]) == [key]
    assert found["data_sha256"]["before"] == found["data_sha256"]["after"]
    read = GGUFFile.open(model).metadata[key]
    assert (list(read) if isinstance(value, list) else read) == value
    assert data(capsys, "undo", "m.gguf")["left"] == 0
    assert model.read_bytes() == before


def test_what_set_prints(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = model.read_bytes()
    text = answer(capsys, "set", "m.gguf", "tokenizer.ggml.eos_token_id", "3", "--dry-run")
    assert "257 (UINT32) -> 3 (UINT32)" in text
    assert "would be written in place" in text
    assert model.read_bytes() == before
    text = answer(capsys, "set", "m.gguf", "tokenizer.ggml.eos_token_id", "3")
    assert "is not touched" in text
    assert "modelsmith gguf undo m.gguf" in text
    text = answer(capsys, "set", "m.gguf", "general.name", "n" * 400, "--verify")
    assert "the header grows" in text
    assert "(the same)" in text
    text = answer(capsys, "unset", "m.gguf", "general.name")
    assert "not there" in text
    assert "in place" in text
    assert "can be undone" in answer(capsys, "undo", "m.gguf", "--dry-run")
    assert "nothing to change" in answer(capsys, "set", "m.gguf", "tokenizer.ggml.eos_token_id", "3")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["general.name"], "say what to set"),
        (["general.name", "x", "--from-file", "y"], "say what to set"),
        (["my.key", "7"], "without a usual type"),
        (["my.key", "7", "--type", "u99"], "no type"),
        (["llama.context_length", "many"], "is of type UINT32"),
        (["general.tags", "chat"], "not JSON"),
        (["general.architecture", "x", "--type", "string"], "cannot be edited"),
        (["x", "--patch", "p.json"], "--patch says all"),
        (["general.name", "--from-file", "missing"], "missing"),
        (["tokenizer.ggml.merges[9]", "x"], "there is no"),
        (["tokenizer.ggml.eos_token_id[0]", "1"], "no array"),
    ],
)
def test_what_set_refuses(model: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str) -> None:
    before = model.read_bytes()
    assert run(["gguf", "set", "m.gguf", *arguments]) in {2, 3}
    assert reason in capsys.readouterr().err
    assert model.read_bytes() == before


def test_patches(model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"general.name": "x", "general.type": None, "a": {"type": "u16", "value": 9}, "general.tags": ["x"]}
    Path("p.json").write_text(json.dumps(changes))
    answer(capsys, "set", "m.gguf", "--patch", "p.json")
    metadata = GGUFFile.open(model).metadata
    assert metadata["general.name"] == "x"
    assert "general.type" not in metadata
    assert metadata.type_of("a").name == "UINT16"
    assert list(metadata["general.tags"]) == ["x"]
    write_sample(Path("b.gguf"))
    patch = answer(capsys, "get", "m.gguf", "general.name", "general.tags", "a", "--json")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(patch.encode())))
    answer(capsys, "set", "b.gguf", "--patch", "-")
    assert data(capsys, "diff", "m.gguf", "b.gguf", code=1)["metadata"].keys() == {
        "general.type",
        "tokenizer.chat_template",
    }
    for text, reason in (
        ("[]", "no JSON object"),
        ("{", "not JSON"),
        ('{"a": {"value": 1}}', "is no value"),
        ('{"a": [[1]]}', "a"),
    ):
        Path("p.json").write_text(text)
        assert reason in answer(capsys, "set", "m.gguf", "--patch", "p.json", code=2)


def test_warnings(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del model
    assert run(["gguf", "set", "m.gguf", "tokenizer.chat_template", "{% for %}"]) == 0
    assert "the template has an error" in capsys.readouterr().err
    assert run(["gguf", "set", "m.gguf", "tokenizer.ggml.eos_token_id", "262"]) == 0
    assert "the vocabulary has 262 tokens" in capsys.readouterr().err


def test_rename_and_unset(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "rename", "m.gguf", "general.name", "general.basename")
    assert GGUFFile.open(model).metadata["general.basename"] == "modelsmith sample"
    assert "no key" in answer(capsys, "unset", "m.gguf", "general.name", code=2)
    answer(capsys, "unset", "m.gguf", "general.basename", "general.type", "-o", "n.gguf")
    assert "general.type" not in GGUFFile.open("n.gguf").metadata
    assert "general.type" in GGUFFile.open(model).metadata


def test_diff(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no difference" in answer(capsys, "diff", "m.gguf", str(model))
    write_sample(Path("b.gguf"), chat_template=JINJA + "{# a comment #}")
    text = answer(capsys, "diff", "m.gguf", "b.gguf", code=1)
    assert "0 of" in text
    assert "prompts differ" in text
    write_sample(Path("b.gguf"), chat_template=JINJA + "!", seed=1)
    text = answer(capsys, "diff", "m.gguf", "b.gguf", code=1)
    assert "other data" in text
    assert "<|assistant|>!" in text
    assert not data(capsys, "diff", "m.gguf", "b.gguf", "--quick", code=1)["tensors"]
    write_sample(Path("c.gguf"))
    assert data(capsys, "diff", "m.gguf", "c.gguf", code=1)["prompts"]["note"] == "only m.gguf has one"


def test_hash(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = data(capsys, "hash", "m.gguf", "--tensors")
    assert len(found["tensors"]) == len(GGUFFile.open(model).tensors)
    answer(capsys, "canonicalize", "m.gguf", "c.gguf")
    canonical = data(capsys, "hash", "c.gguf")
    assert canonical["file"] == canonical["layer"] == found["layer"] != found["file"]
    assert canonical["layer_reason"] == "the file as it is"
    assert "layer in Ollama's store (in canonical order)" in answer(capsys, "hash", "m.gguf")
    assert answer(capsys, "hash", "m.gguf", "--manifest").splitlines()[-1].endswith("  m.gguf")
    answer(capsys, "unset", "m.gguf", "llama.block_count", "llama.context_length")
    assert data(capsys, "hash", "m.gguf")["layer"] is None


def test_canonicalize(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not in canonical order" in answer(capsys, "canonicalize", "m.gguf", "--check", code=1)
    before = model.read_bytes()
    assert "--force keeps it as IN.old" in answer(capsys, "canonicalize", "m.gguf", code=2)
    assert model.read_bytes() == before
    assert data(capsys, "canonicalize", "m.gguf", "--force")["written"]
    assert Path("m.gguf.old").read_bytes() == before
    assert "already" in answer(capsys, "canonicalize", "m.gguf")
    assert data(capsys, "canonicalize", "m.gguf", "--check") == {"path": "m.gguf", "canonical": True}


def test_split_and_merge(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing was written" in answer(capsys, "split", "m.gguf", "s", "--max-tensors", "8", "--dry-run")
    assert not list(Path().glob("s-*"))
    shards = data(capsys, "split", "m.gguf", "s", "--max-tensors", "8")["shards"]
    assert [shard["path"] for shard in shards] == [f"s-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    assert "sha256:" in answer(capsys, "merge", shards[0]["path"], "-o", "merged.gguf")
    assert Path("merged.gguf").read_bytes() == model.read_bytes()
    Path(shards[1]["path"]).unlink()
    assert "1 of 3 shards are missing" in answer(capsys, "merge", shards[0]["path"], "-o", "x.gguf", code=2)
    whole = model.read_bytes()
    Path("r.gguf.part1of2").write_bytes(whole[:5000])
    Path("r.gguf.part2of2").write_bytes(whole[5000:])
    text = answer(capsys, "merge", "r.gguf.part1of2", "-o", "r.gguf", code=3)
    assert "2 pieces of a file that was cut" in text
    assert "merge --raw r.gguf.part1of2 -o r.gguf" in text
    answer(capsys, "merge", "--raw", "r.gguf.part1of2", "-o", "r.gguf")
    assert Path("r.gguf").read_bytes() == whole
    assert "larger than 0" not in answer(capsys, "split", "m.gguf", "t", "--max-size", "1G")
