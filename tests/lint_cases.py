"""Cases for lint rules: files on disk with what stands around them in a small TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelsmith.lint.document import Document
from modelsmith.lint.settings import Policy, Settings
from modelsmith.lint.surroundings import Model, PathFacts, PathKind, Surroundings
from modelsmith.versions import resolve

FIXTURES = Path(__file__).parent / "lint" / "fixtures"


@dataclass(frozen=True)
class Words:
    """A vocabulary for tests: token texts in order; those of ``control`` are control tokens; a token is four characters."""

    tokens: tuple[str, ...] = ()
    control: tuple[str, ...] = ()

    def id_of(self, text: str) -> int | None:
        every = (*self.control, *self.tokens)
        return every.index(text) if text in every else None

    def is_control(self, token: int) -> bool:
        return token < len(self.control)

    def controls(self) -> Iterable[str]:
        return self.control

    def count(self, text: str) -> int | None:
        return -(-len(text) // 4)


@dataclass(frozen=True)
class Case:
    """One file of a rule's folder."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path.parent.name}-{self.path.stem}"

    def document(self) -> Document:
        """Read it for its rule alone."""
        told: dict[str, Any] = {}
        if (beside := self.path.with_suffix(".toml")).exists():
            told = tomllib.loads(beside.read_text(encoding="utf-8"))
        policy = Policy(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in told.get("policy", {}).items()}
        )
        code = self.path.parent.name.split("_")[0].upper()
        select = ("MS",) if code == "MS001" else (code,)
        settings = Settings(resolve(told.get("target")), select=select, policy=policy)
        return Document.parse(
            self.path.read_bytes(), self.path.name, settings=settings, surroundings=surroundings(told)
        )


def surroundings(told: dict[str, Any]) -> Surroundings:
    """Make what stands in a TOML file: ``[model]``, ``[paths."./x.gguf"]`` (with its own ``model``), ``stored_models``."""
    paths = None
    if "paths" in told:
        paths = {}
        for argument, facts in told["paths"].items():
            values = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
            values["kind"] = PathKind(values.get("kind", "file"))
            if "model" in values:
                values["model"] = model(values["model"])
            paths[argument] = PathFacts(values.pop("path", argument), **values)
    stored = frozenset(told["stored_models"]) if "stored_models" in told else None
    return Surroundings(paths, model(told["model"]) if "model" in told else None, stored)


def model(told: dict[str, Any]) -> Model:
    """Make a model; ``tokens`` and ``control`` give it a vocabulary."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
    words = (
        Words(values.pop("tokens", ()), values.pop("control", ())) if {"tokens", "control"} & values.keys() else None
    )
    if "capabilities" in values:
        values["capabilities"] = frozenset(values["capabilities"])
    if "parameters" in values:
        values["parameters"] = {name: tuple(each) for name, each in values["parameters"].items()}
    return Model(values.pop("name", "base"), vocabulary=words, **values)


def cases() -> list[Case]:
    """Return every case on disk."""
    found = [path for path in FIXTURES.glob("*/*") if path.suffix in (".Modelfile", ".gotmpl")]
    return [Case(path) for path in sorted(found)]
