"""MSD01, MSD07: calls of Ollama in a Python program: ``ollama.chat(…)``, ``requests.post(URL, json={…})``, ``os.environ["…"] = …``.

Sources: ollama-python ``ollama/_client.py`` (its functions take the fields of the API as named arguments), requests and httpx
(``post(url, json=…)``). The program is parsed, never run.
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from modelsmith.doctor.checks.request import check_fields, check_options, check_url
from modelsmith.doctor.checks.setting import check_setting
from modelsmith.doctor.settings import Form, Owner, Setting
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene

_PATHS = {"chat": "/api/chat", "generate": "/api/generate", "embed": "/api/embed"}
_VERBS = frozenset({"get", "post", "put", "delete"})
_LONGEST = 2_000_000
"""Characters of a program that is parsed."""


def check_python(scene: Scene) -> Iterator[Diagnostic]:
    """Yield what is wrong with the calls of Ollama in a program; one that cannot be parsed is passed over."""
    text = scene.excerpt.text
    if len(text) > _LONGEST or ("ollama" not in text.lower() and ":11434" not in text):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in somebody else's program
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    places = _Places(text)
    clients = _clients(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _call(node, node.func, clients, places, scene)
        elif isinstance(node, ast.Assign):
            yield from _variable(node, places, scene)


class _Places:
    """Where the nodes of a program stand in its text: Python counts the bytes of a line."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def of(self, node: ast.expr | ast.keyword) -> Span:
        """Return the span of a node."""
        start = self._at(node.lineno, node.col_offset)
        return Span(start, max(start, self._at(node.end_lineno or node.lineno, node.end_col_offset or 0)))

    def _at(self, line: int, column: int) -> int:
        if line > len(self._lines):
            return self._starts[-1]
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode(errors="ignore"))


def _clients(tree: ast.AST) -> frozenset[str]:
    """Return the names that hold Ollama's module or one of its clients."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {name.asname or name.name for name in node.names if name.name == "ollama"}
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = ast.unparse(node.value.func)
            if made in {"ollama.Client", "ollama.AsyncClient"}:
                names |= {name.id for name in node.targets if isinstance(name, ast.Name)}
    return frozenset(names)


def _call(
    node: ast.Call, function: ast.Attribute, clients: frozenset[str], places: _Places, scene: Scene
) -> Iterator[Diagnostic]:
    given = {argument.arg: argument for argument in node.keywords if argument.arg}
    if isinstance(function.value, ast.Name) and function.value.id in clients and function.attr in _PATHS:
        spans = {name: _name_of(argument, places) for name, argument in given.items()}
        yield from check_fields(_PATHS[function.attr], spans, scene)
        if "options" in given:
            yield from check_options(_keys(given["options"].value, places))
        return
    url = node.args[0] if node.args else given["url"].value if "url" in given else None
    if function.attr in _VERBS and isinstance(url, ast.Constant) and isinstance(url.value, str):
        yield from _request(url.value, url, function.attr.upper(), given, places, scene)


def _request(
    text: str, url: ast.expr, method: str, given: dict[str, ast.keyword], places: _Places, scene: Scene
) -> Iterator[Diagnostic]:
    try:
        parts = urlsplit(text)
        if parts.port != 11434:
            return
    except ValueError:
        return
    path, body = parts.path.rstrip("/") or "/", given["json"].value if "json" in given else None
    yield from check_url(path, method, places.of(url), scene)
    if isinstance(body, ast.Dict):
        yield from check_fields(path, _keys(body, places), scene)
        for key, value in zip(body.keys, body.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "options" and path.startswith("/api/"):
                yield from check_options(_keys(value, places))


def _name_of(keyword: ast.keyword, places: _Places) -> Span:
    start = places.of(keyword).start
    return Span(start, start + len(keyword.arg or ""))


def _keys(value: ast.expr, places: _Places) -> dict[str, Span]:
    """Return the names in a dictionary that is written out, with their places."""
    if not isinstance(value, ast.Dict):
        return {}
    keys = [key for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return {str(key.value): places.of(key) for key in keys}


def _variable(node: ast.Assign, places: _Places, scene: Scene) -> Iterator[Diagnostic]:
    for target in node.targets:
        if (
            isinstance(target, ast.Subscript)
            and isinstance(target.slice, ast.Constant)
            and isinstance(node.value, ast.Constant)
            and ast.unparse(target.value) in {"os.environ", "environ"}
        ):
            name, value = str(target.slice.value), str(node.value.value)
            spans = places.of(target.slice), places.of(node.value)
            yield from check_setting(Setting(name, spans[0], value, spans[1], Form.SESSION, Owner.OTHER), scene)
