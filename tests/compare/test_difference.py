"""What differs between two models, Modelfiles, GGUFs and templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelsmith.compare.difference import Difference, difference
from modelsmith.compare.side import Side, find_side
from modelsmith.compare.values import Value
from modelsmith.errors import (
    InvalidGGUF,
    ModelfileRefused,
    ModelNotFound,
    TemplateSyntaxError,
    UnreadableFile,
    Unsupported,
)
from modelsmith.name import ModelName
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.conversation.named import NAMED
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.types import ValueType

pytestmark = pytest.mark.usefixtures("one_command")  # several steps of one program

CHAT = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}\n{{ end }}<|assistant|>\n"
SAME = "{{- range $i, $m := .Messages }}<|{{ $m.Role }}|>{{ $m.Content }}{{ `\n` }}{{ end }}<|assistant|>\n"
JINJA = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}<|assistant|>\n\n"


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def side(folder: Path, spec: str) -> Side:
    return find_side(spec, lambda: LocalStore(folder / "models"), folder)


def compared(folder: Path, a: str, b: str) -> Difference:
    return difference(side(folder, a), side(folder, b))


def of_templates(folder: Path, a: str, b: str, *, suffixes: tuple[str, str] = ("gotmpl", "gotmpl")) -> Difference:
    names = [f"{name}.{suffix}" for name, suffix in zip("ab", suffixes, strict=True)]
    for name, text in zip(names, (a, b), strict=True):
        (folder / name).write_text(text)
    return compared(folder, *names)


def of_modelfiles(folder: Path, a: str, b: str) -> Difference:
    for name, text in (("A", a), ("B", b)):
        (folder / name).write_text(text)
    return compared(folder, "A", "B")


def test_a_thing_is_equal_to_itself(tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text(f'FROM x\nTEMPLATE """{CHAT}"""\nPARAMETER stop a\n')
    write_sample(tmp_path / "m.gguf", chat_template=JINJA)
    for spec in ("Modelfile", "m.gguf", "sample:deepseek-r1"):
        found = compared(tmp_path, spec, spec)
        assert found.equal
        assert found.same_text
        assert len(found.prompts) == 3 * len(NAMED)
        assert found.smallest is None
        assert all(value.same for value in (*found.values, *found.metadata))


def test_templates_that_read_differently_and_render_alike_are_equal(tmp_path: Path) -> None:
    found = of_templates(tmp_path, CHAT, SAME)
    assert found.equal
    assert not found.same_text
    (text,) = found.texts
    assert text.name == "TEMPLATE (Go)"
    assert next(iter(text.lines())).startswith("@@")


def test_the_smallest_conversation_that_differs(tmp_path: Path) -> None:
    found = of_templates(tmp_path, CHAT, CHAT + "{{ if .Think }}<think>{{ end }}")
    assert not found.equal
    assert found.smallest is not None
    assert (found.smallest.name, found.smallest.think) == ("user", True)
    assert found.smallest.b.prompt == found.smallest.a.prompt + "<think>"
    assert set(found.different_names) == set(NAMED)
    only_tools = of_templates(tmp_path, CHAT, CHAT + "{{ if .Tools }}T{{ end }}")
    assert only_tools.smallest is not None
    assert only_tools.smallest.name == "tools"
    assert "user" not in only_tools.different_names


def test_go_and_jinja_are_compared_by_what_they_render(tmp_path: Path) -> None:
    found = of_templates(tmp_path, CHAT, JINJA, suffixes=("gotmpl", "jinja"))
    assert {"user", "system-turns", "many-turns"}.isdisjoint(found.different_names)
    assert found.incomparable_names == ("image", "suffix")
    assert {"image", "suffix"}.isdisjoint(found.different_names)
    assert not found.same_text
    assert found.texts == ()
    assert [value.name for value in found.values] == ["template that runs", "capabilities"]


def test_two_templates_that_fail_are_alike(tmp_path: Path) -> None:
    found = of_templates(tmp_path, '{{ index .Messages "x" }}', '{{ slice .Messages "y" }}')
    assert found.equal
    assert all(pair.both_fail for pair in found.prompts)
    assert not of_templates(tmp_path, '{{ index .Messages "x" }}', CHAT).equal


def test_parameters_are_values_and_stops_a_set(tmp_path: Path) -> None:
    start = f'FROM x\nTEMPLATE """{CHAT}"""\n'
    found = of_modelfiles(
        tmp_path,
        f"{start}PARAMETER stop a\nPARAMETER stop b\nPARAMETER temperature 1\n",
        f"{start}PARAMETER temperature 1.0\n# a comment\nPARAMETER stop b\nPARAMETER stop a\n",
    )
    assert found.equal
    assert [text.name for text in found.texts if not text.same] == ["Modelfile"]
    found = of_modelfiles(
        tmp_path,
        f'{start}PARAMETER stop a\nPARAMETER stop b\nSYSTEM "one"\nPARAMETER seed 1\n',
        f'{start}PARAMETER stop c\nPARAMETER stop b\nSYSTEM "two"\nLICENSE MIT\nMESSAGE user hi\nRENDERER qwen3-coder\n',
    )
    told = {value.name: (value.a, value.b) for value in found.different_values}
    assert told == {
        "PARAMETER stop": (["a", "b"], ["b", "c"]),
        "PARAMETER seed": (1, None),
        "SYSTEM": ("one", "two"),
        "LICENSE": (None, ["MIT"]),
        "MESSAGE": (None, ["user: hi"]),
        "RENDERER": (None, "qwen3-coder"),
    }
    stop = next(value for value in found.values if value.name == "PARAMETER stop")
    assert (stop.removed, stop.added) == (("a",), ("c",))


def test_prompts_of_ollamas_own_code_are_not_guessed(tmp_path: Path) -> None:
    own, other = "FROM x\nRENDERER qwen3-coder\n", f'FROM x\nTEMPLATE """{CHAT}"""\n'
    found = of_modelfiles(tmp_path, own, other)
    assert "RENDERER qwen3-coder" in found.unrendered
    assert found.prompts == ()
    assert not found.equal
    assert of_modelfiles(tmp_path, own, own + "# the same\n").equal
    assert not of_modelfiles(tmp_path, own, own.replace("coder", "vl")).equal


def test_prompts_of_a_from_that_is_not_here_are_not_guessed(tmp_path: Path) -> None:
    found = of_modelfiles(tmp_path, "FROM x\n", f'FROM x\nTEMPLATE """{CHAT}"""\n')
    assert "those of A come from FROM x, which is not at hand" in found.unrendered
    assert not found.equal
    assert of_modelfiles(tmp_path, "FROM x\n", "# mine\nFROM x\n").equal
    assert not of_modelfiles(tmp_path, "FROM x\n", "FROM y\n").equal


def test_a_from_that_is_not_here_is_told_and_compared_by_name(tmp_path: Path) -> None:
    found = of_modelfiles(tmp_path, "FROM x\nTEMPLATE a\n", "FROM y\nTEMPLATE a\n")
    assert [(value.name, value.a, value.b) for value in found.different_values] == [("FROM", "x", "y")]
    assert "A is compared without what its FROM x brings along" in found.notes[0]
    (tmp_path / "B").write_text("FROM ./missing.gguf\nTEMPLATE a\n")
    assert "missing.gguf" in compared(tmp_path, "A", "B").notes[1]


def test_metadata_of_ggufs(tmp_path: Path) -> None:
    write_sample(tmp_path / "a.gguf", chat_template=JINJA)
    changed = {
        "llama.context_length": Entry.of("llama.context_length", ValueType.UINT32, 4096),
        "general.license": Entry.of("general.license", ValueType.STRING, "mit"),
        "general.name": None,
    }
    write_sample(tmp_path / "b.gguf", chat_template="{# more #}" + JINJA, metadata=changed)
    found = compared(tmp_path, "a.gguf", "b.gguf")
    told = {value.name: (value.a, value.b) for value in found.metadata}
    told.pop("size in bytes", None)  # the same where the padding takes up what the metadata grew
    assert told == {
        "llama.context_length": (131_072, 4096),
        "general.name": ("modelsmith sample", None),
        "general.license": (None, "mit"),
    }
    assert not found.different_prompts
    assert [text.name for text in found.texts if not text.same] == ["template inside the GGUF (Jinja)"]
    assert "not what the tensors hold" in found.notes[-1]
    assert {side.kind for side in (found.a, found.b)} == {"GGUF"}


def test_stored_models_are_compared_by_the_digest_of_their_weights(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "models")
    for name, seed, template in (
        ("one", 1, JINJA),
        ("two", 2, JINJA),
        ("three", 1, JINJA),
        ("four", 1, "{# #}" + JINJA),
    ):
        path = write_sample(tmp_path / f"{name}.gguf", chat_template=template, seed=seed)
        text = f"FROM {path}\n" + ("PARAMETER seed 7\n" if name == "three" else "")
        resolved = Modelfile.parse(text).resolve(tmp_path)
        files = {file: FileBlob(source) for file, source in resolved.files.items()}
        store.create(ModelName.parse(name), CreateRequest(resolved.fields, files))
    told = {name: compared(tmp_path, "one", name) for name in ("two", "three", "four")}
    assert [value.name for value in told["two"].different_values] == ["weights"]
    assert [value.name for value in told["three"].different_values] == ["PARAMETER seed"]
    assert told["four"].equal
    assert [bool(found.notes) for found in told.values()] == [False, False, True]


def test_a_bare_jinja_template_gets_the_tokens_of_the_model(tmp_path: Path) -> None:
    write_sample(tmp_path / "m.gguf", chat_template="{{ bos_token }}" + JINJA)
    (tmp_path / "t.jinja").write_text("{{ bos_token }}" + JINJA)
    assert compared(tmp_path, "m.gguf", "t.jinja").equal
    assert compared(tmp_path, "t.jinja", "m.gguf").equal


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [(1, 1.0, True), (1, True, False), (float("nan"), float("nan"), True), (None, 0, False), (["a"], ["a"], True)],
)
def test_values(a: object, b: object, same: bool) -> None:
    assert Value("x", a, b).same is same


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("nosuch", ModelNotFound, '"nosuch" was not found'),
        ("nosuch.gotmpl", UnreadableFile, "nosuch.gotmpl cannot be read"),
        ("bad.gotmpl", TemplateSyntaxError, "bad.gotmpl: "),
        ("bad.jinja", TemplateSyntaxError, "bad.jinja: "),
        ("latin.gotmpl", UnreadableFile, "not UTF-8"),
        ("Refused", ModelfileRefused, "Refused"),
        ("BadTemplate", TemplateSyntaxError, "BadTemplate: "),
        ("bad.gguf", InvalidGGUF, ""),
        (".", Unsupported, "is a folder"),
    ],
)
def test_bad_sides_say_which_and_why(tmp_path: Path, spec: str, error: type[Exception], words: str) -> None:
    (tmp_path / "bad.gotmpl").write_text("{{ if .X }}")
    (tmp_path / "bad.jinja").write_text("{% if x %}")
    (tmp_path / "latin.gotmpl").write_bytes(b"\xff\xe9")
    (tmp_path / "Refused").write_text("FROM x\nNONSENSE y\n")
    (tmp_path / "BadTemplate").write_text("FROM x\nTEMPLATE {{ if .X }}\n")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF\x03\0\0\0")
    with pytest.raises(error) as caught:
        side(tmp_path, spec)
    assert words in str(caught.value)
