"""The create request: files found as Ollama finds them, refused as Ollama refuses."""

from __future__ import annotations

import hashlib
import os
import pwd
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from modelsmith.errors import InvalidParameter, ModelfileRefused
from modelsmith.syntax.modelfile.folder import _compiled
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.request import expand_path

GGUF = b"GGUF\x03\0\0\0"
JSON = b"{}"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write(folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def request(folder: Path, text: str) -> dict[str, object]:
    return Modelfile.parse(text).create_request(folder)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ModelfileRefused) as caught:
        request(folder, text)
    return str(caught.value).replace(str(folder), "<dir>")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(os.path.realpath(tmp_path))


def test_keys_have_ollamas_order_and_empty_ones_are_left_out(folder: Path) -> None:
    text = (
        "PARSER p\nRENDERER r\nREQUIRES v0.14\nMESSAGE user a: b\nPARAMETER top_k 4\nPARAMETER stop x\n"
        'PARAMETER stop y\nPARAMETER mirostat 2\nSYSTEM s\nLICENSE l\nLICENSE ""\nTEMPLATE ""\nFROM other\nFROM m\n'
    )
    body = request(folder, text)
    assert list(body) == [
        "model", "from", "license", "system", "parameters", "messages", "renderer", "parser", "requires", "name",
    ]  # fmt: skip
    assert body == {
        "model": "",
        "from": "m",
        "license": ["l", ""],
        "system": "s",
        "parameters": {"stop": ["x", "y"], "top_k": 4},
        "messages": [{"role": "user", "content": "a: b"}],
        "renderer": "r",
        "parser": "p",
        "requires": "0.14",
        "name": "",
    }
    assert Modelfile.parse(text).resolve(folder).ignored == ("mirostat",)


def test_files_are_named_and_hashed(folder: Path) -> None:
    write(folder, a_dot_gguf=GGUF + b"a", b_dot_gguf=GGUF + b"b", sub__c_dot_gguf=GGUF + b"c")
    body = request(folder, "FROM ./a.gguf\nDRAFT sub/c.gguf\nADAPTER b.gguf\nADAPTER sub/c.gguf\n")
    assert body["files"] == {"a.gguf": digest(GGUF + b"a")}
    assert body["draft_files"] == body["adapters"] == {"c.gguf": digest(GGUF + b"c")}
    body = request(folder, f"FROM a.gguf\nFROM {folder}/sub/c.gguf\nFROM m")
    assert body["files"] == {"a.gguf": digest(GGUF + b"a"), "sub/c.gguf": digest(GGUF + b"c")}
    assert body["from"] == "m"


def test_a_resolved_request_has_paths(folder: Path) -> None:
    write(folder, a_dot_gguf=GGUF)
    resolved = Modelfile.parse("FROM a.gguf\nSYSTEM x").resolve(folder)
    assert resolved.files == {"a.gguf": folder / "a.gguf"}
    assert resolved.fields == {"model": "", "system": "x", "name": ""}


def test_a_path_wins_over_a_name(folder: Path) -> None:
    write(folder, mistral__x_dot_gguf=GGUF)
    assert request(folder, "FROM mistral")["files"] == {"x.gguf": digest(GGUF)}


def test_a_missing_path_is_a_name(folder: Path) -> None:
    assert request(folder, "FROM ./out/x.gguf")["from"] == "./out/x.gguf"


def test_safetensors_come_with_their_nested_files(folder: Path) -> None:
    write(
        folder,
        model_dot_safetensors=b"x",
        consolidated_dot_safetensors=b"no",
        config_dot_json=JSON,
        tokenizer_dot_model=b"\0",
        chat_template_dot_jinja=b"{{ x }}",
        sub__config_dot_json=JSON,
        sub__model_dot_safetensors=b"y",
        sub__deep__config_dot_json=JSON,
    )
    (folder / "README.md").write_text("no")
    assert sorted(request(folder, "FROM .")["files"]) == [  # type: ignore[arg-type]
        "chat_template.jinja",
        "config.json",
        "model.safetensors",
        "sub/config.json",
        "sub/model.safetensors",
        "tokenizer.model",
    ]


def test_weights_of_the_wrong_kind_are_skipped(folder: Path) -> None:
    write(
        folder,
        pytorch_model_dot_bin=b"version https://git-lfs",
        a_dot_gguf=b"version https://git-lfs",
        _dot_x_dot_bin=b"\0",
    )
    assert refusal(folder, "FROM .") == "no Modelfile or safetensors files found"
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    assert list(request(folder, "FROM .")["files"]) == ["pytorch_model.bin"]  # type: ignore[call-overload]


def test_json_must_be_text(folder: Path) -> None:
    write(folder, a_dot_gguf=GGUF, config_dot_json=b"\0")
    expected = "invalid content type: expected application/octet-stream for <dir>/config.json"
    assert refusal(folder, "FROM .") == expected


def test_links_out_of_the_folder_are_refused(folder: Path) -> None:
    write(folder, out_dot_gguf=GGUF, cache__x=GGUF, m__config_dot_json=JSON)
    (folder / "cache").rename(folder / ".cache")
    (folder / "m" / "a.gguf").symlink_to("../out.gguf")
    assert refusal(folder, "FROM m") == "insecure path: ../out.gguf"
    (folder / "m" / "a.gguf").unlink()
    (folder / "m" / "a.gguf").symlink_to("../.cache/x")
    assert refusal(folder, "FROM m").startswith("insecure path: ../.cache/x\n\nUse --local-dir")
    (folder / "m" / "a.gguf").unlink()
    write(folder, m__a_dot_gguf=GGUF)
    (folder / "link").symlink_to("m")
    assert refusal(folder, "FROM link") == "insecure path: ../m/a.gguf"
    (folder / "file").symlink_to("m/a.gguf")
    assert request(folder, "FROM file")["files"] == {"file": digest(GGUF)}


