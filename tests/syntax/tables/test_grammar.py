"""Grammars are unambiguous, and their cached tables are used only when they are ours."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lark
import pytest

from modelsmith.resources import GRAMMARS
from modelsmith.syntax.modelfile import parse as modelfile_parse
from modelsmith.syntax.modelfile.table import INSTRUCTIONS, Shape

SAMPLE = 'FROM m\nSYSTEM """a\nb"""\nMESSAGE user hi\n'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    yield tmp_path / "modelsmith" / "grammars"
    forget()


def forget() -> None:
    modelfile_parse._parser.cache_clear()


def token_types() -> list[str]:
    items = modelfile_parse.parsed(SAMPLE)
    return [token.type for item in items for token in (item if isinstance(item, list) else [item])]


def test_the_grammar_has_no_ambiguity() -> None:
    pytest.importorskip("interegular")
    text = (GRAMMARS / "modelfile.lark").read_text(encoding="utf-8")
    lark.Lark(text, parser="lalr", lexer="contextual", maybe_placeholders=False, strict=True)


def test_the_shapes_of_instructions_are_terminals() -> None:
    text = (GRAMMARS / "modelfile.lark").read_text(encoding="utf-8")
    assert f"%declare {' '.join(Shape)}" in text
    assert set(Shape) == {row.shape for row in INSTRUCTIONS.values()}


def test_what_lark_computes_is_kept_for_us_alone(cache: Path) -> None:
    built = token_types()
    (file,) = cache.iterdir()
    assert cache.stat().st_mode & 0o777 == 0o700
    kept = file.read_bytes()
    forget()
    assert token_types() == built
    assert file.read_bytes() == kept


def test_lark_is_imported_only_to_parse() -> None:
    code = "import sys; import modelsmith.syntax.modelfile.modelfile; print('lark' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


@pytest.mark.parametrize("damage", ["content", "empty", "cut", "link", "writable", "folder"])
def test_a_cache_that_is_not_sound_is_not_used(cache: Path, damage: str, tmp_path: Path) -> None:
    built = token_types()
    (file,) = cache.iterdir()
    original = file.read_bytes()
    harm = pickle.dumps(Harm(tmp_path / "harmed"))
    first = original.partition(b"\n")[0] + b"\n"
    match damage:
        case "content":
            file.write_bytes(b"0" * 64 + b"\n" + b"no pickle")
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(original[: len(original) // 2])
        case "link":
            (tmp_path / "elsewhere").write_bytes(first + harm)
            file.unlink()
            file.symlink_to(tmp_path / "elsewhere")
        case "writable":
            file.write_bytes(first + harm)
            file.chmod(0o666)
        case "folder":
            file.write_bytes(first + harm)
            cache.chmod(0o777)
    forget()
    assert token_types() == built
    assert not (tmp_path / "harmed").exists()


class Harm:
    """Makes a file when it is read back from a pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_without_owners_of_files_nothing_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "geteuid")
    assert token_types()
    assert not cache.exists()


@pytest.mark.usefixtures("ordinary_user")
def test_without_a_cache_it_just_builds(cache: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert token_types()
    assert not cache.exists()


def test_a_cache_path_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modelsmith").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    assert token_types()
