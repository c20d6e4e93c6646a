"""What ``modelsmith verify`` found: on a terminal as it comes, as JSON, as JUnit's XML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import click

from modelsmith.cli.running.model_text import harmless, json_text
from modelsmith.lint.formats.junit import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.recipe.prove.answers import CheckedAsk
    from modelsmith.recipe.prove.checked import Checked

FORMATS = ("text", "json", "junit")
_MARKS = {True: ("ok", "green"), False: ("broken", "red")}
_BEGINNINGS = {
    "json": b'{"verified": ',
    "junit": b"<?xml version='1.0' encoding='utf-8'?>\n<testsuites name=\"modelsmith verify\"",
}
_NOT_ASKED = "not asked: the engine failed before"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified (``target``), what answered ("" where nothing was asked), promises without answers, and the questions."""

    target: str
    engine: str
    promises: tuple[Checked, ...]
    asked: tuple[CheckedAsk, ...]

    @property
    def checked(self) -> tuple[Checked, ...]:
        """Every promise that could be checked."""
        return (*self.promises, *(promise for asked in self.asked for promise in asked.checked))

    @property
    def unanswered(self) -> int:
        """How many questions have no answer."""
        return sum(asked.answer is None for asked in self.asked)

    @property
    def exit_code(self) -> int:
        """3 where a question has no answer, 1 where a promise is broken, else 0."""
        if self.unanswered:
            return 3
        return int(not all(promise.holds for promise in self.checked))


def show_head(target: str, promises: tuple[Checked, ...]) -> None:
    """Print what is verified, and the promises that need no answer."""
    click.echo(click.style(harmless(target), bold=True))
    for promise in promises:
        _show(promise)


def tell(asked: CheckedAsk) -> None:
    """Print a question and its promises."""
    click.echo(f"{click.style('ask:', fg='cyan')} {harmless(asked.title)}")
    for promise in asked.checked:
        _show(promise)
    if asked.error is not None:
        click.echo(f"  {click.style('failed', fg='red')}  {harmless(asked.error.message)}")
        if asked.error.hint:
            click.echo(f"    {click.style('hint:', fg='green')} {harmless(asked.error.hint)}")
    elif asked.answer is None:
        click.echo(f"  {click.style('failed', fg='red')}  {_NOT_ASKED}")


def _show(checked: Checked) -> None:
    word, colour = _MARKS[checked.holds]
    click.echo(f"  {click.style(word.ljust(6), fg=colour)}  {harmless(checked.promise)}: {harmless(checked.detail)}")


def show_sum(verified: Verified) -> None:
    """Print how many promises hold."""
    checked = verified.checked
    on = f", asked of {harmless(verified.engine)}" if verified.engine else ""
    missing = (
        f"; {verified.unanswered} of {len(verified.asked)} questions have no answer" if verified.unanswered else ""
    )
    text = f"{sum(promise.holds for promise in checked)} of {len(checked)} promises hold{on}{missing}"
    click.echo(click.style(text, bold=True))


def written(form: str, verified: Verified) -> bytes:
    """Return what was found in one of FORMATS."""
    if form == "json":
        return (json_text(_data(verified)) + "\n").encode()
    if form == "junit":
        return _junit(verified)
    lines = [harmless(verified.target)]
    for title, checked, error in _groups(verified):
        lines += [f"ask: {harmless(title)}"] if title else []
        lines += [
            f"  {_MARKS[promise.holds][0].ljust(6)}  {harmless(f'{promise.promise}: {promise.detail}')}"
            for promise in checked
        ]
        lines += [f"  failed  {harmless(error)}"] if error else []
    lines.append(f"{sum(promise.holds for promise in verified.checked)} of {len(verified.checked)} promises hold")
    return ("\n".join(lines) + "\n").encode()


def is_ours(form: str, data: bytes) -> bool:
    """Say whether bytes are an older report in this form, which a newer one may replace."""
    return form in _BEGINNINGS and data.startswith(_BEGINNINGS[form])


def _groups(verified: Verified) -> Iterator[tuple[str, tuple[Checked, ...], str]]:
    yield "", verified.promises, ""
    for asked in verified.asked:
        error = "" if asked.answer is not None else asked.error.message if asked.error is not None else _NOT_ASKED
        yield asked.title, asked.checked, error


def _data(verified: Verified) -> dict[str, Any]:
    return {
        "verified": verified.target,
        "engine": verified.engine,
        "holds": verified.exit_code == 0,
        "promises": _promises(verified.promises),
        "asked": [_asked_data(asked) for asked in verified.asked],
    }


def _promises(checked: tuple[Checked, ...]) -> list[dict[str, Any]]:
    return [{"promise": promise.promise, "holds": promise.holds, "detail": promise.detail} for promise in checked]


def _asked_data(asked: CheckedAsk) -> dict[str, Any]:
    data: dict[str, Any] = {"ask": asked.title, "promises": _promises(asked.checked)}
    if asked.answer is None:
        return data | {"error": asked.error.message if asked.error is not None else _NOT_ASKED}
    answer = asked.answer
    return data | {
        "answer": answer.content,
        "reasoning": answer.reasoning,
        "tool_calls": [{"name": call.name, "arguments": call.arguments} for call in answer.tool_calls],
        "stopped": answer.reason,
        "prompt_tokens": answer.usage.prompt_tokens,
        "answer_tokens": answer.usage.answer_tokens,
        "answer_tokens_per_second": answer.answer_rate,
    }


def _junit(verified: Verified) -> bytes:
    """Return a test suite for the recipe and one for each question, a test case a promise."""
    root = ET.Element("testsuites", name="modelsmith verify")
    for number, (title, checked, error) in enumerate(_groups(verified)):
        if not checked and not error:
            continue
        name = clean(f"{verified.target}: {title}" if title else verified.target)
        failures = sum(not promise.holds for promise in checked)
        suite = ET.SubElement(root, "testsuite", name=name)
        counts = (("tests", len(checked) + bool(error)), ("failures", failures), ("errors", int(bool(error))))
        for key, count in counts:
            suite.set(key, str(count))
        asked = verified.asked[number - 1] if number else None
        for promise in checked:
            case = ET.SubElement(suite, "testcase", classname=name, name=clean(promise.promise))
            if not promise.holds:
                failure = ET.SubElement(case, "failure", message=clean(promise.detail), type="promise")
                failure.text = clean(_whole(asked, promise.detail))
        if error:
            case = ET.SubElement(suite, "testcase", classname=name, name="it answers")
            ET.SubElement(case, "error", message=clean(error), type="engine").text = clean(error)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _whole(asked: CheckedAsk | None, detail: str) -> str:
    if asked is None or asked.answer is None:
        return detail
    answer = asked.answer
    calls = "".join(f"\ncall: {call.name}({call.text})" for call in answer.tool_calls)
    return f"{detail}\n\nreasoning: {json.dumps(answer.reasoning)}\nanswer: {json.dumps(answer.content)}{calls}"