def test_a_folder_with_pattern_characters_is_a_pattern(folder: Path) -> None:
    write(folder, **{"b[1]__a_dot_gguf": GGUF})
    assert refusal(folder, "FROM b[1]") == "no Modelfile or safetensors files found"
    write(folder, b1__a_dot_gguf=GGUF)
    assert refusal(folder, "FROM b[1]") == "insecure path: ../b1/a.gguf"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM m\nADAPTER nope", "stat <dir>/nope: no such file or directory"),
        ("FROM m\nDRAFT nope", "stat <dir>/nope: no such file or directory"),
        ("FROM a.gguf/x", "stat <dir>/a.gguf/x: not a directory"),
        ("FROM " + "n" * 300, f"stat <dir>/{'n' * 300}: file name too long"),
        ("FROM a.gguf\nDRAFT ./x/../a.gguf", "DRAFT must not reference the same local path as FROM: <dir>/a.gguf"),
        ("FROM m\nDRAFT a.gguf\nFROM link", "DRAFT must not reference the same local path as FROM: <dir>/link"),
        ("FROM m\nREQUIRES >=0.14", "requires must be a valid semver (e.g. 0.14.0)"),
        ("FROM ~nobody-here/x", "failed to find user 'nobody-here': user: unknown user nobody-here"),
        ("FROM ", "no Modelfile or safetensors files found"),
        ("SYSTEM x", "no FROM line"),
    ],
)
def test_refusals(folder: Path, text: str, message: str) -> None:
    write(folder, a_dot_gguf=b"version https://git-lfs")
    (folder / "link").symlink_to("a.gguf")
    assert refusal(folder, text) == message


def test_a_refused_modelfile_names_the_line(folder: Path) -> None:
    with pytest.raises(ModelfileRefused) as caught:
        request(folder, "FROM m\n\nBAD x")
    assert caught.value.line == 3


@pytest.mark.parametrize("value", ["inf", "-Inf", "nan"])
def test_numbers_that_json_has_not(folder: Path, value: str) -> None:
    with pytest.raises(InvalidParameter, match=r"json: unsupported value: (\+Inf|-Inf|NaN)"):
        request(folder, f"FROM m\nPARAMETER temperature {value}")


def test_pipes_and_devices_are_not_read(folder: Path) -> None:
    os.mkfifo(folder / "pipe.gguf")
    assert refusal(folder, "FROM pipe.gguf") == "<dir>/pipe.gguf is not a regular file"
    assert refusal(folder, "FROM /dev/zero") == "/dev/zero is not a regular file"
    assert refusal(folder, "FROM .") == "no Modelfile or safetensors files found"


@pytest.mark.usefixtures("ordinary_user")
def test_files_that_may_not_be_read(folder: Path) -> None:
    write(folder, a_dot_gguf=GGUF)
    (folder / "a.gguf").chmod(0)
    assert refusal(folder, "FROM a.gguf") == "open <dir>/a.gguf: permission denied"


@pytest.mark.parametrize(
    ("version", "is_one"),
    [
        ("1", True), ("0.14", True), ("v0.14.0", True), ("0.14.0-rc1+b.01", True), ("1.2.3-0a", True), ("1.2.3+01", True),
        ("", False), ("01", False), ("1.2-rc", False), ("1.2.3-01", False), ("1.2.3-", False), ("1.2.3.4", False),
        (">=1", False), ("vv1", False), ("1.2.3+", False),
    ],
)  # fmt: skip
def test_versions_that_requires_accepts(folder: Path, version: str, is_one: bool) -> None:
    text = f"FROM m\nREQUIRES {version}"
    if is_one:
        assert request(folder, text)["requires"] == version.removeprefix("v")
    else:
        assert refusal(folder, text).startswith("requires must be")


def test_paths() -> None:
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert expand_path("a/../b", "/base") == "/base/b"
    assert expand_path("", "/base") == "/base"
    assert expand_path("//x//y/", "/base") == "/x/y"
    assert expand_path("~", "/base") == home
    assert expand_path("~/x", "/base") == f"{home}/x"
    assert expand_path("~root/x", "/base") == f"{pwd.getpwnam('root').pw_dir}/x"
    assert expand_path("\\x", "/base") == f"{Path.cwd()}/\\x"


def test_stars_in_names_of_folders_take_no_time() -> None:
    """Python tries every way to share a name among stars: these would take years."""
    pattern = _compiled("*a" * 30 + "b")
    assert pattern is not None
    assert not pattern.fullmatch("a" * 250)
    assert pattern.fullmatch("a" * 250 + "b")
    for name in ("model*.safetensors", "*a?[bc]*c", "*", "a**b"):
        compiled = _compiled(name)
        assert compiled is not None
        for text in ("model-1.safetensors", "model.safetensors.bak", "xaybzc", "aab", "ab", "a", ""):
            assert bool(compiled.fullmatch(text)) == fnmatchcase(text, name), (name, text)
