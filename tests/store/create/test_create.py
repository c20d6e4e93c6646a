from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from local_stores import check_whole, flag, needs_real_gguf, real_gguf, request, small_gguf, tensor, text, uint
from shared import needs_shared

from modelsmith.errors import (
    BlobNotFound,
    DigestMismatch,
    InvalidDigest,
    InvalidGGUF,
    InvalidModelName,
    ModelNotFound,
    TemplateSyntaxError,
    Unsupported,
    UsageError,
)
from modelsmith.manifest import ADAPTER, DRAFT, LICENSE, MESSAGES, MODEL, PARAMS, PROJECTOR, SYSTEM, TEMPLATE, Digest
from modelsmith.progress import Progress
from modelsmith.store.create.compose import remote_url
from modelsmith.store.create.config import human_number
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.weights.blobs.blob import EditedGGUF, FileBlob
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.types import ValueType

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEST = text("general.architecture", "test")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("gguf") / "model.gguf")


def kinds(store: LocalStore, name: str) -> list[str]:
    return [layer.media_type for layer in store.layout.manifest(store.show(name).name).layers]


def contents(store: LocalStore, name: str, media_type: str) -> list[bytes]:
    layers = store.layout.manifest(store.show(name).name).of_type(media_type)
    return [store.blob_path(layer.digest).read_bytes() for layer in layers]


def config(store: LocalStore, name: str) -> bytes:
    return store.blob_path(store.layout.manifest(store.show(name).name).config.digest).read_bytes()


def test_the_known_bytes_of_a_small_model(store: LocalStore, tmp_path: Path) -> None:
    """The digests stand in upstream's tests; a manifest of untouched files says where they came from."""
    path = small_gguf(tmp_path / "x.gguf", [TEST])
    path.write_bytes(path.read_bytes()[:68])  # without padding, as Ollama writes it
    model = store.create("small", request({"x.gguf": path}, template="{{ .Prompt }}"), as_is=True)
    manifest = store.layout.manifest_path(model.name).read_bytes()
    assert manifest == (
        b'{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":'
        b'"application/vnd.docker.container.image.v1+json","digest":'
        b'"sha256:99759ad5b91e723db0393d698ffbb448b1b7df5ff6377a108c49254583b1bc8c","size":147},"layers":[{"mediaType":'
        b'"application/vnd.ollama.image.model","digest":'
        b'"sha256:89a2116c3a82d6a97f59f748d86ed4417214353fd178ee54df418fde32495fad","size":68,"from":"x.gguf"},{"mediaType":'
        b'"application/vnd.ollama.image.template","digest":'
        b'"sha256:b507b9c2f6ca642bffcd06665ea7c91f235fd32daeefdf875a0f938db05fb315","size":13}]}\n'
    )
    assert model.digest == hashlib.sha256(manifest).hexdigest()
    check_whole(store)


def test_layers_come_in_ollamas_order(store: LocalStore, gguf: Path) -> None:
    messages = [{"role": "USER", "content": "<hi>"}]
    fields = {
        "messages": messages,
        "parameters": {"seed": 1},
        "license": ["A", "B"],
        "system": "S",
        "template": "{{ .Prompt }}",
    }
    store.create("m", request({"m.gguf": gguf}, **fields))
    assert kinds(store, "m") == [MODEL, TEMPLATE, SYSTEM, LICENSE, LICENSE, PARAMS, MESSAGES]
    assert contents(store, "m", MESSAGES) == [b'[{"role":"user","content":"\\u003chi\\u003e"}]\n']
    assert contents(store, "m", LICENSE) == [b"A", b"B"]


def test_the_weights_are_put_in_order(store: LocalStore, gguf: Path) -> None:
    model = store.create("m", request({"m.gguf": gguf}))
    assert model.weights is not None
    names = [tensor.name for tensor in GGUFFile.open(model.weights).tensors]
    assert names[:4] == ["output.weight", "output_norm.weight", "token_embd.weight", "blk.0.attn_k.weight"]
    assert config(store, "m") == (
        b'{"model_format":"gguf","model_family":"llama","model_families":["llama"],"model_type":"116K","file_type":"F16",'
        b'"architecture":"amd64","os":"linux"}\n'
    )


