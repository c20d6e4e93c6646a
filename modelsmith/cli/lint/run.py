"""Lint files: read them, look around them, run the rules, write fixes; one after the other or in several processes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import BinaryFile, ModelsmithError, RecipeError
from modelsmith.files.binary import undecodable
from modelsmith.files.text import check_length, read_text_file, rewrite
from modelsmith.lint.document import Document
from modelsmith.lint.report import Report
from modelsmith.lint.run.engine import check
from modelsmith.lint.surroundings import NOTHING
from modelsmith.records import dataclass
from modelsmith.source import Source
from modelsmith.template.allowance import allow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.lint.settings import Settings
    from modelsmith.lint.surroundings import Surroundings
    from modelsmith.versions import Version

RECIPES = (".yaml", ".yml")
"""Endings of recipes, which are linted where they are named."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to lint: where it is, what it is called in reports, and how.

    ``upgrade`` asks what changes between two versions instead of what is found. ``gguf`` names a model to know instead of the
    one in FROM, ``store`` where models live; ``looks`` says whether the files and models that the text names are looked at.
    ``found`` is True for a file that was found in a folder: where it is no text it is passed by.
    """

    path: Path
    name: str
    settings: Settings
    looks: bool = True
    gguf: str | None = None
    store: str | None = None
    fixes: bool = False
    unsafe: bool = False
    writes: bool = True
    upgrade: tuple[Version, Version] | None = None
    found: bool = False


def run(job: Job) -> Report:
    """Lint one file; what cannot be read becomes a Report that says so."""
    try:
        data = read_text_file(job.path)
        if job.path.suffix.lower() in RECIPES:
            return _recipe(data, job)
        check_length(data, str(job.path), "exclude it with --exclude")
        with allow():
            report, fixed = lint_bytes(data, job)
        if job.writes and fixed != data:
            rewrite(job.path, data, fixed)
    except ModelsmithError as error:
        if job.found and isinstance(error, BinaryFile):
            return Report(Source("", job.name), passed_by=error.message)
        return Report(Source("", job.name), failed=error.message, hint=error.hint)
    return report


def lint_bytes(data: bytes, job: Job, kind: str = "") -> tuple[Report, bytes]:
    """Lint what was read; returns the report and the bytes after the fixes that were asked for.

    ``kind`` is a name whose ending says what the text is, where the job's own name does not.
    """
    document = Document.parse(data, kind or job.name, settings=job.settings)
    if kind:
        document = replace(document, source=Source(document.text, job.name))
    around = _look(document, job)
    if around is not NOTHING:
        document = replace(document, surroundings=around)
    if job.upgrade is not None:
        from modelsmith.lint.upgrade import changes

        return Report(document.source, changes(document, *job.upgrade)), data
    if not job.fixes:
        return Report(document.source, check(document)), data
    from modelsmith.lint.run.fixes import fix

    fixed = fix(document, unsafe=job.unsafe)
    if fixed.applied and (reason := undecodable(fixed.data)):
        place = undecodable(data) or reason
        return Report(document.source, check(document), unwritten=f"{job.name} is not mended: {place}"), data
    report = Report(
        fixed.document.source, fixed.remaining, tuple(diagnostic.code for diagnostic in fixed.applied), document.text
    )
    return report, fixed.data if fixed.applied else data


def _recipe(data: bytes, job: Job) -> Report:
    """Read a recipe as `plan` does, without its inputs."""
    from modelsmith.recipe.read.load import parse_recipe

    text = data.decode("utf-8", "replace")
    try:
        recipe = parse_recipe(data, name=job.name, folder=job.path.absolute().parent)
    except RecipeError as error:
        source = error.source or Source(text, job.name)
        return Report(source, error.diagnostics)
    return Report(recipe.sources[0], recipe.warnings)


def run_all(jobs: Sequence[Job], processes: int) -> Iterator[Report]:
    """Lint many files, in the order in which they are given."""
    if processes <= 1 or len(jobs) < 2 * processes:
        yield from map(run, jobs)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run, jobs, chunksize=max(1, min(32, len(jobs) // (processes * 4))))


def processes(asked: int | None, jobs: Sequence[Job]) -> int:
    """Return how many processes are worth their start: one for a few files, else as many as there are cores."""
    if asked is not None:
        return asked
    return 1 if len(jobs) < 1000 else len(os.sched_getaffinity(0))


def _look(document: Document, job: Job) -> Surroundings:
    if not job.looks and job.gguf is None:
        return NOTHING
    from modelsmith.store.surroundings import look_around

    folder = Path.cwd() if str(job.path) == "-" else job.path.absolute().parent
    return look_around(document.modelfile, folder, gguf=job.gguf, store=job.store, looks=job.looks)
