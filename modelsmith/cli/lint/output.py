"""Run lint over files or stdin, and put its findings where they were asked for."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.lint.run import lint_bytes, processes, run_all
from modelsmith.cli.lint.view import (
    show_diff,
    show_failure,
    show_findings,
    show_statistics,
    show_summary,
    show_unwritten,
)
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.outputs import write_output
from modelsmith.errors import ModelsmithError, UnreadableFile, UsageError, system_errors
from modelsmith.files.text import check_stdin
from modelsmith.lint.report import Report, reaches
from modelsmith.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.cli.lint.options import LintOptions
    from modelsmith.versions import Version

FINE, FINDINGS, FAILED = 0, 1, 3


def lint_files(options: LintOptions, upgrade: tuple[Version, Version] | None = None) -> int:
    """Lint the files that the options name, or list what changes for them between two versions; returns the exit code."""
    failed: list[Report] = []
    jobs = options.jobs(lambda error: failed.append(Report(Source("", ""), failed=error.message, hint=error.hint)))
    if upgrade is not None:
        jobs = [replace(job, upgrade=upgrade) for job in jobs]
    if not jobs and not failed and not options.quiet:
        click.echo(f"no Modelfile or template found in {', '.join(options.paths)}", err=True)
    if jobs:
        _check_store(options)
    read = [*run_all(jobs, processes(options.processes, jobs))]
    reports = [*(report for report in read if not report.passed_by), *failed]
    if not options.quiet:
        for report in read:
            if report.passed_by:
                click.echo(printable(f"passed by: {report.passed_by}"), err=True)
    if options.diff:
        for report in reports:
            show_diff(report)
    return _finish(reports, options, to_stderr=options.diff)


def lint_stdin(options: LintOptions) -> int:
    """Lint what comes in on stdin; with --fix the text goes to stdout and the findings to stderr."""
    data = b"" if sys.stdin is None else sys.stdin.buffer.read()
    check_stdin(data)
    name = options.stdin_filename or "Modelfile"
    job = options.job(Path(name) if options.stdin_filename else Path("-"), options.stdin_filename or "<stdin>")
    _check_store(options)
    report, after = lint_bytes(data, job, name)
    if options.diff:
        show_diff(report)
    elif options.fixes:
        sys.stdout.flush()
        sys.stdout.buffer.write(after)
        sys.stdout.buffer.flush()
    return _finish([report], options, to_stderr=options.changes)


def _check_store(options: LintOptions) -> None:
    """Say once which models are not looked up: those of a server, which --store must name, or of a store that is not there.

    Raises StoreError or ServerError where --store names one that cannot be used.
    """
    from modelsmith.store.environment import variable
    from modelsmith.store.open import named_server, open_existing_store

    if options.text_only:
        return
    if options.where is not None:
        open_existing_store(options.where)
    elif variable("MODELSMITH_STORE"):
        try:
            open_existing_store()
        except ModelsmithError as error:
            click.echo(printable(f"note: models that FROM names are not looked up: {error.message}"), err=True)
    elif not options.quiet and (host := named_server()):
        click.echo(
            f"note: OLLAMA_HOST={host} is not asked, so models that FROM names are not looked up; --store does",
            err=True,
        )


def _finish(reports: Sequence[Report], options: LintOptions, *, to_stderr: bool) -> int:
    if options.write_baseline is not None:
        from modelsmith.lint.run.baseline import write_baseline

        _save(options.write_baseline, write_baseline(reports), options, _is_baseline)
        count = sum(len(report.diagnostics) for report in reports)
        click.echo(f"{options.write_baseline} holds {count} finding{'' if count == 1 else 's'}", err=True)
        if options.baseline_file is None:
            way = f'--baseline {options.write_baseline}, or baseline = "{options.write_baseline}" below [lint] in modelsmith.toml'
            click.echo(f"  hint: lint leaves them out with {way}", err=True)
        return FAILED if any(report.failed for report in reports) else FINE
    if (path := options.baseline_file) is not None:
        from modelsmith.lint.run.baseline import read_baseline, without_old

        reports = without_old(reports, read_baseline(_load(path), str(path)))
    if options.form != "text":
        from modelsmith.lint.formats import is_written_as, write

        text = write(options.form, reports)
        if options.output is not None:
            _save(options.output, text, options, partial(is_written_as, options.form))
        else:
            click.echo(text, nl=False, err=to_stderr)
    elif options.statistics:
        show_statistics(reports)
    else:
        _show_text(reports, options, to_stderr=to_stderr)
    for report in reports:
        if report.failed:
            show_failure(report)
        if report.unwritten:
            show_unwritten(report)
    if not options.quiet:
        show_summary(reports, fixes=options.changes)
    return exit_code(reports, options)


def exit_code(reports: Sequence[Report], options: LintOptions) -> int:
    """Return 3 where a file failed, 1 where something is at least as bad as asked for, else 0."""
    if any(report.failed for report in reports):
        return FAILED
    bad = any(reaches(report, options.threshold) for report in reports)
    return FINDINGS if bad and not options.exit_zero else FINE


def _show_text(reports: Sequence[Report], options: LintOptions, *, to_stderr: bool) -> None:
    if options.output is None:
        for report in reports:
            show_findings(report, err=to_stderr)
        return
    from modelsmith.cli.lint.view import findings_text

    _save(options.output, click.unstyle("".join(findings_text(report) for report in reports)), options)


def _save(path: Path, text: str, options: LintOptions, is_ours: Callable[[bytes], bool] | None = None) -> None:
    """Write a file of findings; into a pipe or a device, such as /dev/stdout, as it comes."""
    data = text.encode("utf-8", errors="backslashreplace")
    if path.exists() and not path.is_file() and not path.is_dir():
        with system_errors():
            path.write_bytes(data)
        return
    option = "--output" if path == options.output else "--write-baseline"
    write_output(path, data, force=options.force, option=option, is_ours=is_ours)


def _is_baseline(data: bytes) -> bool:
    from modelsmith.lint.run.baseline import read_baseline

    try:
        read_baseline(data.decode(), "")
    except (UsageError, UnicodeDecodeError):
        return False
    return True


def _load(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UnreadableFile(
            f"the baseline {path} does not exist", hint=f"write it with `modelsmith lint --write-baseline {path}`"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"the baseline {path} cannot be read: {error}", hint="check the path") from error