def test_edited_metadata_is_stored_in_order_too(store: LocalStore, gguf: Path) -> None:
    source = EditedGGUF(gguf, {"tokenizer.chat_template": CHATML, "general.name": "x"})
    model = store.create("m", CreateRequest({}, {"m.gguf": source}))
    assert model.chat_template == CHATML
    assert model.weights is not None
    assert GGUFFile.open(model.weights).tensors[0].name == "output.weight"
    assert kinds(store, "m") == [MODEL, TEMPLATE, PARAMS]
    edited = store.create("n", CreateRequest({}, {"m.gguf": source}), as_is=True)
    assert edited.weights_digest == source.digest()


def test_a_template_is_recognised_by_the_one_inside(store: LocalStore, tmp_path: Path) -> None:
    path = write_sample(tmp_path / "x.gguf", chat_template=CHATML)
    steps: list[Progress] = []
    model = store.create("m", request({"x.gguf": path}), progress=steps.append)
    assert "using autodetected template chatml" in [step.status for step in steps]
    assert steps[-1].status == "success"
    assert model.template is not None
    assert "<|im_start|>{{ .Role }}" in model.template
    assert model.parameters == {"stop": ["<|im_start|>", "<|im_end|>"]}
    given = store.create(
        "n", request({"x.gguf": path}, template="{{ .Prompt }}", parameters={"stop": ["X"], "seed": 1})
    )
    assert (given.template, given.parameters) == ("{{ .Prompt }}", {"stop": ["X"], "seed": 1})
    assert kinds(store, "n") == [MODEL, TEMPLATE, PARAMS]


def test_a_model_inherits_from_its_base(store: LocalStore, gguf: Path) -> None:
    fields = {
        "system": "S",
        "license": "L",
        "parameters": {"stop": ["A", "B"], "seed": 1},
        "renderer": "r",
        "requires": "0.14.0",
    }
    base = store.create(
        "base", request({"m.gguf": gguf}, template="{{ .Prompt }}", messages=[{"role": "user"}], **fields)
    )
    model = store.create("ns/derived:1", request(from_="base", parameters={"stop": ["C"]}, license=["L"], parser="p"))
    assert model.weights_digest == base.weights_digest
    assert (model.system, model.licenses, model.renderer, model.parser) == ("S", ("L", "L"), "r", "p")
    assert model.parameters == {"stop": ["C"], "seed": 1}
    assert kinds(store, "ns/derived:1") == [MODEL, TEMPLATE, SYSTEM, LICENSE, MESSAGES, LICENSE, PARAMS]
    layers = store.layout.manifest(model.name).layers
    assert [layer.source for layer in layers] == ["base:latest"] * 5 + ["", ""]
    check_whole(store)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (9223372036854775807, b"9223372036854776000"),
        (1e21, b"1e+21"),
        (1e-7, b"1e-7"),
        (4096, b"4096"),
        (0.1, b"0.1"),
        (True, b"true"),
        (None, b"null"),
        (["<a>", 1], b'["\\u003ca\\u003e",1]'),
        ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
    ],
)
def test_parameters_are_go_json(store: LocalStore, gguf: Path, value: Any, stored: bytes) -> None:
    store.create("m", request({"m.gguf": gguf}, parameters={"x": value}))
    assert contents(store, "m", PARAMS) == [b'{"x":' + stored + b"}\n"]


def test_every_part_of_a_message_is_kept(store: LocalStore, gguf: Path) -> None:
    call = {"id": "i", "function": {"index": 2, "name": "f", "arguments": {"z": 1, "a": {"q": 2, "b": 3}}}}
    messages = [
        {"role": "assistant", "content": "", "thinking": "t", "tool_calls": [call], "unknown": 1},
        {"role": "tool", "content": "r", "tool_name": "f", "tool_call_id": "i", "images": ["aGk="]},
    ]
    store.create("m", request({"m.gguf": gguf}, messages=messages))
    assert contents(store, "m", MESSAGES) == [
        (
            b'[{"role":"assistant","content":"","thinking":"t","tool_calls":[{"id":"i","function":{"index":2,"name":"f",'
            b'"arguments":{"z":1,"a":{"b":3,"q":2}}}}]},{"role":"tool","content":"r","images":["aGk="],"tool_name":"f",'
            b'"tool_call_id":"i"}]\n'
        )
    ]


def test_text_that_is_no_unicode_is_replaced(store: LocalStore, gguf: Path) -> None:
    assert store.create("m", request({"m.gguf": gguf}, system="a\ud800b")).system == "a\ufffdb"


