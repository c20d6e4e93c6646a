"""Grammars are unambiguous, and their cached tables are used only when they are ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelsmith.resources import GRAMMARS
from modelsmith.syntax.modelfile import parse as modelfile_parse
from modelsmith.syntax.modelfile.table import INSTRUCTIONS, Shape
from modelsmith.syntax.tables import grammar

SAMPLE = 'FROM m\nSYSTEM """a\nb"""\nMESSAGE user hi\n'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    yield tmp_path / "modelsmith" / "grammars"
    forget()


def forget() -> None:
    grammar.load.cache_clear()
    modelfile_parse._tables.cache_clear()


def token_types() -> list[str]:
    items = modelfile_parse.parsed(SAMPLE)
    return [token.type for item in items for token in (item if isinstance(item, list) else [item])]


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
    assert len(digest) == 8
    assert set(json.loads(content)) == {"first", "states", "rules", "scanners", "key"}
    forget()
    assert token_types() == built


def test_the_same_arguments_give_the_same_tables(cache: Path) -> None:
    del cache
    assert grammar.load("modelfile") is grammar.load("modelfile")


def test_lark_is_imported_only_to_compute_tables(cache: Path) -> None:
    token_types()
    code = f"import sys; from modelsmith.syntax.modelfile.parse import parsed; parsed({SAMPLE!r}); print('lark' in sys.modules)"
    environment = os.environ | {"XDG_CACHE_HOME": str(cache.parent.parent)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout == "False\n"


@pytest.mark.parametrize("damage", ["content", "digest", "empty", "link", "writable", "folder"])
def test_a_cache_that_is_not_sound_is_not_used(cache: Path, damage: str, tmp_path: Path) -> None:
    built = token_types()
    (file,) = cache.iterdir()
    original = file.read_bytes()
    match damage:
        case "content":
            file.write_bytes(original.replace(b"BARE", b"BORE"))
        case "digest":
            file.write_bytes(b"0" * 8 + original[8:])
        case "empty":
            file.write_bytes(b"")
        case "link":
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
        case "writable":
            file.chmod(0o666)
        case "folder":
            cache.chmod(0o777)
    forget()
    assert token_types() == built
    if damage in {"content", "digest", "empty", "link", "writable"}:
        digest, _, content = file.read_bytes().partition(b"\n")
        assert f"{zlib.crc32(content):08x}".encode() == digest
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
    forget()
    assert token_types()
