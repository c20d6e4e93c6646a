"""One question to a model and what is said about the answer: speed, sizes, and what was cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.failure import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.engines.answer import Answer
    from modelsmith.engines.choose import Choice
    from modelsmith.engines.protocol import AnswerPiece, Request


@dataclass(frozen=True, slots=True)
class AskReport:
    """An answer with the size of the context and what did not fit in, in a sentence ("" where all did)."""

    answer: Answer
    context: int | None
    cut: str


def ask(choice: Choice, request: Request, show: Callable[[AnswerPiece], None] = lambda _piece: None) -> AskReport:
    """Ask a model; raises EngineError, ServerError …."""
    from modelsmith.engines.answer import collect

    answer = collect(choice.engine, request, show)
    context = choice.engine.context()
    return AskReport(answer, context, _cut(choice, request, answer, context))


def _cut(choice: Choice, request: Request, answer: Answer, context: int | None) -> str:
    """Say what the model did not get to read: servers leave it out without a word."""
    from modelsmith.engines.cut import fitted

    found = fitted(request, context, choice.engine.prompt)
    read = answer.usage.prompt_tokens
    if found.whole is None or context is None:
        return ""
    if found.whole <= context:
        if read is None or read >= found.whole - _SPECIAL:
            return ""
        return f"the prompt has {found.whole:,} tokens, and the model read only {read:,}"
    sizes = f"the prompt has {found.whole:,} tokens, and the context {context:,}"
    way = f"a larger context: -p num_ctx={_rounded(found.whole)}"
    gone = [f"{number}" for number in found.gone]
    if gone and not found.too_long:
        return f"{sizes}: the model did not read message{'s' * (len(gone) > 1)} {', '.join(gone)}; {way}"
    return f"{sizes}: the model did not read all of the last message; {way}"


_SPECIAL = 2
"""Tokens that a server may count otherwise: one that it puts in front, and one at the end."""


_LONG = 0.1
"""Seconds from which on loading is worth a word: servers count some milliseconds where nothing was to load."""


def _rounded(tokens: int) -> int:
    """Return a size of the context that leaves as much room for the answer as the prompt takes."""
    size = 1024
    while size < 2 * tokens:
        size *= 2
    return size


def stats_line(asked: AskReport) -> str:
    """Return speed and sizes in one line."""
    answer, usage = asked.answer, asked.answer.usage
    parts = []
    if usage.prompt_tokens is not None:
        cached = f", {usage.cached_tokens:,} of them known" if usage.cached_tokens else ""
        parts.append(f"prompt {usage.prompt_tokens:,} tokens{cached}{_rate(answer.prompt_rate)}")
    if usage.answer_tokens is not None:
        parts.append(f"answer {usage.answer_tokens:,} tokens{_rate(answer.answer_rate)}")
    if answer.wait_seconds is not None:
        parts.append(f"first token after {answer.wait_seconds:.2f} s")
    parts.append(f"{answer.seconds:.2f} s in all")
    if usage.load_seconds and usage.load_seconds >= _LONG:
        parts.append(f"loaded in {usage.load_seconds:.2f} s")
    if asked.context is not None:
        parts.append(f"context {asked.context:,}")
    return "; ".join(parts)


def _rate(rate: float | None) -> str:
    return f" ({rate:.1f}/s)" if rate is not None else ""


def show_remarks(asked: AskReport, *, quiet: bool) -> None:
    """Print calls, what was cut, why the answer ended and, unless ``quiet``, the statistics to stderr."""
    from modelsmith.cli.running.model_text import harmless

    for call in asked.answer.tool_calls:
        click.echo(f"{click.style('call:', fg='cyan', bold=True)} {harmless(call.name)}({harmless(call.text)})")
    if asked.cut:
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {asked.cut}", err=True)
    if asked.answer.reason == "length":
        click.echo(
            f"{click.style('note:', fg='cyan')} the answer was cut off: num_predict or the context is used up", err=True
        )
    if not quiet:
        click.echo(click.style(printable(stats_line(asked)), dim=True), err=True)


def asked_json(name: str, engine: str, asked: AskReport) -> dict[str, Any]:
    """Return an answer and its statistics as JSON's values; null is what the engine does not tell."""
    answer, usage = asked.answer, asked.answer.usage
    return {
        "model": name,
        "engine": engine,
        "answer": answer.content,
        "reasoning": answer.reasoning,
        "tool_calls": [
            {"name": call.name, "arguments": call.arguments if call.arguments is not None else call.text}
            for call in answer.tool_calls
        ],
        "stopped": answer.reason,
        "context": asked.context,
        "cut": asked.cut,
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "answer_tokens": usage.answer_tokens,
        "prompt_tokens_per_second": _rounded_rate(answer.prompt_rate),
        "answer_tokens_per_second": _rounded_rate(answer.answer_rate),
        "seconds_to_first_token": _rounded_rate(answer.wait_seconds),
        "load_seconds": _rounded_rate(usage.load_seconds),
        "seconds": _rounded_rate(answer.seconds),
    }


def _rounded_rate(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