@pytest.mark.parametrize(
    ("architecture", "renderer", "parameters"),
    [("gemma4", "gemma4", {"stop": ["<turn|>"]}), ("laguna", "laguna", {}), ("nemotron_h_moe", "nemotron-3-nano", {})],
)
def test_some_architectures_bring_a_renderer(
    store: LocalStore, tmp_path: Path, architecture: str, renderer: str, parameters: dict[str, Any]
) -> None:
    path = write_sample(tmp_path / "x.gguf", architecture=architecture)
    model = store.create("m", request({"x.gguf": path}))
    assert (model.renderer, model.parser, model.parameters) == (renderer, renderer, parameters)
    given = store.create("n", request({"x.gguf": path}, renderer="a", parser="b"))
    assert (given.renderer, given.parser, given.parameters) == ("a", "b", {})
    stop = store.create("o", request({"x.gguf": path}, parameters={"stop": ["X"]}))
    assert stop.parameters == {"stop": ["X"]}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("parts")
    weights = [tensor("blk.1.w", (32,)), tensor("blk.0.w", (7,))]
    clip = [text("general.architecture", "clip"), flag("clip.has_vision_encoder", True)]
    return {
        "adapter": small_gguf(
            folder / "a.gguf", [text("general.architecture", "llama"), text("general.type", "adapter")], weights
        ),
        "projector": small_gguf(folder / "p.gguf", [*clip, text("clip.projector_type", "mlp")], weights),
        "old projector": small_gguf(folder / "o.gguf", clip, weights),
        "vision": write_sample(folder / "v.gguf", metadata={"v": uint("llama.vision.block_count", 2)}),
    }


def test_projectors_are_kept_as_they_are(store: LocalStore, gguf: Path, parts: dict[str, Path]) -> None:
    model = store.create("m", request({"z.gguf": gguf, "mmproj.gguf": parts["projector"]}))
    first, second = store.layout.manifest(model.name).layers
    assert (first.media_type, first.digest, first.source) == (
        PROJECTOR,
        Digest.of(parts["projector"].read_bytes()),
        "mmproj.gguf",
    )
    assert (second.media_type, second.source) == (MODEL, "")
    assert model.extra_layers == ("projector",)
    assert model.capabilities == {"completion", "vision"}
    old = store.create("n", request({"z.gguf": gguf, "mmproj.gguf": parts["old projector"]}))
    layer = store.layout.manifest(old.name).layers[0]
    assert layer.source == ""
    metadata = GGUFFile.open(store.blob_path(layer.digest)).metadata
    assert (metadata["clip.projector_type"], metadata["general.parameter_count"]) == ("mlp", 39)


def test_embedded_parts_keep_a_model_as_it_is(store: LocalStore, tmp_path: Path, gguf: Path) -> None:
    opened = GGUFFile.open(gguf)
    tensors = [(item, opened.data_of(item).read()) for item in opened.tensors]
    path = small_gguf(tmp_path / "x.gguf", opened.metadata.entries, [*tensors, tensor("v.patch", (32,))])
    model = store.create("m", request({"x.gguf": path}))
    assert model.weights_digest == Digest.of(path.read_bytes())
    assert store.layout.manifest(model.name).layers[0].source == "x.gguf"


def test_adapters_and_drafts(store: LocalStore, gguf: Path, parts: dict[str, Path]) -> None:
    store.create("base", request({"m.gguf": gguf}))
    adapter, draft = {"a.gguf": FileBlob(parts["adapter"])}, {"d.gguf": FileBlob(gguf)}
    model = store.create("m", CreateRequest({"from": "base", "system": "x"}, {}, draft, adapter))
    assert kinds(store, "m") == [MODEL, ADAPTER, DRAFT, SYSTEM]
    assert model.extra_layers == ("adapter", "draft")
    assert b'"draft":{"model_format":"gguf","architecture":"llama"}' in config(store, "m")
    assert kinds(store, store.create("n", request(from_="m")).name.short) == [MODEL, ADAPTER, DRAFT, SYSTEM]
    two = adapter | {"b.gguf": FileBlob(parts["adapter"])}
    with pytest.raises(UsageError, match="only one adapter is currently supported"):
        store.create("o", CreateRequest({"from": "base"}, {}, {}, two))
    with pytest.raises(InvalidGGUF, match="is no adapter"):
        store.create("o", CreateRequest({"from": "base"}, {}, {}, {"x.gguf": FileBlob(gguf)}))


