"""``modelsmith verify``: the promises of a recipe, those about answers too, or what may be expected of any model."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.cli.running.options import RunOptions, run_options
from modelsmith.cli.running.verify_subject import is_recipe, model_subject, recipe_subject
from modelsmith.cli.running.verify_view import FORMATS, Verified, is_ours, show_head, show_sum, tell, written
from modelsmith.cli.shared.complete import complete_models_or_files
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import PlanOptions
from modelsmith.cli.shared.outputs import force_option, write_output
from modelsmith.cli.shared.progress import progress_bars
from modelsmith.errors import ModelsmithError, UnreadableFile, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.cli.running.verify_subject import Subject
    from modelsmith.engines.protocol import InferenceEngine
    from modelsmith.recipe.prove.answers import CheckedAsk

_file = partial(click.Path, path_type=Path, dir_okay=False)


@click.command("verify")
@click.argument("target", metavar="RECIPE|MODEL", shell_complete=complete_models_or_files)
@click.option(
    "--set", "settings", multiple=True, metavar="INPUT=VALUE", help="Give an input of the recipe; repeatable."
)
@click.option("--profile", metavar="NAME", default="", help="Lay a profile of the recipe over it.")
@click.option("--record", type=_file(), metavar="FILE", help="Keep the answers in FILE (JSON Lines), for --replay.")
@click.option("--replay", type=InputFile(), metavar="FILE", help="Take the answers from FILE: no model is run.")
@click.option(
    "--from-lock", is_flag=True, help="Take the base from the lock, with --replay: no model is needed at all."
)
@click.option(
    "--lock-file", type=InputFile(), metavar="FILE", help="The lock. Default: modelsmith.lock in this folder."
)
@click.option(
    "--target-ollama", metavar="VERSION", help="The Ollama that serves it. Default: the server's, else the newest."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How it is printed."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-o", "--output", type=_file(), metavar="FILE", help="Print it into this file.")
@click.option("--junit", type=_file(), metavar="FILE", help="Write JUnit's XML into FILE, too.")
@force_option
@run_options
def command(
    options: RunOptions,
    target: str,
    settings: tuple[str, ...],
    profile: str,
    record: Path | None,
    replay: Path | None,
    from_lock: bool,
    lock_file: Path | None,
    target_ollama: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
    junit: Path | None,
    force: bool,
) -> int:
    r"""Check the promises of RECIPE, and ask its model what `expect` has to `ask`; or check MODEL for what any model should do.

    Exit code 1: a promise is broken; 3: the model could not be asked, or a recording no longer fits.

    \b
    Examples:
      modelsmith verify ./my-recipe.yaml --set base=qwen3:8b
      modelsmith verify ./my-recipe.yaml --on embedded --record answers.jsonl
      modelsmith verify ./my-recipe.yaml --replay answers.jsonl --junit out.xml
      modelsmith verify deepseek-r1:8b --json
    """
    if replay is not None and (record is not None or options.on):
        raise UsageError("--replay runs no model", hint=f"leave {'--record' if record else '--on'} out")
    form = "json" if as_json else form
    _check_places({record: "record", junit: "junit", output: form}, force=force)
    quiet = form != "text" or output is not None
    with progress_bars(enabled=not quiet) as progress:
        if is_recipe(target):
            stores = (options.where,) if options.where else ()
            plan_options = PlanOptions(
                (target,), settings, stores, target_ollama=target_ollama, lock_file=lock_file, profile=profile
            )
            subject = recipe_subject(options, plan_options, progress, from_lock=from_lock)
        elif settings or profile or from_lock or lock_file is not None:
            raise UsageError(f"{target} is no recipe: --set and the lock have no place", hint="recipes end in .yaml")
        else:
            subject = model_subject(options, target, target_ollama, progress)
        if not quiet:
            show_head(target, subject.promises)
        engine, asked = _ask_all(subject, replay, record, force=force, quiet=quiet)
    verified = Verified(target, engine, subject.promises, asked)
    if junit is not None:
        write_output(
            junit, written("junit", verified), force=force, option="--junit", is_ours=partial(is_ours, "junit")
        )
    if output is not None:
        write_output(output, written(form, verified), force=force, option="--output", is_ours=partial(is_ours, form))
    elif form != "text":
        click.echo(written(form, verified).decode(), nl=False)
    else:
        show_sum(verified)
    return verified.exit_code


def _check_places(files: Mapping[Path | None, str], *, force: bool) -> None:
    """Raise UsageError before a model is asked: what cannot be written at the end would cost its answers."""
    from modelsmith.engines.recording import is_recording
    from modelsmith.files.outputs import check_output

    for path, form in files.items():
        if path is not None:
            check_output(path, force=force, is_ours=is_recording if form == "record" else partial(is_ours, form))


def _ask_all(
    subject: Subject, replay: Path | None, record: Path | None, *, force: bool, quiet: bool
) -> tuple[str, tuple[CheckedAsk, ...]]:
    """Ask what there is to ask; return what answered, and the answers. An engine that is not there is the error of the first."""
    from modelsmith.engines.recording import Recorder, is_recording
    from modelsmith.recipe.prove.answers import CheckedAsk, ask_all

    if not subject.asks:
        if replay is not None:
            _recorded(subject, replay)  # one that cannot be read is an error, though nothing is asked of it
        return "", ()
    show = (lambda _asked: None) if quiet else tell
    try:
        engine = _running(subject) if replay is None else _recorded(subject, replay)
    except (UsageError, UnreadableFile):
        raise
    except ModelsmithError as error:
        failed = (CheckedAsk(subject.asks[0], (), error=error), *(CheckedAsk(ask, ()) for ask in subject.asks[1:]))
        for checked_ask in failed:
            show(checked_ask)
        return "", failed
    recorder = Recorder(engine, subject.known)
    with closing(recorder):
        asked = ask_all(subject.asks, recorder if record is not None else engine, show)
    if record is not None and any(checked_ask.answer is None for checked_ask in asked):
        click.echo(f"note: {record} was not written: not every question has an answer", err=True)
    elif record is not None:
        write_output(record, recorder.written(), force=force, option="--record", is_ours=is_recording)
    return engine.location, asked


def _running(subject: Subject) -> InferenceEngine:
    choice = subject.run()
    for note in choice.notes:
        click.echo(f"note: {printable(note)}", err=True)
    return choice.engine


def _recorded(subject: Subject, path: Path) -> InferenceEngine:
    from modelsmith.engines.recording import RecordingEngine

    return RecordingEngine.open(path, subject.name, subject.known)
