"""Grammars are unambiguous, and their cached tables are used only when they are ours."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lark import Token

from modelsmith.resources import GRAMMARS
from modelsmith.syntax import grammar
from modelsmith.syntax.modelfile_parse import tree_of
from modelsmith.syntax.modelfile_table import INSTRUCTIONS, Shape

SAMPLE = 'FROM m\nSYSTEM """a\nb"""\nMESSAGE user hi\n'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    grammar._load.cache_clear()
    yield tmp_path / "modelsmith" / "grammars"
    grammar._load.cache_clear()


def token_types() -> list[str]:
    return [token.type for token in tree_of(SAMPLE).scan_values(lambda each: isinstance(each, Token))]


def test_the_grammar_has_no_ambiguity() -> None:
    pytest.importorskip("interegular")
    grammar.build((GRAMMARS / "modelfile.lark").read_text(encoding="utf-8"), strict=True)


def test_the_shapes_of_instructions_are_terminals() -> None:
    text = (GRAMMARS / "modelfile.lark").read_text(encoding="utf-8")
    assert f"%declare {' '.join(Shape)}" in text
    assert set(Shape) == {row.shape for row in INSTRUCTIONS.values()}


def test_tables_are_kept_as_json_for_us_alone(cache: Path) -> None:
    built = token_types()
    (file,) = cache.iterdir()
    assert cache.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o077 == 0
    digest, _, content = file.read_text().partition("\n")
    assert len(digest) == 64
    assert set(json.loads(content)) == {"data", "memo"}
    grammar._load.cache_clear()
    assert token_types() == built


def test_the_same_arguments_give_the_same_parser(cache: Path) -> None:
    del cache
    assert grammar.load("modelfile") is grammar.load("modelfile", start=["start"])


@pytest.mark.parametrize("damage", ["content", "digest", "empty", "link", "writable", "folder"])
def test_a_cache_that_is_not_sound_is_not_used(cache: Path, damage: str, tmp_path: Path) -> None:
    built = token_types()
    (file,) = cache.iterdir()
    original = file.read_bytes()
    match damage:
        case "content":
            file.write_bytes(original.replace(b"BARE", b"BORE"))
        case "digest":
            file.write_bytes(b"0" * 64 + original[64:])
        case "empty":
            file.write_bytes(b"")
        case "link":
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
        case "writable":
            file.chmod(0o666)
        case "folder":
            cache.chmod(0o777)
    grammar._load.cache_clear()
    assert token_types() == built
    if damage in {"content", "digest", "empty", "link", "writable"}:
        digest, _, content = file.read_bytes().partition(b"\n")
        assert hashlib.sha256(content).hexdigest().encode() == digest
        assert not file.is_symlink()
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_without_a_cache_it_just_builds(cache: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert token_types()
    assert not cache.exists()


def test_a_cache_path_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modelsmith").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    grammar._load.cache_clear()
    assert token_types()
