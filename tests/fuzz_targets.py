"""What reads foreign text or bytes, each with inputs to begin with and the laws that hold for every input.

A target may raise ModelsmithError and nothing else. A new one is a row of ``TARGETS``.
"""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from checkpoints import FAMILIES, write_checkpoint, write_safetensors
from example_templates import ALL
from fakes.show import said_of
from hostile_ggufs import sound
from local_stores import request
from lora_models import write_adapter
from shared import SHARED, conformance, corpus

from modelsmith.doctor.environment import check_environment
from modelsmith.doctor.scan import check_command, check_markdown
from modelsmith.fmt.format import format_bytes
from modelsmith.lint.config import parse_config
from modelsmith.lint.document import Document
from modelsmith.lint.linter import lint
from modelsmith.lint.run.fixes import fix
from modelsmith.manifest import read_manifest
from modelsmith.name import ModelName, parse_host
from modelsmith.parameters import typed_parameters
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.registry.bundle.read import Bundle
from modelsmith.registry.bundle.write import export
from modelsmith.store.local.local import LocalStore
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.api import Template
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.weights.adapters.peft import read_peft
from modelsmith.weights.convert.preflight import preflight
from modelsmith.weights.convert.safetensors import SafetensorsFile
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.inspect.summary import Summary
from modelsmith.weights.gguf.read.reader import scan_file
from modelsmith.weights.gguf.sample import SampleShape, write_sample
from modelsmith.weights.gguf.verify.verify import verify
from modelsmith.weights.quantize.imatrix import ImportanceMatrix