def split_sample(folder: Path, gguf: Path, **changes: Any) -> dict[str, Path]:
    opened = GGUFFile.open(gguf)
    tensors = [(item, opened.data_of(item).read()) for item in opened.tensors]
    files = {}
    for number, part in enumerate((tensors[:9], tensors[9:])):
        keys = {"split.no": number, "split.count": 2} | {f"split.{key}": value for key, value in changes.items()}
        entries = [Entry.of(key, ValueType.UINT16, value) for key, value in keys.items() if value is not None]
        name = f"x-{number + 1:05d}-of-00002.gguf"
        files[name] = small_gguf(folder / name, [*(opened.metadata.entries if not number else ()), *entries], part)
    return files


def test_a_split_model_is_put_together(store: LocalStore, tmp_path: Path, gguf: Path) -> None:
    files = split_sample(tmp_path, gguf)
    assert (
        store.create("m", request(files)).weights_digest == store.create("n", request({"x.gguf": gguf})).weights_digest
    )
    assert config(store, "m") == config(store, "n")


@pytest.mark.parametrize(
    ("changes", "names", "reason"),
    [
        ({}, ["x-00001-of-00002.gguf"], "has 1 shards, expected 2"),
        ({"count": 3}, None, "count 00002 does not match metadata count 3"),
        ({"no": 0}, None, "index 1 does not match metadata index 0"),
        ({"no": None}, None, r"missing split\.no"),
    ],
)
def test_a_wrong_split_is_refused(
    store: LocalStore, tmp_path: Path, gguf: Path, changes: dict[str, Any], names: list[str] | None, reason: str
) -> None:
    files = split_sample(tmp_path, gguf, **changes)
    with pytest.raises(InvalidGGUF, match=reason):
        store.create("m", request({name: files[name] for name in names or files}))
    if names:
        with pytest.raises(InvalidGGUF, match="must use llama"):
            store.create("m", request({"x.gguf": files[names[0]]}))


def test_info_and_remote_models(store: LocalStore, gguf: Path) -> None:
    info = {
        "capabilities": ["vision"],
        "model_family": "f",
        "context_length": 4096.0,
        "parameter_size": "9B",
        "base_name": "b",
    }
    store.create("base", request({"m.gguf": gguf}))
    assert "vision" in store.create("m", request(from_="base", info=info)).capabilities
    assert config(store, "m") == (
        b'{"model_format":"gguf","model_family":"f","model_families":["f","llama"],"model_type":"9B","file_type":"F16",'
        b'"capabilities":["vision"],"context_length":4096,"base_name":"b","architecture":"amd64","os":"linux"}\n'
    )
    for wrong in ({"context_length": -1}, {"context_length": "x"}, {"model_family": 1}):
        with pytest.raises(UsageError, match="info field"):
            store.create("n", request(from_="base", info=wrong))
    remote = store.create("r", request(from_="big:120b-cloud", template="{{ .Prompt }}"))
    assert remote.weights is None
    assert b'"remote_host":"https://ollama.com:443","remote_model":"big:120b"' in config(store, "r")
    assert b'"model_families":null' in config(store, "r")
    with pytest.raises(UsageError, match="DRAFT cannot be used with remote models"):
        store.create("r", CreateRequest({"from": "big:cloud"}, {}, {"d.gguf": FileBlob(gguf)}))
    with pytest.raises(InvalidModelName, match="not both"):
        store.create("r", request(from_="x:local:cloud"))


