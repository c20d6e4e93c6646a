"""What lint may know around a Modelfile: looked up on the disk and in a store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from local_stores import text

from modelsmith.errors import InvalidGGUF
from modelsmith.lint.surroundings import PathKind
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.store.surroundings import look_around, look_at
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "nowhere"))


def test_a_gguf_is_opened(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf")
    facts = look_at("m.gguf", tmp_path)
    assert (facts.kind, facts.format, facts.role, facts.problem) == (PathKind.FILE, "gguf", "model", "")
    assert facts.model is not None
    assert facts.model.context_length > 0
    assert facts.model.vocabulary is not None
    assert facts.model.vocabulary.id_of(facts.model.eos) is not None
    assert facts.model.eos in facts.model.end_tokens


def test_a_decision_model_is_known_by_its_key(tmp_path: Path) -> None:
    key = "llama.decision.type"
    write_sample(tmp_path / "judge.gguf", metadata={key: text(key, "kev")})
    write_sample(tmp_path / "chat.gguf")
    judge, chat = look_at("judge.gguf", tmp_path).model, look_at("chat.gguf", tmp_path).model
    assert judge is not None
    assert chat is not None
    assert (judge.is_decision, chat.is_decision) == (True, False)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer"),
        (b"GGUF\x03\0\0\0", "m.gguf"),
        (b"", "empty"),
    ],
)
def test_what_is_no_gguf_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "m.gguf").write_bytes(data)
    facts = look_at("./m.gguf", tmp_path)
    assert said in facts.problem
    assert facts.model is None


def test_every_kind_of_path(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.safetensors").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "loop").symlink_to("loop")
    assert look_at("folder", tmp_path).entries == ("model.safetensors",)
    assert look_at("pipe", tmp_path).kind is PathKind.SPECIAL
    assert look_at("nope", tmp_path).kind is PathKind.MISSING
    assert look_at("folder/model.safetensors/x", tmp_path).kind is PathKind.MISSING
    assert look_at("loop", tmp_path).kind is PathKind.UNREADABLE
    assert look_at("link", tmp_path).leaves_folder
    assert look_at("~nobody-of-this-name/x", tmp_path).kind is PathKind.UNREADABLE
    assert look_at("x\0y", tmp_path).kind is PathKind.MISSING


def test_a_stored_model_is_known(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "m.gguf") or tmp_path / "m.gguf"
    fields = {"template": "{{ .Prompt }}", "parameters": {"stop": ["<a>", "<b>"], "top_k": 3}, "license": ["MIT"]}
    LocalStore(tmp_path / "store").create("base:1", CreateRequest(fields, {"m.gguf": FileBlob(Path(path))}))
    around = look_around(Modelfile.parse("FROM base:1\n"), tmp_path, store=str(tmp_path / "store"))
    assert around.stored_models == {"base:1"}
    assert around.model is not None
    assert around.model.is_stored
    assert around.model.parameters == {"stop": ("<a>", "<b>"), "top_k": ("3",)}
    assert around.model.licenses == ("MIT",)
    assert around.model.vocabulary is not None


def test_a_named_gguf_counts_whatever_from_says(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf")
    around = look_around(Modelfile.parse("FROM llama3\n"), tmp_path, gguf=str(tmp_path / "m.gguf"), looks=False)
    assert around.model is not None
    assert around.paths is None
    (tmp_path / "bad.gguf").write_bytes(b"<html>")
    with pytest.raises(InvalidGGUF):
        look_around(None, tmp_path, gguf=str(tmp_path / "bad.gguf"))


def test_nothing_there_is_no_model(tmp_path: Path) -> None:
    around = look_around(Modelfile.parse("FROM llama3\n"), tmp_path)
    assert around.model is None
    assert around.stored_models is None
    assert around.paths is not None
    assert around.paths["llama3"].kind is PathKind.MISSING
