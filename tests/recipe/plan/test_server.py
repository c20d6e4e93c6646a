"""The same recipes through an Ollama server: here with readable files, and elsewhere with nothing but the API."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama

from modelsmith.errors import ServerError, Unsupported, VerificationFailed
from modelsmith.name import ModelName
from modelsmith.recipe.plan.apply import apply, verify
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import load_recipe, parse_recipe
from modelsmith.store import Store
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.weights.gguf.sample import write_sample

OLLAMA_CREATE = """
import os, sys
from pathlib import Path
from modelsmith.store.model import CreateRequest
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.weights.blobs.blob import FileBlob

_, create, name, option, file = sys.argv
assert (create, option) == ("create", "-f")
read = Modelfile.parse(Path(file).read_bytes()).resolve(Path(file).parent)
files = {name: FileBlob(path) for name, path in read.files.items()}
OllamaStore(os.environ["OLLAMA_HOST"]).create(name, CreateRequest(read.fields, files))
"""

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(params=["here", "elsewhere"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FakeOllama]:
    with FakeOllama(tmp_path / "models", hides_files=request.param == "elsewhere") as fake:
        yield fake


def planned(store: Store, base: str = "sample:deepseek-r1", name: str = "r1", recipe: str = "force-think") -> Plan:
    return plan(load_recipe(recipe).resolve({"base": base, "name": name}), store)


def test_the_main_job_and_again(server: FakeOllama) -> None:
    store = OllamaStore(server.url)
    assert apply(planned(store)).changed
    name = ModelName.parse("r1")
    for think, ending in ((None, "<think>\n"), (True, "<think>\n"), (False, "<think>\n\n</think>\n\n")):
        prompt = store.render(name, HELLO, think)
        assert prompt is not None
        assert prompt.endswith(f"<｜Assistant｜>{ending}")
    again = planned(store)
    assert not again.changes
    assert not apply(again).changed


def test_a_model_of_the_server_is_the_base(server: FakeOllama) -> None:
    store = OllamaStore(server.url)
    plain = parse_recipe(
        "name: plain\nfrom: sample:deepseek-r1\nparameters: {stop: [<end>]}\ncreate: plain\n"
    ).resolve()
    apply(plan(plain, store))
    applied = apply(planned(store, base="plain", name="forced"))
    assert applied.model.parameters == {"stop": ["<end>"], "temperature": 0.6, "top_p": 0.95}
    prompt = store.render(ModelName.parse("forced"), HELLO, None)
    assert prompt is not None
    assert prompt.endswith("<｜Assistant｜><think>\n")
    assert not planned(store, base="plain", name="forced").changes


def test_a_server_that_goes_away_is_told(tmp_path: Path) -> None:
    with FakeOllama(tmp_path / "models") as server:
        store = OllamaStore(server.url)
        ready = planned(store)
    with pytest.raises(ServerError):
        apply(ready)


def test_via_cli_needs_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with FakeOllama(tmp_path / "models") as server:
        ready = plan(
            load_recipe("force-think").resolve({"base": "sample:deepseek-r1"}),
            OllamaStore(server.url),
            modelfile=tmp_path / "Modelfile",
        )
        with pytest.raises(Unsupported, match="no `ollama` on the PATH"):
            apply(ready, via="cli")


def test_via_cli_runs_exactly_that_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = shutil.which("sh")
    program = tmp_path / "bin" / "ollama"
    program.parent.mkdir()
    program.write_text(f'#!{shell}\necho "$OLLAMA_HOST $*" >> "{tmp_path}/calls"\necho "Error: no luck" >&2\nexit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    with FakeOllama(tmp_path / "models") as server:
        recipe = load_recipe("force-think").resolve({"base": "sample:deepseek-r1", "name": "r1"})
        ready = plan(recipe, OllamaStore(server.url), modelfile=tmp_path / "Modelfile")
        with pytest.raises(ServerError, match="no luck"):
            apply(ready, via="cli")
        called = (tmp_path / "calls").read_text()
    assert called == f"{server.url} create r1:latest -f {tmp_path / 'Modelfile'}\n"
    assert b"TEMPLATE" in (tmp_path / "Modelfile").read_bytes()


def test_a_server_that_keeps_a_damaged_file_is_told(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf")
    keys = {"name": "r", "from": str(tmp_path / "m.gguf"), "create": "made", "system": "be terse"}
    with FakeOllama(tmp_path / "models") as server:
        ready = plan(parse_recipe(json.dumps(keys)).resolve(), OllamaStore(server.url))
        model = apply(ready).model
        with pytest.raises(VerificationFailed, match=r"SYSTEM of made:latest .* is 'be trees'") as caught:
            verify(ready, replace(model, system="be trees"))
    assert caught.value.hint.startswith("a server keeps a damaged file of its store")


@pytest.mark.parametrize("is_there", [False, True])
def test_via_cli_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    program = tmp_path / "bin" / "ollama"
    program.parent.mkdir()
    program.write_bytes(f"#!{shutil.which('sh')}\nprintf 'd\xf6ne\\n'\n".encode("latin-1"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    write_sample(tmp_path / "m.gguf")
    keys = {"name": "r", "from": str(tmp_path / "m.gguf"), "create": "made", "system": "be terse"}
    with FakeOllama(tmp_path / "models") as server:
        store = OllamaStore(server.url)
        if is_there:
            apply(plan(parse_recipe(json.dumps(keys | {"system": "be kind"})).resolve(), store))
        what = "as it was" if is_there else "not there"
        with pytest.raises(VerificationFailed, match=f"says that all went well, and made:latest is {what} on http"):
            apply(plan(parse_recipe(json.dumps(keys)).resolve(), store), via="cli")


@pytest.mark.parametrize("edits", [{}, {"set": {"general.name": "other"}}])
def test_via_cli_alone_writes_the_modelfile_to_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edits: dict[str, dict[str, str]]
) -> None:
    write_sample(tmp_path / "m.gguf")
    program = tmp_path / "bin" / "ollama"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{OLLAMA_CREATE}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "temporary").mkdir()
    keys = {"name": "r", "from": str(tmp_path / "m.gguf"), "create": "made", "system": "be terse", "gguf": edits}
    with FakeOllama(tmp_path / "models") as server:
        store = OllamaStore(server.url)
        applied = apply(plan(parse_recipe(json.dumps(keys)).resolve(), store), via="cli")
        assert applied.model.system == "be terse"
        assert not plan(parse_recipe(json.dumps(keys)).resolve(), store).changes
    assert not list((tmp_path / "temporary").iterdir())