@pytest.mark.parametrize(
    ("text_", "url"),
    [
        ("example.com", "http://example.com:11434"),
        ("http://a/b/", "http://a:11434/b"),
        ("ollama.com", "https://ollama.com:443"),
        ("https://a", "https://a:11434"),
        ("/foo/", "http://localhost:11434/foo"),
        ("[::1]:5", "http://[::1]:5"),
    ],
)
def test_remote_urls(text_: str, url: str) -> None:
    assert remote_url(text_) == url


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({}, UsageError, "neither 'from' or 'files' was specified"),
        ({"from": "nothing"}, ModelNotFound, 'model "nothing:latest" not found'),
        ({"from": "a/b/c/d"}, InvalidModelName, "is not a model name"),
        (
            {"from": "base", "template": "{{ if .X }}"},
            TemplateSyntaxError,
            "template error: template: :1: unexpected EOF",
        ),
        ({"from": "base", "template": 1}, UsageError, "as the text template"),
        ({"from": "base", "license": [1]}, UsageError, "license"),
        ({"from": "base", "parameters": ["x"]}, UsageError, "parameters"),
        ({"from": "base", "parameters": {"x": float("inf")}}, UsageError, "unsupported value"),
        ({"from": "base", "parameters": {"x": 10**400}}, UsageError, "float64"),
        ({"from": "base", "parameters": {"x": object()}}, UsageError, "is not JSON"),
        ({"from": "base", "messages": "x"}, UsageError, "list messages"),
        ({"from": "base", "messages": ["x"]}, UsageError, r"messages\[0\]"),
        ({"from": "base", "quantize": "Q5_K_M"}, UsageError, "unsupported quantization type Q5_K_M"),
        ({"from": "base", "quantize": "q4_K_M"}, Unsupported, "quantizing F16 to Q4_K_M"),
        ({"from": "base", "draft_quantize": "Q8_0"}, UsageError, "requires a DRAFT model"),
    ],
)
def test_what_ollama_refuses_is_refused(
    store: LocalStore, gguf: Path, fields: dict[str, Any], error: type[Exception], reason: str
) -> None:
    store.create("base", request({"m.gguf": gguf}))
    before = sorted(store.layout.blobs.iterdir())
    with pytest.raises(error, match=reason):
        store.create("m", CreateRequest(fields))
    assert [name.short for name in store.models()] == ["base:latest"]
    assert sorted(store.layout.blobs.iterdir()) == before


def test_quantizing_to_the_same_type_does_nothing(store: LocalStore, gguf: Path) -> None:
    model = store.create("m", request({"m.gguf": gguf}, quantize="f16"))
    assert model.weights_digest == store.create("n", request({"m.gguf": gguf})).weights_digest


def test_files_that_are_no_gguf(store: LocalStore, tmp_path: Path, gguf: Path) -> None:
    (tmp_path / "page").write_text("<html>")
    with pytest.raises(InvalidGGUF, match="a web page"):
        store.create("m", request({"model.gguf": tmp_path / "page"}))
    with pytest.raises(Unsupported, match="Safetensors cannot be stored"):
        store.create("m", request({"model.safetensors": tmp_path / "page"}))
    for name in ("../x.gguf", "/x.gguf", "a//x.gguf", "", "./x.gguf"):
        with pytest.raises(UsageError, match="file path must be relative"):
            store.create("m", request({name: gguf}))
    assert store.models() == ()
    assert store.create("m", request({"a/b/model": gguf})).family == "llama"


def test_a_request_may_name_digests(store: LocalStore, gguf: Path) -> None:
    digest = str(Digest.of(gguf.read_bytes()))
    body: dict[str, Any] = {"model": "ignored", "files": {"m.gguf": digest}, "stream": False}
    model = store.create("m", body, blobs={digest: gguf})
    assert store.create("n", body, blobs={digest: FileBlob(gguf)}).digest == model.digest
    stored = {"files": {"m.gguf": str(model.weights_digest)}}
    assert store.create("o", stored).weights_digest == model.weights_digest
    with pytest.raises(BlobNotFound, match=digest):
        store.create("p", body)
    with pytest.raises(DigestMismatch, match=f'expected "sha256:{"0" * 64}", got "{digest}"'):
        store.create("p", {"files": {"m.gguf": "sha256:" + "0" * 64}}, blobs={"sha256:" + "0" * 64: gguf})
    for wrong in ("", "sha256:../../x", "sha256:" + "0" * 63, 7):
        with pytest.raises(InvalidDigest):
            store.create("p", {"files": {"m.gguf": wrong}})


@pytest.mark.parametrize(
    ("count", "printed"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1K"),
        (494032, "494K"),
        (999999, "1000K"),
        (10**6, "1M"),
        (134515008, "134.52M"),
        (10**9, "1B"),
        (7615616512, "7.6B"),
        (70000000000, "70B"),
        (999999999, "1000.00M"),
    ],
)
def test_numbers_of_parameters(count: int, printed: str) -> None:
    assert human_number(count) == printed


@needs_shared
@needs_real_gguf
def test_recorded_answers() -> None:
    from conformance_checks.create import check_manifests, check_shown

    path = real_gguf()
    assert path is not None
    for check in (check_manifests, check_shown):
        agree, total, differences = check(path)
        assert differences == []
        assert agree == total > 30


def test_the_manifest_is_json_that_says_what_show_says(store: LocalStore, gguf: Path) -> None:
    model = store.create("m", request({"m.gguf": gguf}, system="x"))
    body = json.loads(store.layout.manifest_path(model.name).read_bytes())
    assert model.size == body["config"]["size"] + sum(layer["size"] for layer in body["layers"])
