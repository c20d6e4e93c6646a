"""What ``modelsmith lint`` is asked for: the command line over the project's configuration."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.cli.lint.config import Project, project
from modelsmith.cli.lint.run import Job
from modelsmith.cli.shared.find_files import find_files
from modelsmith.diagnostic import Severity
from modelsmith.errors import UsageError
from modelsmith.lint.config import codes
from modelsmith.records import dataclass
from modelsmith.versions import NEWEST, Version, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.errors import ModelsmithError


@dataclass(frozen=True, slots=True)
class LintOptions:
    """The options of the command line, by their names there."""

    paths: tuple[str, ...]
    fixes: bool
    unsafe: bool
    diff: bool
    form: str
    output: Path | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    target_ollama: str | None
    gguf: str | None
    where: str | None
    text_only: bool
    exclude: tuple[str, ...]
    fail_on: str | None
    exit_zero: bool
    statistics: bool
    stdin_filename: str | None
    config: Path | None
    baseline: Path | None
    write_baseline: Path | None
    force: bool
    upgrade_from: str | None
    to: str | None
    processes: int | None
    quiet: bool

    @classmethod
    def of(cls, *, as_json: bool, jobs: int | None, **values: Any) -> LintOptions:
        """Take the values that click read; raises UsageError for options that do not go together."""
        paths = values.pop("paths") or (".",)
        form = "json" if as_json else values.pop("form")
        values.pop("form", None)
        known = {field.name for field in fields(cls)}
        options = cls(
            paths=paths, form=form, processes=jobs, **{key: value for key, value in values.items() if key in known}
        )
        options.check()
        return options

    def check(self) -> None:
        """Raise UsageError for options that do not go together."""
        if self.unsafe and not (self.fixes or self.diff):
            raise UsageError("--unsafe-fixes says what --fix may do", hint="add --fix, or --diff to see it first")
        if "-" in self.paths and len(self.paths) > 1:
            raise UsageError("- is stdin and stands alone", hint="lint stdin and files in two runs")
        if self.stdin_filename and "-" not in self.paths:
            raise UsageError("--stdin-filename is the name of stdin, which is not linted", hint="add -")
        if self.to and self.upgrade_from is None:
            raise UsageError("--to belongs to --upgrade-from", hint="use --target-ollama to lint for a version")
        if self.statistics and self.form != "text":
            raise UsageError(f"--statistics is text, not {self.form}", hint="leave --format out")

    @property
    def changes(self) -> bool:
        """Whether fixes are made, if only to show them."""
        return self.fixes or self.diff

    def project(self, start: Path) -> Project:
        """Return the project that a file belongs to, with what the command line says instead."""
        found = project(start, self.config)
        said: dict[str, Any] = {}
        if self.select:
            said["select"] = codes(_split(self.select), "--select")
        if self.ignore:
            said["ignore"] = (*found.config.ignore, *codes(_split(self.ignore), "--ignore"))
        if self.target_ollama:
            said["target_ollama"] = version(self.target_ollama)
        return replace(found, config=replace(found.config, **said)) if said else found

    def jobs(self, refused: Callable[[ModelsmithError], None]) -> list[Job]:
        """Find the files, each with the configuration that counts for it; what cannot be read goes to ``refused``."""
        jobs: dict[Path, Job] = {}
        for path in self.paths:
            top = self.project(_folder(Path(path)))
            for file in find_files([path], exclude=(*top.config.exclude, *self.exclude), refused=refused):
                jobs.setdefault(file.absolute(), replace(self.job(file, str(file)), found=file != Path(path)))
        return list(jobs.values())

    def job(self, path: Path, name: str) -> Job:
        """Return the job of one file."""
        owner = self.project(_folder(path))
        return Job(
            path,
            name,
            owner.config.settings(owner.relative(path)),
            looks=not self.text_only,
            gguf=self.gguf,
            store=self.where,
            fixes=self.changes,
            unsafe=self.unsafe,
            writes=self.fixes and not self.diff,
        )

    @property
    def threshold(self) -> Severity:
        """The severity from which on findings make the command fail."""
        return Severity(self.fail_on) if self.fail_on else self.project(_folder(Path(self.paths[0]))).config.fail_on

    @property
    def baseline_file(self) -> Path | None:
        """The baseline that counts: the option's, else the configuration's."""
        if self.baseline is not None:
            return self.baseline
        owner = self.project(_folder(Path(self.paths[0])))
        return owner.root / owner.config.baseline if owner.config.baseline else None


def version(text: str) -> Version:
    """Read a version of Ollama; ``latest`` is the newest known."""
    return NEWEST if text == "latest" else resolve(text)


def _folder(path: Path) -> Path:
    if str(path) == "-":
        return Path.cwd()
    return path if path.is_dir() else path.absolute().parent


def _split(texts: tuple[str, ...]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]
