"""How fast lint is: one file beside a bare interpreter, and many files beside the linter ``owist-modelfile-lint``.

The many files are real ones where a folder of them is given, else twenty made here; they are repeated up to a thousand, and
what modelsmith remembers of a template is forgotten before each repetition. One file is linted as it is where modelsmith is
installed: with compiled modules, and the least of several runs counts on both sides, for the machine may be busy. Both linters run in this process on one core,
after one file to warm up; what the other one finds is not compared.

Usage: python benchmarks/lint.py [folder of Modelfiles] [repetitions]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.lint.document import Document
from modelsmith.lint.run.engine import check
from modelsmith.template.go import template

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_TIMES = 12.0
FILES, AT_LEAST = 1000, 150.0
TEMPLATE = (
    'FROM llama3.2:3b\nPARAMETER temperature 0.7\nPARAMETER stop "<|im_end|>"\nTEMPLATE """'
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
    '"""\nSYSTEM """You are kind."""\n'
)


def wall(command: list[str], environment: dict[str, str]) -> float:
    """Return the wall time of a command."""
    start = time.perf_counter()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def one_file(repetitions: int) -> None:
    """Print the time of one run over one file with a template, in bare interpreters."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Modelfile")
        path.write_text(TEMPLATE, encoding="utf-8")
        command = [sys.executable, "-m", "modelsmith", "lint", str(path)]
        bare = [sys.executable, "-c", "pass"]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(folder, "compiled"))}
        wall(command, environment)
        pairs = [(wall(bare, environment), wall(command, environment)) for _ in range(repetitions)]
        floor, seconds = min(one for one, _ in pairs), min(other for _, other in pairs)
    print(f"one file      {seconds * 1000:7.1f} ms  {seconds / floor:5.2f}x python -c pass  (bound {MOST_TIMES:.0f}x)")


def rate(paths: list[Path], lint: Callable[[Path], object]) -> float:
    """Return files a second."""
    lint(paths[0])
    start = time.process_time()
    for path in paths:
        lint(path)
    return len(paths) / (time.process_time() - start)


def forget() -> None:
    """Empty the memory of parsed templates."""
    template._parse.cache_clear()  # noqa: SLF001  # a benchmark must know what it measures


def many_files(folder: Path | None) -> None:
    """Print files a second of both linters."""
    with tempfile.TemporaryDirectory() as made:
        real = sorted(path for path in folder.iterdir() if path.is_file()) if folder else []
        for number in range(0 if real else 20):
            Path(made, f"{number}.modelfile").write_text(f"# {number}\n{TEMPLATE}", encoding="utf-8")
        found = real or sorted(Path(made).iterdir())
        paths = (found * (FILES // len(found) + 1))[:FILES]

        def lint(path: Path) -> None:
            if path is found[0]:
                forget()
            check(Document.parse(path.read_bytes(), f"{path.name}.modelfile"))

        ours = rate(paths, lint)
        kind = "real" if real else "made"
        print(
            f"{FILES} {kind} files {ours:7.0f} files/s  (bound {AT_LEAST:.0f}/s), one core, {len(found)} different ones"
        )
        try:
            from owist_modelfile_lint.lint_api import lint_text
        except ImportError:
            print("owist-modelfile-lint is not installed: pip install owist-modelfile-lint")
            return
        theirs = rate(paths, lambda path: lint_text(path.read_text(encoding="utf-8", errors="replace")))
    print(f"owist-modelfile-lint {theirs:5.0f} files/s  modelsmith is {ours / theirs:.2f}x as fast")


def main() -> None:
    """Run both."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    one_file(int(sys.argv[2]) if len(sys.argv) > 2 else 15)
    many_files(folder)


if __name__ == "__main__":
    main()
