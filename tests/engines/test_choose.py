"""Which engine runs which model, and what is told about that."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.hub import FakeRepo
from fakes.ollama import FakeOllama
from fakes.scripted import Script, scripted
from hub_clients import hub_of

from modelsmith.cli import run
from modelsmith.engines.choose import Choice, Wish, choose_engine
from modelsmith.engines.embedded import EmbeddedEngine
from modelsmith.engines.ollama import OllamaEngine
from modelsmith.engines.openai import OpenAIEngine
from modelsmith.engines.protocol import Request
from modelsmith.errors import ModelNotFound, ModelsmithError, ServerError, UsageError
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.weights.gguf.sample import write_sample

HELLO = Request(Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]}))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    write_sample(Path("m.gguf"), chat_template="{{ messages[0].content }}")


def chosen(model: str, on: str = "", store: str = "models") -> Choice:
    return choose_engine(Wish(model, lambda: OllamaStore(store) if "://" in store else LocalStore(Path(store)), on))


def test_files_and_models_of_a_folder_run_here() -> None:
    Path("Modelfile").write_text("FROM ./m.gguf\n")
    assert run(["create", "own", "-f", "Modelfile"]) == 0
    for model in ("m.gguf", "./Modelfile", "own", "sample:deepseek-r1"):
        assert isinstance(chosen(model).engine, EmbeddedEngine)


def test_models_of_a_server_run_there_and_files_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOllama(tmp_path / "server", version="0.11.0") as fake:
        Path("Modelfile").write_text("FROM ./m.gguf\nREQUIRES 0.12.0\n")
        assert run(["create", "own", "-f", "Modelfile", "--store", fake.url]) == 0
        found = chosen("own", store=fake.url)
        assert isinstance(found.engine, OllamaEngine)
        assert found.notes == (
            f"own needs Ollama 0.12.0 (REQUIRES), and {fake.url} is 0.11.0: what it does there may be wrong",
        )
        assert found.engine.prompt(HELLO).text == "hello"
        assert found.engine.identity.digest.startswith("sha256:")
        assert isinstance(chosen("m.gguf", store=fake.url).engine, EmbeddedEngine)
        assert isinstance(chosen("own", fake.url).engine, OllamaEngine)
        assert isinstance(chosen("own", f"{fake.url}/v1").engine, OpenAIEngine)
        monkeypatch.setenv("OLLAMA_HOST", fake.url.removeprefix("http://"))
        assert isinstance(chosen("own", "ollama").engine, OllamaEngine)
        with pytest.raises(UsageError, match=r"m\.gguf is no model of the Ollama at"):
            chosen("m.gguf", "ollama")
        with pytest.raises(ModelNotFound):
            chosen("other", "ollama")


def test_any_other_server_is_asked_as_openai_is() -> None:
    with scripted({"/v1/models": Script.json({"data": []})}) as server:
        assert isinstance(chosen("m", server.url).engine, OpenAIEngine)
        assert isinstance(chosen(server.url).engine, OpenAIEngine)
    with pytest.raises(ServerError, match="no server answers"):
        chosen("m", "http://127.0.0.1:9")


def test_a_model_of_the_hub_is_downloaded_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path("m.gguf").read_bytes()
    with hub_of(model=FakeRepo({"model-Q4_K_M.gguf": data})) as fake:
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        found = chosen("hf://org/model")
    assert found.known is not None
    assert found.known.weights is not None
    assert found.known.weights.read_bytes() == data
    assert found.known.prompt(HELLO.conversation, None).text == "hello"


@pytest.mark.parametrize(
    ("modelfile", "words"),
    [
        ("FROM ./m.gguf\nADAPTER ./a.gguf\n", "has a LoRA adapter"),
        ("FROM ./folder\n", "Safetensors|no GGUF"),
    ],
)
def test_what_cannot_run_here(modelfile: str, words: str, tmp_path: Path) -> None:
    write_sample(Path("a.gguf"))
    Path("folder").mkdir()
    Path("folder/model.safetensors").write_bytes(b"")
    Path("Modelfile").write_text(modelfile)
    with pytest.raises(ModelsmithError, match=words):
        chosen("./Modelfile")


def test_a_server_that_does_not_describe_a_model_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOllama(tmp_path / "server") as fake:
        Path("Modelfile").write_text("FROM ./m.gguf\n")
        assert run(["create", "own", "-f", "Modelfile", "--store", fake.url]) == 0
        monkeypatch.setattr(OllamaStore, "show", _fails)
        found = chosen("own", fake.url)
        assert isinstance(found.engine, OllamaEngine)
        assert found.known is None
        assert found.notes == (
            "what own is made of is not known, nor are its prompts: POST http://there/api/show: HTTP 500: a blob is missing",
        )


def _fails(*_: object) -> None:
    raise ServerError("POST http://there/api/show: HTTP 500: a blob is missing", status=500)
