"""The Hub as the start of recipes, explanations and estimates: by headers alone until something is applied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkpoints import FAMILIES, write_checkpoint
from fakes.hub import FakeHub, FakeRepo
from hub_clients import hub_of
from lora_models import write_adapter, write_base

from modelsmith.cli import run
from modelsmith.errors import HubError, ModelsmithError, RecipeError, Unsupported
from modelsmith.models.locate import locate_gguf
from modelsmith.models.sources.hub import find_on_hub, forget
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import Plan, plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.adapters.convert import convert_adapter
from modelsmith.weights.adapters.merge import merge_adapters
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.sample import SampleShape, write_sample

pytestmark = pytest.mark.usefixtures("one_command")  # several steps of one program

JINJA = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    shape = SampleShape(blocks=2, embedding=256, feed_forward=1024)
    return write_sample(tmp_path_factory.mktemp("gguf") / "m.gguf", shape=shape, chat_template=JINJA).read_bytes()


@pytest.fixture
def hub(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    files = {"m-F16.gguf": data, "m-Q8_0.gguf": data[:-1], "README.md": b"# m", "params": b'{"temperature": 0.5}'}
    forget()
    with hub_of(model=FakeRepo(files)) as fake:
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        yield fake
    forget()


def planned(folder: Path, base: str = "hf://org/model:F16", more: str = "") -> Plan:
    recipe = f"name: r\nfrom: {base}\n{more}\ncreate: made\n"
    return plan(parse_recipe(recipe).resolve({}), LocalStore(folder / "models"), folder=folder)


def test_a_plan_reads_the_header_and_pins_the_commit(hub: FakeHub, tmp_path: Path, data: bytes) -> None:
    made = planned(tmp_path)
    commit = hub.repos["org/model"].commit
    assert [(each.name, each.size) for each in made.downloads] == [("org/model/m-F16.gguf", len(data))]
    assert f"from the Hub: hf://org/model@{commit}/m-F16.gguf" in made.after.notes
    assert f"to download: 1 file, {len(data):,} bytes" in made.after.notes
    assert made.after.parameters["temperature"] == 0.5
    assert made.after.chat_template is not None
    assert made.after.chat_template.text == JINJA
    assert made.preview.bytes_to_write > len(data)
    assert not (tmp_path / "models").exists()
    fetched = [headers.get("range", "") for _, path, headers in hub.requests if path.startswith("/cdn/org/model/m-F16")]
    assert fetched == ["bytes=0-262143"]


def test_applying_downloads_and_the_next_plan_finds_nothing_to_do(hub: FakeHub, tmp_path: Path, data: bytes) -> None:
    applied = apply(planned(tmp_path, more="system: Be brief."))
    assert applied.changed
    assert applied.model.weights is not None
    before = GGUFFile.open(
        tmp_path / "hf/hub/models--org--model/snapshots" / hub.repos["org/model"].commit / "m-F16.gguf"
    )
    after = GGUFFile.open(applied.model.weights)
    assert before.stamp.size == len(data)
    assert {each.name: before.data_of(each).read() for each in before.tensors} == {
        each.name: after.data_of(each).read() for each in after.tensors
    }
    assert not planned(tmp_path, more="system: Be brief.").changes


def test_edits_and_quantizing_start_from_the_header(hub: FakeHub, tmp_path: Path) -> None:
    made = planned(tmp_path, more="gguf: {set: {general.name: mine}}\nquantize: Q8_0")
    assert any(note.startswith("quantize:") for note in made.after.notes)
    model = apply(made).model
    assert model.weights is not None
    found = GGUFFile.open(model.weights)
    assert found.metadata["general.name"] == "mine"
    assert "Q8_0" in {tensor.type.name for tensor in found.tensors}
    real = next((tmp_path / "hf").rglob("m-F16.gguf"))
    direct = planned(tmp_path, str(real), "gguf: {set: {general.name: mine}}\nquantize: Q8_0")
    assert not direct.preview.bytes_to_write > 2000, "the same weights are there already"


def test_a_quantization_that_is_not_there_and_what_is_no_gguf_are_told(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(HubError, match="has no Q2_K"):
        planned(tmp_path, "hf://org/model:Q2_K")
    with pytest.raises(Unsupported, match="is no model"):
        planned(tmp_path, "hf://org/model/README.md")
    with pytest.raises(RecipeError, match="names nothing on the Hugging Face Hub"):
        planned(tmp_path, "hf://org")


def test_a_name_of_ollamas_is_asked_for_where_the_store_has_no_such_model(hub: FakeHub, tmp_path: Path) -> None:
    made = planned(tmp_path, "hf.co/org/model:F16")
    assert made.downloads
    assert find_on_hub("hf.co/org/model").name == "hf.co/org/model:Q8_0"


def test_a_gated_repository_names_the_page(hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.repos["org/model"].gated = True
    assert run(["explain", "hf://org/model:F16", "--store", str(tmp_path / "models")]) == 3
    error = capsys.readouterr().err
    assert "org/model is gated" in error
    assert f"visit {hub.url}/org/model" in error


def test_explain_inspect_verify_and_fit_read_the_header_alone(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    place = ["--store", str(tmp_path / "models")]
    assert run(["explain", "hf://org/model:F16", *place]) == 0
    assert "jinja" in capsys.readouterr().out.lower()
    assert run(["gguf", "inspect", "hf://org/model:F16", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert run(["gguf", "verify", "hf://org/model:F16"]) == 0
    assert run(["fit", "hf://org/model:F16", "--vram", "1G"]) == 0
    assert run(["gguf", "verify", "hf://org/model:F16", "--deep"]) == 2
    assert "modelsmith pull hf://org/model:F16 -o ." in capsys.readouterr().err
    assert not list((tmp_path / "hf").rglob("m-F16.gguf"))
    ranges = {headers.get("range") for method, path, headers in hub.requests if "/cdn/" in path and method == "GET"}
    assert ranges == {"bytes=0-262143"}
    with pytest.raises(Unsupported, match="is not here yet"):
        locate_gguf("hf://org/model:F16", lambda: LocalStore(tmp_path / "models"))


def test_a_plan_in_json_lists_the_downloads(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\nfrom: hf://org/model:F16\ncreate: made\n")
    assert run(["plan", str(recipe), "--store", str(tmp_path / "models"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["downloads"] == [{"name": "org/model/m-F16.gguf", "size": len(data)}]


def test_offline_the_cache_is_enough(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(planned(tmp_path))
    forget()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.requests.clear()
    assert not planned(tmp_path).changes
    with pytest.raises(HubError, match="has no Q8_0"):
        planned(tmp_path, "hf://org/model:Q8_0")
    assert not hub.requests


def test_the_bundled_recipe_imports_from_the_hub(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--store", str(tmp_path / "models")]
    settings = ["--set", "base=hf://org/model:F16", "--set", "quantize=Q8_0", "--set", "name=mine"]
    assert run(["plan", "import-gguf", *settings, *place]) == 0
    assert "to download: 1 file" in capsys.readouterr().out
    assert run(["apply", "import-gguf", *settings, *place]) == 0
    assert "created and verified" in capsys.readouterr().out
    assert run(["apply", "import-gguf", *settings, *place]) == 0
    assert "no changes" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "message"), [(b"[1]", "is no table"), (b'{"bogus": 1}', "unknown parameter")])
def test_a_broken_file_of_parameters_is_told(hub: FakeHub, tmp_path: Path, text: bytes, message: str) -> None:
    hub.repos["org/model"].files["params"] = text
    with pytest.raises(HubError, match=f"the file params of org/model.*{message}"):
        planned(tmp_path)


@pytest.fixture
def folder(hub: FakeHub, tmp_path: Path) -> Path:
    """A checkpoint of two files, here and on the Hub."""
    made = write_checkpoint(tmp_path / "Tiny-Qwen", FAMILIES["qwen2"], shards=2)
    files = {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    hub.repos["org/Tiny-Qwen"] = FakeRepo(files)
    return made


def test_a_checkpoint_is_planned_by_its_headers_and_becomes_the_model_that_its_folder_does(
    folder: Path, hub: FakeHub, tmp_path: Path
) -> None:
    made = planned(tmp_path, "hf://org/Tiny-Qwen", "quantize: Q8_0")
    assert [each.name.rpartition("/")[2] for each in made.downloads] == sorted(
        path.name for path in folder.glob("*.safetensors")
    )
    tensors = [path for path in hub.paths("GET") if path.startswith("/cdn/")]
    model = apply(made).model
    assert model is not None
    direct = apply(planned(tmp_path, str(folder), "quantize: Q8_0")).model
    assert direct is not None
    assert model.weights_digest == direct.weights_digest
    assert len(tensors) == 2
    assert not planned(tmp_path, "hf://org/Tiny-Qwen", "quantize: Q8_0").changes


def test_a_checkpoint_is_inspected_and_imported_by_its_name(
    folder: Path, hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", "hf://org/Tiny-Qwen", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert not list((tmp_path / "hf").rglob("*.safetensors")), "headers are enough"
    assert run(["import", "hf://org/Tiny-Qwen", "-o", str(tmp_path / "hub.gguf")]) == 0
    assert run(["import", str(folder), "-o", str(tmp_path / "folder.gguf")]) == 0
    assert (tmp_path / "hub.gguf").read_bytes() == (tmp_path / "folder.gguf").read_bytes()
    assert run(["inspect", "hf://org/model"]) == 3
    assert "is no folder of Safetensors" in capsys.readouterr().err


@pytest.fixture
def adapter(hub: FakeHub, tmp_path: Path) -> Path:
    """A base at hand, and an adapter for it on the Hub: at the top and in a folder of a repository, and as a GGUF."""
    write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "style")
    convert_adapter(tmp_path / "style", tmp_path / "base.gguf", tmp_path / "style.gguf")
    files = {path.name: path.read_bytes() for path in (tmp_path / "style").iterdir()}
    hub.repos["org/style"] = FakeRepo(files | {"README.md": b"# style"})
    below = {f"step-9/{name}": data for name, data in files.items()}
    hub.repos["org/mixed"] = FakeRepo(below | {"style-F16.gguf": (tmp_path / "style.gguf").read_bytes()})
    hub.repos["org/pickled"] = FakeRepo({"adapter_config.json": b"{}", "adapter_model.bin": b"x"})
    return tmp_path / "style"


@pytest.mark.parametrize("place", ["hf://org/style", "hf://org/mixed/step-9", "hf://org/mixed/style-F16.gguf"])
def test_an_adapter_of_the_hub_is_planned_by_its_header_and_merged(
    adapter: Path, hub: FakeHub, tmp_path: Path, place: str
) -> None:
    made = planned(tmp_path, str(tmp_path / "base.gguf"), f"adapters: [{place}=0.5]")
    (download,) = made.downloads
    assert download.name.startswith(place.removeprefix("hf://").rpartition(".")[0][:9])
    commit = hub.repos["org/style"].commit
    assert any(f"adapters: from the Hub: hf://org/{place.split('/')[3]}@{commit}" in note for note in made.after.notes)
    model = apply(made).model
    assert model is not None
    merge_adapters(tmp_path / "base.gguf", [(adapter, 0.5)], tmp_path / "wanted.gguf")
    found, wanted = GGUFFile.open(model.weights), GGUFFile.open(tmp_path / "wanted.gguf")
    assert {each.name: found.data_of(each).read() for each in found.tensors} == {
        each.name: wanted.data_of(each).read() for each in wanted.tensors
    }
    again = planned(tmp_path, str(tmp_path / "base.gguf"), f"adapters: [{place}=0.5]")
    assert not again.changes
    assert not again.downloads


def test_the_bundled_recipe_merges_an_adapter_of_the_hub(
    adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--set", "base=./base.gguf", "--set", "adapter=hf://org/style=0.5", "--set", "quantize=Q8_0"]
    assert run(["apply", "lora-merge", *words, "--store", "models"]) == 0


def test_an_adapter_of_the_hub_is_inspected_by_its_header_and_merged_by_its_name(
    adapter: Path, hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = str(tmp_path / "base.gguf")
    assert run(["lora", "inspect", "hf://org/style", "--base", base, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fits"] is True
    assert not list((tmp_path / "hf").rglob("*.safetensors")), "the header is enough"
    assert run(["lora", "merge", base, "hf://org/style", "-o", str(tmp_path / "hub.gguf")]) == 0
    assert run(["lora", "merge", base, str(adapter), "-o", str(tmp_path / "folder.gguf")]) == 0
    assert (tmp_path / "hub.gguf").read_bytes() == (tmp_path / "folder.gguf").read_bytes()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("hf://org/pickled", "a pickle can run any code"),
        ("hf://org/style/elsewhere", "holds no adapter in elsewhere"),
        ("hf://org/mixed:Q8_0", "has no Q8_0"),
        ("hf://org/none", "none"),
        ("hf://org/model:F16", "not an adapter"),
    ],
)
def test_what_is_no_adapter_on_the_hub_is_told(adapter: Path, tmp_path: Path, place: str, message: str) -> None:
    with pytest.raises(ModelsmithError, match=message):
        planned(tmp_path, str(tmp_path / "base.gguf"), f"adapters: [{place}]")
