"""What the language server has done in a process of its own, which may be stopped: lint, fixes, formatting, models.

The process reads jobs from stdin and writes results to stdout, each as its length and a pickle, until stdin ends. What is
wrong in here ends the process, and the server starts another one: see ``lsp_worker``.
"""

from __future__ import annotations

import os
import pickle
import re
import sys
import time
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal

from modelsmith.errors import ModelsmithError, TemplateSyntaxError
from modelsmith.source import Source, Span

if TYPE_CHECKING:
    from modelsmith.cli.lint.config import Project
    from modelsmith.cli.lsp.options import Options
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.document import Document
    from modelsmith.lint.surroundings import Surroundings
    from modelsmith.source import Edit

Language = Literal["modelfile", "gotmpl", "jinja"]
_NAMES = {"modelfile": "Modelfile", "gotmpl": "template.gotmpl", "jinja": "template.jinja"}
_FRESH_SECONDS = 2.0
"""So long what was seen on the disk is believed while somebody types."""

_around: dict[tuple[object, ...], tuple[float, Surroundings]] = {}


@dataclass(frozen=True, slots=True)
class Job:
    """A text and all that is to be known of it; ``path`` is None for one that was never saved."""

    text: str
    language: Language
    path: Path | None
    options: Options


@dataclass(frozen=True, slots=True)
class Findings:
    """What is found in a text; ``problems`` is what keeps the configuration from being used."""

    diagnostics: tuple[Diagnostic, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be changed in a text, or why nothing can be."""

    edits: tuple[Edit, ...] = ()
    problem: str = ""


def parse(text: str, language: Language) -> Document:
    """Return a text as the rules see it."""
    from modelsmith.lint.document import Document

    return Document.parse(text, _NAMES[language])


def warm_up() -> None:
    """Import what the first text will need."""
    from modelsmith.lint.rules import all_rules

    parse("", "modelfile")
    all_rules()


def check(job: Job) -> Findings:
    """Lint a text as ``modelsmith lint`` would lint the file."""
    if job.language == "jinja":
        return Findings(tuple(_check_jinja(job.text)))
    from modelsmith.lint.run.engine import check as run

    project, problems = _project(job)
    if project is not None and job.path is not None and _is_excluded(project, job.path):
        return Findings()
    document = _document(job, project)
    around, more = look(document, job)
    found = run(replace(document, surroundings=around))
    return Findings(_new(found, document, job, project), (*problems, *more))


def fix(job: Job) -> Result:
    """Apply every safe fix until none is left."""
    from modelsmith.lint.editor.changes import changes
    from modelsmith.lint.run.fixes import fix as run

    project, _ = _project(job)
    document = _document(job, project)
    try:
        fixed = run(replace(document, surroundings=look(document, job)[0]))
    except ModelsmithError as error:
        return Result(problem=error.message)
    return Result(changes(job.text, fixed.document.text))


def layout(job: Job) -> Result:
    """Give a text its one layout."""
    from modelsmith.fmt.format import format_modelfile, format_template
    from modelsmith.lint.editor.changes import changes
    from modelsmith.syntax.modelfile.modelfile import Modelfile

    try:
        if job.language == "gotmpl":
            return Result(changes(job.text, format_template(job.text)))
        modelfile = format_modelfile(Modelfile.parse(job.text), templates=job.options.format_templates)
    except ModelsmithError as error:
        return Result(problem=error.message + (f"; {error.hint}" if error.hint else ""))
    return Result(changes(job.text, str(modelfile)))


def _document(job: Job, project: Project | None) -> Document:
    """Return the document with its own name and with the settings that count: the editor's over the project's."""
    document = parse(job.text, job.language)
    settings = document.settings
    if project is not None:
        name = project.relative(job.path) if job.path else document.source.name
        settings = project.config.settings(name)
    said: dict[str, Any] = {}
    if job.options.target_ollama is not None:
        said["target"] = job.options.target_ollama
    if job.options.select:
        said["select"] = job.options.select
    if job.options.ignore:
        said["ignore"] = (*settings.ignore, *job.options.ignore)
    source = Source(document.text, str(job.path)) if job.path else document.source
    return replace(document, settings=replace(settings, **said), source=source)


def _project(job: Job) -> tuple[Project | None, tuple[str, ...]]:
    from modelsmith.cli.lint.config import forget, project

    forget()
    try:
        return project(job.path.parent if job.path else Path.cwd()), ()
    except ModelsmithError as error:
        return None, (error.message,)


def _is_excluded(project: Project, path: Path) -> bool:
    shown = PurePath(project.relative(path))
    texts = [text.casefold() for text in (*shown.parts, shown.as_posix())]
    return any(
        fnmatchcase(text, pattern.rstrip("/").casefold()) for pattern in project.config.exclude for text in texts
    )


def _new(
    found: tuple[Diagnostic, ...], document: Document, job: Job, project: Project | None
) -> tuple[Diagnostic, ...]:
    """Return the findings that are not in the project's baseline."""
    if project is None or not project.config.baseline or job.path is None:
        return found
    from modelsmith.lint.report import Report
    from modelsmith.lint.run.baseline import read_baseline, without_old

    path = project.root / project.config.baseline
    try:
        old = read_baseline(path.read_text(encoding="utf-8"), str(path))
    except (ModelsmithError, OSError, UnicodeDecodeError):
        return found
    report = Report(Source(document.text, project.relative(job.path)), found)
    return without_old([report], old)[0].diagnostics


def look(document: Document, job: Job) -> tuple[Surroundings, tuple[str, ...]]:
    """Return what is around a text, and why it could not be looked at."""
    from modelsmith.lint.surroundings import NOTHING

    if job.options.text_only or job.path is None or document.modelfile is None:
        return NOTHING, ()
    from modelsmith.store.surroundings import look_around

    names = tuple(instruction.value for key in ("FROM", "ADAPTER", "DRAFT") for instruction in document.find(key))
    key = (names, job.path.parent, job.options.store)
    seen, around = _around.get(key, (0.0, NOTHING))
    if time.monotonic() - seen < _FRESH_SECONDS and seen:
        return around, ()
    try:
        around = look_around(document.modelfile, job.path.parent, store=job.options.store)
    except ModelsmithError as error:
        return NOTHING, (error.message,)
    _around.clear()
    _around[key] = (time.monotonic(), around)
    return around, ()


def _check_jinja(text: str) -> list[Diagnostic]:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.template.jinja.template import ChatTemplate

    try:
        ChatTemplate.parse(text)
    except TemplateSyntaxError as error:
        line = _line(text, error.line or 1)
        return [Diagnostic("jinja-syntax", error.message, line, hint=error.hint)]
    return []


def _line(text: str, number: int) -> Span:
    """Return a line without the blanks around it; Jinja names no column."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    number = min(number, len(lines))
    start, line = sum(map(len, lines[: number - 1])), lines[number - 1]
    start += len(line) - len(line.lstrip())
    return Span(start, start + len(line.strip()))


def main() -> None:
    """Do jobs until stdin ends."""
    jobs = sys.stdin.buffer
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # whatever prints must not come between the results
    while head := jobs.read(8):
        function, arguments = pickle.loads(jobs.read(int.from_bytes(head)))  # noqa: S301  # from the server that started this
        data = pickle.dumps(function(*arguments))
        results.write(len(data).to_bytes(8) + data)
        results.flush()
