"""The pure core runs anywhere: on Windows and in a browser, where there are no threads, no POSIX modules and no native packages.

It is ``syntax``, ``template``, ``lint``, ``fmt`` and the reader of a GGUF's header, with all that they import.
"""

from __future__ import annotations

import ast
import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.test_architecture import graph, module_name, modules, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CORE = ("modelsmith.syntax", "modelsmith.template", "modelsmith.lint", "modelsmith.fmt", "modelsmith.weights.gguf.read")
ALLOWED = {"lark", "jinja2"}  # pure Python; jinja2 is the second opinion, imported when it is asked
POSIX = {"fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
PROCESSES = {"_thread", "asyncio", "concurrent", "multiprocessing", "queue", "socket", "subprocess", "threading"}


def core() -> set[str]:
    """Every module of the core, and all that they import anywhere in their text."""
    edges = graph()
    found = {module for module in edges if module.startswith(CORE)}
    reached = list(found)
    while reached:
        for target in edges[reached.pop()]:
            if target not in found:
                found.add(target)
                reached.append(target)
    return found


def bare_imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The packages that a module imports without saying what happens where there are none."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Try) and any("ImportError" in ast.unparse(part.type or node) for part in node.handlers):
            todo += [*node.orelse, *node.finalbody]
        elif isinstance(node, ast.If) and "sys.platform" in ast.unparse(node.test):
            continue
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
        elif isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).split(".")[0], node.lineno
        else:
            todo += ast.iter_child_nodes(node)


def wrong(trees: dict[str, ast.AST]) -> list[str]:
    """Say of every import of these modules that does not work everywhere which it is."""
    portable = sys.stdlib_module_names - POSIX - PROCESSES
    return [
        f"{module}, line {line}: imports {package}, which the pure core must do without"
        for module, tree in sorted(trees.items())
        for package, line in bare_imports(tree)
        if package not in portable | ALLOWED | {"modelsmith"}
    ]


def test_the_core_imports_nothing_that_is_not_everywhere() -> None:
    inside = core()
    found = wrong({module_name(path): parsed(path) for path in modules() if module_name(path) in inside})
    assert not found, "\n".join(found)


def test_the_check_sees_a_wrong_import() -> None:
    text = (
        "def lock():\n    import fcntl\nfrom numpy.lib import x\ntry:\n    import pwd\nexcept ImportError:\n    pass\n"
    )
    assert wrong({"a": ast.parse(text)}) == [
        "a, line 3: imports numpy, which the pure core must do without",
        "a, line 2: imports fcntl, which the pure core must do without",
    ]


ELSEWHERE = """
import hashlib, logging, os, pathlib, sys, threading
import lark
from importlib.abc import MetaPathFinder

class Nowhere(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"there is no {{name}} here", name=name)

def no_threads(self):
    raise RuntimeError("can't start new thread")

for name in {absent!r}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Nowhere())
threading.Thread.start = no_threads
for name in {missing!r}:
    delattr(os, name)
os.O_BINARY = os.O_NOINHERIT = 0
sys.platform = {platform!r}

from modelsmith import ChatTemplate, Conversation, Modelfile, Template, lint
from modelsmith.fmt.format import format_bytes
from modelsmith.weights.gguf.read.reader import scan_file

chat = Conversation.from_dict({{"messages": [{{"role": "user", "content": "Hi"}}]}})
text = "from x\\nPARAMETER num_ctx 1\\nPARAMETER temprature 1\\n"
print(Template.parse("{{{{ range .Messages }}}}{{{{ .Content }}}}!{{{{ end }}}}").render(chat))
print(ChatTemplate.parse("{{% for m in messages %}}{{{{ m.content }}}}?{{% endfor %}}").render(chat))
print(*(command.name for command in Modelfile.parse(text).as_ollama().commands))
print(Modelfile.parse('FROM ~/no-such-model').create_request('/nowhere')['from'])
print(*sorted({{found.code for found in lint(text)}}))
print(format_bytes(b"from x", "Modelfile").decode().strip())
print(scan_file(pathlib.Path({gguf!r})).header.version)
"""
ABSENT = sorted({*POSIX, "numpy", "gguf", "safetensors", "httpx2", "huggingface_hub", "pydantic", "click", "rich"})
MISSING = {
    "emscripten": ["fork", "sched_getaffinity"],
    "win32": ["pread", "preadv", "geteuid", "getuid", "O_NONBLOCK", "O_CLOEXEC", "fork", "sched_getaffinity"],
}


@pytest.mark.parametrize("platform", MISSING)
def test_the_core_works_where_they_are_missing(platform: str, tmp_path: Path) -> None:
    gguf = tmp_path / "tiny.gguf"
    gguf.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 0))
    code = ELSEWHERE.format(absent=ABSENT, missing=MISSING[platform], platform=platform, gguf=str(gguf))
    environment = os.environ | {"XDG_CACHE_HOME": os.devnull}  # nothing can be written
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert not result.stderr
    assert result.stdout.splitlines() == [
        "Hi!",
        "Hi?",
        "model num_ctx temprature",
        "~/no-such-model",
        "MS201 MS508",
        "FROM x",
        "3",
    ]
