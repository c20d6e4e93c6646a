"""Every command that README and docs show is run, in the order of its page; what stands below a command is what it prints.

``docs_house`` has a stand-in for each thing that a command names. Commands in ``console`` blocks need none: they run in an empty folder.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import pytest
from docs_house import PASSWORD, ROOT, House, house
from docs_readers import BEFORE, FINDS, MEANWHILE, Reader
from ruamel.yaml import YAML

from modelsmith.cli import group
from tests.cli.test_exit_codes import commands
from tests.test_docs import PAGES

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = ("sh", "yml", "toml")
_OWN_TESTS = {"offline.md": "test_offline_day", "team-day.md": "test_team_day"}
"""Pages whose transcripts have a test of their own, under stricter conditions."""
_NOT_PRINTED = {
    "models/          one folder a model": "the layout of a folder",
    "cli/            one module": "the layout of the house",
    "warning: the prompt has 616 tokens": "of a chat that is longer than its context: `test_try` has one",
    "fine     server: Ollama 0.33.0 answers": "of a machine with a card and an Ollama that others reach",
}
"""Blocks of text that no command of their page prints, by their beginning, with the reason."""


def fences(page: Path) -> list[tuple[str, str]]:
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def _recipes() -> dict[str, str]:
    """Return the recipes that stand in the docs, by name."""
    blocks = [text for page in PAGES for language, text in fences(page) if language == "yaml"]
    return {YAML(typ="safe").load(text)["name"]: text for text in blocks}


@pytest.fixture(scope="module")
def a_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with (
        pytest.MonkeyPatch.context() as patch,
        house(tmp_path_factory.mktemp("docs"), _recipes(), patch.setenv) as found,
    ):
        yield found


@pytest.fixture
def reader(a_house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    shutil.copytree(a_house.folder, tmp_path / "here", symlinks=True)
    monkeypatch.setitem(a_house.names, "/home/me", str(tmp_path / "here"))
    (tmp_path / "empty").mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HF_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda _text: PASSWORD)
    monkeypatch.setattr(click.termui, "visible_prompt_func", lambda _text="": "alice")
    with ExitStack() as stack:
        yield Reader(a_house, monkeypatch, stack)


def _has_commands(page: Path) -> bool:
    return any("modelsmith " in text for language, text in fences(page) if language in {*_SHELL, "console", "text"})


@pytest.mark.parametrize(
    "page", [page for page in PAGES if _has_commands(page)], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_what_a_page_shows_is_what_happens(
    page: Path, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if happens := BEFORE.get(page.name):
        happens(reader, tmp_path)
    for language, text in fences(page):
        if language in _SHELL:
            monkeypatch.chdir(tmp_path / "here")
            reader.printed.clear()
            for line in text.splitlines():
                reader.types(line)
        elif language == "console":
            monkeypatch.chdir(tmp_path / "empty")
            reader.printed.clear()
            with monkeypatch.context() as patch:
                patch.setenv("MODELSMITH_STORE", str(tmp_path / "empty" / "models"))
                for line in text.splitlines():
                    reader.runs(line.removeprefix("$ modelsmith "))
        elif language == "text" and page.name not in _OWN_TESTS and not text.startswith(tuple(_NOT_PRINTED)):
            _compare(text, reader, page, tmp_path / "here")


def _compare(text: str, reader: Reader, page: Path, here: Path) -> None:
    """Assert that a block of text is a transcript of what happens, or stands in what the last block printed."""
    if meanwhile := next((happens for begin, happens in MEANWHILE.items() if text.lstrip().startswith(begin)), None):
        meanwhile(reader)
    steps = re.split(r"^\$ modelsmith ", text, flags=re.MULTILINE)
    for step in steps[1:]:
        command, _, output = step.partition("\n")
        reader.monkeypatch.chdir(here)
        reader.printed.clear()
        reader.runs(command.partition(" # ")[0].rstrip(), codes=(0, 1) if FINDS.match(command) else (0,))
        assert _pattern(output).search(_plain(reader.printed[0])), f"{page.name}: {command}\n{reader.printed[0]}"
    if steps[0]:
        shown = _pattern(steps[0])
        assert any(shown.search(_plain(each)) for each in reader.printed), "\n".join([page.name, text, *reader.printed])


_CHANGES = re.compile(r"\d+\.\d+ s\b|\d+\.\d/s|\b[0-9a-f]{12}\b")


def _plain(text: str) -> str:
    """Return a text without what is another one each time."""
    text = _CHANGES.sub("N", text)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _pattern(text: str) -> re.Pattern[str]:
    """Return what finds a block: ``…`` stands for the rest of a line, alone on its line for lines."""
    lines = []
    for line in _plain(text).rstrip().split("\n"):
        if line.strip() == "…":
            lines.append(r"(?:.*\n)*?.*")
        else:
            lines.append(".*".join(map(re.escape, line.rstrip().split("…"))))
    return re.compile("^" + "\n".join(lines), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_says_what_it_is(page: Path) -> None:
    assert "" not in [language for language, _ in fences(page)]


_PROSE = re.compile(r"`modelsmith ([^`]+)`")
EXAMPLES = {
    line.strip().removeprefix("modelsmith ")
    for _, command, _ in commands()
    for line in (command.help or "").splitlines()
    if line.startswith("  modelsmith ")
}


def _in_prose() -> Iterator[str]:
    for page in PAGES:
        for found in _PROSE.finditer(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            yield found[1]


@pytest.mark.parametrize("command", sorted({*_in_prose(), *EXAMPLES}))
def test_a_command_in_prose_or_help_has_these_options(command: str) -> None:
    """Words in capitals stand for something: the command is not run, but it is there, and so are its options."""
    with click.Context(group) as context:
        found: click.Command = group
        words: Sequence[str] = [word for word in re.split(r" \| | > | < ", command)[0].split() if word != "…"]
        while isinstance(found, click.Group) and words and re.fullmatch(r"[a-z-]+", words[0]):
            inner = found.get_command(context, words[0])
            assert inner is not None, words[0]
            found, words = inner, words[1:]
        known = {name for option in found.get_params(context) for name in (*option.opts, *option.secondary_opts)}
        quoted = re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", " ".join(words))
        assert {word.strip("[],.").partition("=")[0] for word in quoted.split() if word.startswith(("-", "[-"))} - {
            "-",
            "[-]",
        } <= known
