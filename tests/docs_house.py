"""A stand-in for everything that README and docs name: files, models, servers, a registry, a Hub, a team's repository.

Names of hosts in the commands of the docs are replaced by the addresses of the stand-ins on this machine, and back in what is printed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from checkpoints import FAMILIES, write_checkpoint
from docker_registry import self_signed
from fakes.hub import FakeHub, FakeRepo, serving_hub
from fakes.ollama import FakeOllama
from fakes.registry import FakeRegistry
from git_repositories import repository
from lora_models import HEADS, INNER, write_adapter, write_base

from modelsmith.cli import run
from modelsmith.engines.protocol import AnswerPiece, Finished, Identity, Prompt, Request, ToolCall, Usage
from modelsmith.models.sources import hub as hub_module
from modelsmith.recipe.remote import git as git_module
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.sample import write_sample
from tests.weights.quantize.test_imatrix import write_gguf

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("deepseek-r1:8b", "qwen3:8b", "qwen3-think:8b", "llama3.2", "llama3.2:3b", "r1", "assistant", "model")
TEMPLATE = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}{{ end }}<|assistant|>{{ .Response }}"
JINJA = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>"
PASSWORD = "open sesame"
REASONING = "France's capital is Paris."
RIGHT, WRONG = "The capital of France is Paris.", "The answer is France."
_ASSISTANT = """name: assistant
inputs: {base: {description: "the model to start from", default: "sample:deepseek-r1"}}
extends: force-think
from: ${base}
create: assistant
"""
ASK = "expect:\n  - ask: Say yes.\n    thinks: true\n"


@dataclass(frozen=True)
class Canned:
    """An engine that answers from a book."""

    capital: str = RIGHT
    location: str = "a book"
    notes: tuple[str, ...] = ()

    @property
    def identity(self) -> Identity:
        return Identity("book")

    def context(self) -> int | None:
        return 512

    def prompt(self, request: Request) -> Prompt:
        return Prompt(None, 9)

    def close(self) -> None:
        """Hold nothing."""

    def stream(self, request: Request) -> Iterator[AnswerPiece | Finished]:
        """Answer a question about a capital, and with a tool where there is one."""
        question = str(request.conversation.messages[-1].content)
        if request.think is not False:
            yield AnswerPiece(REASONING, is_reasoning=True)
        yield AnswerPiece('{"city": "Rome", "country": "Italy"}' if "JSON" in question else self.capital)
        calls = (ToolCall("weather", {"city": "Rome"}),) if request.conversation.tools else ()
        yield Finished("stop", calls, Usage(98, None, 20, 2.0, 1.0, 2.5))


@dataclass(frozen=True)
class House:
    """``folder`` has the files, ``names`` what is said for what the docs say, ``ollama`` answers chats."""

    folder: Path
    names: dict[str, str]
    ollama: FakeOllama
    hub: FakeHub

    def here(self, text: str) -> str:
        """Return a command of the docs with the addresses of this machine."""
        for name, address in self.names.items():
            text = text.replace(name, address)
        return text

    def there(self, text: str) -> str:
        """Return what was printed with the names of the docs."""
        for name, address in self.names.items():
            text = text.replace(address, name)
        return text


@contextmanager
def house(folder: Path, recipes: Mapping[str, str], set_variable: Callable[[str, str], None]) -> Iterator[House]:
    """Build the house; ``recipes`` are those of the docs by name."""
    set_variable("XDG_CACHE_HOME", str(folder / "cache"))
    set_variable("GIT_CONFIG_GLOBAL", os.devnull)
    here = folder / "here"
    here.mkdir()
    _write_files(here)
    _write_weights(here)
    _write_recipes(here, recipes)
    _make_models(here)
    hub_module.forget()
    git_module.forget()
    with ExitStack() as stack:
        servers = [stack.enter_context(_server(here / "store", folder / f"host{number}")) for number in range(4)]
        self_signed(folder)
        registry = stack.enter_context(FakeRegistry(login=f"alice:{PASSWORD}", tls=folder))
        hub = stack.enter_context(serving_hub(_hub(here)))
        team = repository(folder / "team", _team(), tag="v3")
        engine = servers[3]
        engine.engine = Canned()
        environment = {
            "MODELSMITH_STORE": "store",
            "DOCKER_CONFIG": str(folder / "docker"),
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": hub.token,
            "HF_HUB_DISABLE_XET": "1",
            "SSL_CERT_FILE": str(folder / "ca.pem"),
        }
        names = {
            "http://gpu-1:11434": servers[0].url,
            "http://gpu-2:11434": servers[1].url,
            "http://models.internal:11434": servers[2].url,
            "http://127.0.0.1:8080": engine.url,
            "registry.example.com": registry.host,
            "registry.example.org": registry.host,
            "https://huggingface.co": hub.url,
            "git+https://git.example.org/ml/recipes.git": f"git+{team.as_uri()}",
        }
        for name, value in environment.items():
            set_variable(name, value)
        _make_lock(here, engine.url)
        yield House(here, names, engine, hub)
    hub_module.forget()
    git_module.forget()


@contextmanager
def _server(store: Path, folder: Path) -> Iterator[FakeOllama]:
    shutil.copytree(store, folder)
    with FakeOllama(folder) as server:
        yield server


def _write_files(here: Path) -> None:
    shutil.copytree(ROOT / "recipes", here / "recipes")
    for name in ("Modelfile", "Modelfile.main", "models/Modelfile"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(f"FROM llama3.2\nTEMPLATE {TEMPLATE}\nPARAMETER stop <|user|>\n")
    for name in ("old.gotmpl", "new.gotmpl", "template.gotmpl"):
        (here / name).write_text(TEMPLATE)
    (here / "template.jinja").write_text(JINJA)
    (here / "chat.json").write_text('[{"role": "user", "content": "hello"}]')
    (here / "how-to.md").write_text("```sh\nollama run llama3.2\n```\n")


def _write_weights(here: Path) -> None:
    for name in ("model", "model-f16", "model-q4", "a", "b", "mistral"):
        write_sample(here / f"{name}.gguf", chat_template="{{ messages[0].content }}")
    _ran("gguf", "set", str(here / "model.gguf"), "general.licence", "mit", "--type", "string")
    sums = {tensor.name: [1.0] * tensor.dims[0] for tensor in GGUFFile.open(here / "model-f16.gguf").tensors}
    write_gguf(here / "model.imatrix.gguf", sums)
    _ran("gguf", "split", str(here / "model-f16.gguf"), str(here / "model"), "--max-tensors", "8")
    write_base(here / "base-f16.gguf")
    _ran("gguf", "quantize", str(here / "base-f16.gguf"), str(here / "base-Q4_K_M.gguf"), "--type", "Q4_K_M")
    for name, seed in (("my-adapter", 1), ("style", 2), ("facts", 3)):
        write_adapter(here / name, seed=seed)
    _ran("lora", "convert", str(here / "facts"), "--base", str(here / "base-f16.gguf"), "-o", str(here / "facts.gguf"))
    chat = {"chat_template.jinja": JINJA, "generation_config.json": '{"temperature": 0.2, "top_p": 0.9}'}
    write_checkpoint(here / "my-finetune", replace(FAMILIES["qwen2"], files=chat))
    shape = {"intermediate_size": INNER, "num_attention_heads": HEADS, "num_key_value_heads": HEADS}
    write_checkpoint(
        here / "base-checkpoint", replace(FAMILIES["llama-3"], config={**FAMILIES["llama-3"].config, **shape})
    )


def _write_recipes(here: Path, recipes: Mapping[str, str]) -> None:
    for name, text in recipes.items():
        (here / f"{name}.yaml").write_text(text)
    (here / "think.yaml").write_text("name: think\nextends: force-think\nfrom: deepseek-r1:8b\ncreate: think\n")
    (here / "model.yaml").write_text("name: model\ninputs: {base: {}}\nfrom: ${base}\ncreate: model\n")
    (here / "recipes" / "assistant.yaml").write_text(_ASSISTANT + ASK)
    (here / "recipes" / "my.yaml").write_text(_ASSISTANT.replace("assistant", "my"))


def _make_models(here: Path) -> None:
    store = str(here / "store")
    for name in MODELS:
        _ran(
            "apply", "force-think", "--set", "base=sample:deepseek-r1", "--set", f"name={name}", "--store", store, "-q"
        )


def _make_lock(here: Path, engine: str) -> None:
    """Write the lock that a team has in its repository, and the answers that it recorded."""
    with contextlib.chdir(here):
        _ran("lock", "recipes/assistant.yaml", "recipes/my.yaml")
        for recipe, base in (("recipes/force-think.yaml", "deepseek-r1:8b"), ("thinks.yaml", "qwen3:8b")):
            _ran("lock", recipe, "--set", f"base={base}")
        _ran("verify", "recipes/assistant.yaml", "--on", engine, "--record", "answers.jsonl")


def _team() -> dict[str, str]:
    text = (ROOT / "recipes" / "force-think.yaml").read_text(encoding="utf-8")
    return {"force-think.yaml": text, "think.yaml": text.replace("name: force-think", "name: think")}


def _hub(here: Path) -> FakeHub:
    data = (here / "a.gguf").read_bytes()
    folder = {path.name: path.read_bytes() for path in (here / "my-finetune").iterdir() if path.is_file()}
    return FakeHub(
        {
            "org/model-GGUF": FakeRepo({"model-Q4_K_M.gguf": data}),
            "org/model": FakeRepo(folder),
            "ORG/REPO": FakeRepo({"model-Q4_K_M.gguf": data}),
            "Qwen/Qwen3-0.6B-GGUF": FakeRepo({"Qwen3-0.6B-Q8_0.gguf": data}),
        }
    )


def _ran(*words: str) -> None:
    assert run([*words]) == 0, words
