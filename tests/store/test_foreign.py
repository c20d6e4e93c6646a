"""Whatever JSON others wrote or send, it is read into what it should be, or refused with its place; it is never a bug."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.show import said_of

from modelsmith.cli import run
from modelsmith.errors import ModelsmithError, StoreError
from modelsmith.store.foreign import read_messages, read_object, read_parameters

ODD: tuple[Any, ...] = (
    5,
    -1,
    1.5,
    1e300,
    True,
    None,
    "",
    "x",
    [],
    [5],
    ["x"],
    [None],
    [[]],
    {},
    {"a": {}},
    [{"role": 5}],
)
CONFIG = [
    "capabilities",
    "renderer",
    "parser",
    "requires",
    "model_family",
    "model_families",
    "model_format",
    "model_type",
    "file_type",
    "rootfs",
]


def refusal_of(read: Callable[[], Any]) -> str:
    try:
        read()
    except ModelsmithError as error:
        return error.message
    return ""


def test_parameters_that_a_server_prints() -> None:
    assert said_of({"parameters": 'stop "a"\ntemperature 0.6\nnum_ctx 4096\nstop "5"'}).parameters == {
        "num_ctx": 4096,
        "stop": ["a", "5"],
        "temperature": 0.6,
    }
    for text_ in ("stop 5", "num_ctx x", "temperature true", "use_mmap 7", "temperature nan"):
        with pytest.raises(StoreError, match="the parameters that the server shows: "):
            said_of({"parameters": text_})


def test_types() -> None:
    good = {
        "stop": ["a"],
        "num_ctx": 4096.0,
        "temperature": 1,
        "use_mmap": False,
        "seed": None,
        "tfs_z": 1.0,
        "new": ["x"],
    }
    assert read_parameters(good, "it") == {key: value for key, value in good.items() if value is not None}
    assert read_parameters({"unknown": {"a": 1}}, "it") == {}
    for many in ({f"p{number}": 1 for number in range(1001)}, {"stop": ["a"] * 1000, "num_ctx": 1}):
        with pytest.raises(StoreError, match="it: there are 1,001 values, more than a model can need"):
            read_parameters(many, "it")
    for name in ("stop", "num_ctx", "temperature", "use_mmap"):
        for odd in ODD:
            refusal = refusal_of(lambda name=name, odd=odd: read_parameters({name: odd}, "it"))
            assert (
                refusal.startswith(f"it: {name} is ") if refusal else odd is None or read_parameters({name: odd}, "it")
            )
    for data in (b"[" * 100_000, b"{", b"[]", b"\xff"):
        with pytest.raises(StoreError, match="it is damaged"):
            read_object(data, "it")
    for messages in (5, [5], [{"role": 5}], [{"content": None}]):
        with pytest.raises(StoreError, match="it"):
            read_messages(messages, "it")


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """Give the function that puts another JSON into the config, the parameters or the messages of the model ``m``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("r.yaml").write_text(
        "name: r\nfrom: sample:deepseek-r1\ncreate: m\nparameters: {top_k: 5}\nmessages: [{role: user, content: hi}]\n"
    )
    assert run(["apply", "./r.yaml", "--quiet"]) == 0
    manifest = tmp_path / "models/manifests/registry.ollama.ai/library/m/latest"
    whole = json.loads(manifest.read_text())

    def put(kind: str, value: Any) -> None:
        body = json.loads(json.dumps(whole))
        data = json.dumps(value).encode()
        layer = next(each for each in [body["config"], *body["layers"]] if each["mediaType"].endswith(kind))
        if kind == "image.v1+json" and isinstance(value, dict):
            old = (tmp_path / "models/blobs" / layer["digest"].replace(":", "-")).read_bytes()
            data = json.dumps({**json.loads(old), **value}).encode()
        digest = hashlib.sha256(data).hexdigest()
        (tmp_path / "models/blobs" / f"sha256-{digest}").write_bytes(data)
        layer |= {"digest": f"sha256:{digest}", "size": len(data)}
        manifest.write_text(json.dumps(body))

    return put


COMMANDS = (
    ["store", "ls"],
    ["explain", "m"],
    ["render", "m", "-u", "x"],
    ["plan", "force-think", "--set", "base=m"],
    ["diff", "m", "sample:deepseek-r1"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("params", {"stop": 5}),
        ("params", {"stop": [5]}),
        ("params", {"num_ctx": "x", "temperature": {}}),
        ("params", [1]),
        ("messages", {"role": "user"}),
        ("messages", [{"role": 5, "content": []}]),
        ("messages", [5]),
        ("image.v1+json", {"capabilities": 5, "model_family": []}),
        ("image.v1+json", {"capabilities": [5], "renderer": 5, "parser": {}}),
        ("image.v1+json", {"requires": 5, "model_families": 5, "rootfs": 5}),
        ("image.v1+json", 5),
    ],
    ids=str,
)
def test_stored_models(
    kind: str, value: Any, command: list[str], change: Callable[[str, Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change(kind, value)
    capsys.readouterr()
    assert run(command) in {0, 1, 3}
    error = capsys.readouterr().err
    assert "bug" not in error
    if kind == "params" and "store" in command and isinstance(value, dict):
        assert f"{next(iter(value))} is " in error


@pytest.mark.parametrize("key", CONFIG)
def test_configs_of_every_shape(
    key: str, change: Callable[[str, Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    from modelsmith.store.local.local import LocalStore

    for odd in ODD:
        change("image.v1+json", {key: odd})
        refusal = refusal_of(lambda: LocalStore(Path("models")).show("m"))
        assert not refusal or f": {key}" in refusal
    capsys.readouterr()