ROOT = Path(__file__).resolve().parent.parent
_MODELFILES = (
    "FROM llama3\nPARAMETER stop <|im_end|>\nPARAMETER num_ctx 4096\nSYSTEM be kind\nMESSAGE user hi\n",
    '# one\nFROM ./x.gguf\nTEMPLATE """{{ if .System }}{{ .System }}{{ end }}{{ .Prompt }}"""\nLICENSE MIT\n',
    "\ufefffrom a\r\nparameter temperature 0.5\r\nADAPTER ./l.gguf\r\nRENDERER qwen3\r\nREQUIRES 0.14.0\r\n",
)
_JINJA = (
    (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m['content'] | trim }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% if enable_thinking %}<think>{% endif %}{% endif %}"
    ),
    (
        "{%- macro f(x, y=1) -%}{{ x ~ y }}{%- endmacro -%}{%- set n = namespace(a=0) -%}"
        "{% for i in range(3) %}{% set n.a = n.a + i %}{{ f(n.a) }}{% endfor %}{{ tools | tojson(indent=2) }}"
    ),
    "{{ raise_exception('no') if messages[0].role != 'user' }}{{ messages[1:] | map(attribute='content') | join(',') }}",
)
_CONVERSATION = {
    "messages": [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "thinking": "t", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
        {"role": "tool", "tool_name": "f", "content": "2"},
        {"role": "user", "content": "Grüße"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}],
}  # fmt: skip
_COMMANDS = (
    "ollama run llama3 --verbose 'hi'\nOLLAMA_HOST=0.0.0.0:11434 ollama serve\n",
    "# Use\n```bash\nollama create x -f Modelfile -q q4_K_M\ndocker run -d -v o:/data -p 11434:11434 ollama/ollama\n```\n",
    "```yaml\nservices:\n  ollama:\n    image: ollama/ollama\n    environment:\n      - OLLAMA_NUM_PARALLEL=4\n```\n",
    "```json\n{\"model\": \"a\", \"options\": {\"num_ctx\": 1}}\n```\n[Service]\nEnvironment=\"OLLAMA_MODELS=/home/a\"\n",
    "curl http://localhost:11434/api/chat -d '{\"model\": \"x\", \"think\": true}' <<EOF\nFROM x\nEOF\n",
)  # fmt: skip
_CONFIG = (
    (
        '[lint]\nselect = ["MS1"]\nignore = ["MS201"]\ntarget-ollama = "0.30"\n'
        '[lint.policy]\nbanned-parameters = ["num_gpu"]\nallowed-bases = ["llama3*"]\n'
    ),
)
_SHOW = {
    "modelfile": "FROM /blobs/sha256-" + "0" * 64 + '\nTEMPLATE "{{ .Prompt }}"\nPARAMETER stop a\nLICENSE """x"""\n',
    "template": "{{ .Prompt }}", "parameters": 'stop "a"\nnum_ctx 4', "system": "s", "license": "x",
    "details": {"family": "llama", "families": ["llama"], "parameter_size": "8B", "quantization_level": "Q4_0"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 8192}, "capabilities": ["completion"],
    "messages": [{"role": "user", "content": "hi"}], "tensors": [{"name": "a", "type": "F32", "shape": [1]}],
}  # fmt: skip
_LAYER = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "a" * 64, "size": 5}
_MANIFEST = {"schemaVersion": 2, "mediaType": "m", "config": _LAYER, "layers": [_LAYER, {**_LAYER, "from": "x"}]}
_TALK = Conversation.from_dict(_CONVERSATION)


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` reads one input; ``share`` is its part of all inputs, in thousandths. ``seeds`` are made in a folder."""

    seeds: Callable[[Path], Iterable[bytes]]
    run: Callable[[bytes, Path], object]
    share: int
    is_text: bool = True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _modelfile(data: bytes, folder: Path) -> None:
    modelfile = Modelfile.parse(data)
    assert bytes(modelfile) == data, "not lossless"
    reading = modelfile.as_ollama()
    assert (reading.commands is None) == (reading.error is not None)
    for version in ("0.12.0", "0.31.0"):
        modelfile.as_ollama(version)
    modelfile.create_request(folder)


def _lint(data: bytes, _folder: Path) -> None:
    before = Modelfile.parse(data).as_ollama().error
    fixed = fix(Document.parse(data, "Modelfile"), unsafe=True)
    if before is None:
        after = Modelfile.parse(fixed.data).as_ollama().error
        assert after is None, f"a fix broke it: {after}"


def _fmt(data: bytes, _folder: Path) -> None:
    after = format_bytes(data, "Modelfile", templates=True)
    assert format_bytes(after, "Modelfile", templates=True) == after, "formatting is not idempotent"


def _go(data: bytes, _folder: Path) -> None:
    template = Template.parse(_text(data))
    assert str(template) == _text(data), "not lossless"
    assert template.variables == tuple(sorted(template.variables))
    assert len(template.thinking_tags) == 2
    for think in (None, True):
        template.render(_TALK, think)


def _jinja(data: bytes, _folder: Path) -> None:
    template = ChatTemplate.parse(_text(data))
    for think in (None, True):
        template.render(_TALK, think)


def _split(data: bytes, _folder: Path) -> None:
    template, _, answer = _text(data).partition("\0")
    split = ChatTemplate.parse(template).split(answer)
    assert isinstance(split.content, str)


def _inject(data: bytes, _folder: Path) -> None:
    template = Template.parse(_text(data))
    template.inject("<think>\n", at="generation-prompt")


def _names(data: bytes, _folder: Path) -> None:
    text = _text(data)
    name = ModelName.parse(text)
    if name.is_fully_qualified:
        assert ModelName.parse(str(name)) == name
        assert not Path(name.path).is_absolute()
        assert ".." not in Path(name.path).parts
    parse_host(text)


def _parameters(data: bytes, _folder: Path) -> None:
    lines = [line.partition(" ") for line in _text(data).split("\n")]
    values: dict[str, list[str]] = {}
    for name, _, value in lines:
        values.setdefault(name, []).append(value)
    json.dumps(typed_parameters(values))


def _gguf(data: bytes, folder: Path) -> None:
    path = folder / "x.gguf"
    path.write_bytes(data)
    verify(path).to_dict()
    scanned = scan_file(path)
    if scanned.header is not None:
        Summary(GGUFFile.of(scanned.header)).to_dict()
    GGUFFile.open(path)


def _safetensors(data: bytes, folder: Path) -> None:
    path = folder / "x.safetensors"
    path.write_bytes(data)
    SafetensorsFile.open(path)


def _checkpoint(data: bytes, folder: Path) -> None:
    place = folder / "checkpoint"
    if not place.exists():
        write_checkpoint(place, FAMILIES["qwen3"])
    (place / "config.json").write_bytes(data)
    preflight(place).to_dict()


def _tokenizer(data: bytes, folder: Path) -> None:
    place = folder / "tokenizer"
    if not place.exists():
        write_checkpoint(place, FAMILIES["qwen3"])
    (place / "tokenizer.json").write_bytes(data)
    preflight(place).to_dict()


def _adapter(data: bytes, folder: Path) -> None:
    place = folder / "adapter"
    if not place.exists():
        write_adapter(place)
    (place / "adapter_config.json").write_bytes(data)
    read_peft(place)


def _imatrix(data: bytes, folder: Path) -> None:
    path = folder / "x.dat"
    path.write_bytes(data)
    list(ImportanceMatrix.open(path).metadata())


def _recipe(data: bytes, folder: Path) -> None:
    recipe = parse_recipe(data, folder=folder)
    recipe.resolve({}, environment={}, here=folder)


def _manifest(data: bytes, _folder: Path) -> None:
    read_manifest(data)


def _show(data: bytes, _folder: Path) -> None:
    found = _json(data)
    if isinstance(found, dict):
        said_of(found)


def _conversation(data: bytes, _folder: Path) -> None:
    found = _json(data)
    if isinstance(found, dict):
        Template.parse(ALL["qwen"] if "qwen" in ALL else next(iter(ALL.values()))).render(Conversation.from_dict(found))


def _doctor(data: bytes, _folder: Path) -> None:
    text = _text(data)
    check_command(text)
    check_markdown(text, lint)
    pairs = [line.partition("=") for line in text.split("\n")]
    check_environment({name: value for name, _, value in pairs})


def _config(data: bytes, _folder: Path) -> None:
    try:
        table = tomllib.loads(_text(data))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    parse_config(table.get("lint", {}) if isinstance(table.get("lint"), dict) else {}, "x.toml")


def _bundle(data: bytes, folder: Path) -> None:
    path = folder / "x.tar"
    path.write_bytes(data)
    bundle = Bundle(path)
    assert all(name.is_valid for name in bundle.models)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


# where inputs begin


def _texts(*texts: str) -> Callable[[Path], list[bytes]]:
    return lambda _folder: [text.encode() for text in texts]


def _modelfiles(_folder: Path) -> list[bytes]:
    folder = corpus("modelfiles")
    found = [path.read_bytes() for path in sorted(folder.glob("*.Modelfile"))] if folder.is_dir() else []
    return [*(text.encode() for text in _MODELFILES), *(data for data in found if len(data) < 6000)]


@cache
def _library() -> tuple[dict[str, str], ...]:
    path = corpus("templates") / "library.jsonl"
    return tuple(json.loads(line) for line in path.read_text().splitlines()) if path.is_file() else ()


def _go_templates(_folder: Path) -> list[bytes]:
    return [text.encode() for text in (*ALL.values(), *(row.get("go") or "" for row in _library()))]


def _jinja_templates(_folder: Path) -> list[bytes]:
    return [text.encode() for text in (*_JINJA, *(row.get("jinja") or "" for row in _library())) if len(text) < 9000]


def _answers(folder: Path) -> list[bytes]:
    ends = (b"\0a<think>b</think>c", b"\0</think>\n\nx<tool_call>{}", b'\0[TOOL_CALLS]f{"a": 1}')
    return [text + end for text in _jinja_templates(folder) for end in ends]


def _name_texts(_folder: Path) -> list[bytes]:
    own = ["llama3", "a/b:c", "registry.ollama.ai/library/x:latest", "h:5000/n/m:t", "sha256:" + "0" * 64, "[::1]:80"]
    rows = [*conformance("names.jsonl.gz"), *conformance("hosts.jsonl.gz")] if SHARED.is_dir() else []
    found = [value for row in rows for value in row.values() if isinstance(value, str)]
    return [text.encode() for text in (*own, *found)]


def _ggufs(folder: Path) -> list[bytes]:
    shape = SampleShape(1, 32, 32, 1)
    path = write_sample(folder / "seed.gguf", chat_template=_JINJA[0], shape=shape)
    return [path.read_bytes(), sound()[0], sound(">")[0], sound("<", 2)[0]]


def _safetensors_files(folder: Path) -> list[bytes]:
    path = folder / "seed.safetensors"
    write_safetensors(
        path, {"a": ("F32", (2, 3), bytes(24)), "b.weight": ("BF16", (4,), bytes(8)), "c": ("U8", (), b"x")}
    )
    return [path.read_bytes()]


def _of_checkpoint(name: str) -> Callable[[Path], list[bytes]]:
    def seeds(folder: Path) -> list[bytes]:
        return [
            (write_checkpoint(folder / family, FAMILIES[family]) / name).read_bytes()
            for family in ("qwen3", "deepseek-v3")
        ]

    return seeds


def _adapters(folder: Path) -> list[bytes]:
    write_adapter(folder / "seed", target_modules=["q_proj"], rank_pattern={"q": 2}, use_rslora=True)
    return [(folder / "seed" / "adapter_config.json").read_bytes()]


def _recipes(_folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "recipes").glob("*.yaml"))]


def _imatrices(_folder: Path) -> list[bytes]:
    def number(value: int) -> bytes:
        return value.to_bytes(4, "little")

    entry = number(5) + b"blk.0" + number(1) + number(4) + b"\0\0\x80\x3f" * 4
    return [number(2) + entry + entry.replace(b"blk.0", b"blk.1") + number(7) + number(4) + b"text"]


def _bundles(folder: Path) -> list[bytes]:
    store = LocalStore(folder / "models")
    gguf = write_sample(folder / "m.gguf", shape=SampleShape(1, 32, 32, 1))
    store.create(ModelName.strict("one"), request({"m.gguf": gguf}, system="one"))
    export(store, [ModelName.strict("one")], folder / "b.tar")
    return [(folder / "b.tar").read_bytes()]


TARGETS: dict[str, Target] = {
    "modelfile": Target(_modelfiles, _modelfile, 150),
    "lint": Target(_modelfiles, _lint, 60),
    "fmt": Target(_modelfiles, _fmt, 60),
    "go": Target(_go_templates, _go, 120),
    "jinja": Target(_jinja_templates, _jinja, 100),
    "split": Target(_answers, _split, 15),
    "inject": Target(_go_templates, _inject, 5),
    "names": Target(_name_texts, _names, 120),
    "parameters": Target(
        _texts("num_ctx 4\nstop a\nstop b", "temperature 0.7\nmirostat 1\nuse_mmap true"), _parameters, 60
    ),
    "gguf": Target(_ggufs, _gguf, 80, is_text=False),
    "safetensors": Target(_safetensors_files, _safetensors, 40, is_text=False),
    "checkpoint": Target(_of_checkpoint("config.json"), _checkpoint, 15),
    "tokenizer": Target(_of_checkpoint("tokenizer.json"), _tokenizer, 5),
    "adapter": Target(_adapters, _adapter, 10),
    "imatrix": Target(_imatrices, _imatrix, 15, is_text=False),
    "recipe": Target(_recipes, _recipe, 15),
    "manifest": Target(_texts(json.dumps(_MANIFEST), json.dumps({"manifests": [_LAYER]})), _manifest, 30),
    "show": Target(_texts(json.dumps(_SHOW)), _show, 30),
    "conversation": Target(_texts(json.dumps(_CONVERSATION)), _conversation, 30),
    "doctor": Target(_texts(*_COMMANDS), _doctor, 25),
    "config": Target(_texts(*_CONFIG), _config, 10),
    "bundle": Target(_bundles, _bundle, 5, is_text=False),
}


@cache
def seeds_of(name: str) -> tuple[bytes, ...]:
    """Return the inputs that a target begins with."""
    with tempfile.TemporaryDirectory() as folder:
        return tuple(TARGETS[name].seeds(Path(folder)))
