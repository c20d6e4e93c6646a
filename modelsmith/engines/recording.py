"""Answers that were given once, in a file of JSON Lines: a check with them needs no model, and fails where they no longer fit.

A line is an answer with all that it answers: the request, the prompt that the model got to read, its parameters, the digest of its
weights.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from modelsmith.about import __version__
from modelsmith.engines.protocol import AnswerPiece, Finished, Identity, Prompt, Usage
from modelsmith.engines.reading import call_of, count_of, list_of, object_of, seconds_of, text_of
from modelsmith.errors import EngineError, RecordingMismatch, UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from modelsmith.engines.known import KnownModel
    from modelsmith.engines.protocol import InferenceEngine, Request

FORMAT = 1
MAX_BYTES = 64 << 20
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer: to which request (its key and what it asks), prompt, model and parameters, by which engine, when, with which context."""

    key: str
    asked: Mapping[str, Any]
    prompt: Prompt
    model: Identity
    parameters: Mapping[str, Any] | None
    engine: str
    day: date
    context: int | None
    reasoning: str
    content: str
    end: Finished

    def to_dict(self) -> dict[str, Any]:
        """Return the line."""
        calls = [{"name": call.name, "arguments": call.text} for call in self.end.tool_calls]
        return {
            "key": self.key,
            "request": dict(self.asked),
            "prompt": {"text": self.prompt.text, "tokens": self.prompt.tokens},
            "model": asdict(self.model),
            "parameters": None if self.parameters is None else dict(self.parameters),
            "engine": self.engine,
            "day": self.day.isoformat(),
            "context": self.context,
            "answer": {
                "reasoning": self.reasoning,
                "content": self.content,
                "tool_calls": calls,
                "reason": self.end.reason,
                "usage": {name: value for name, value in asdict(self.end.usage).items() if value is not None},
            },
        }

    @classmethod
    def from_dict(cls, line: Mapping[str, Any], where: str) -> Recorded:
        """Read a line; raises EngineError for what is none."""
        answer, prompt = object_of(line, "answer", where), object_of(line, "prompt", where)
        model, usage = object_of(line, "model", where), object_of(answer, "usage", where)
        calls = tuple(
            call_of(text_of(call, "name", where), text_of(call, "arguments", where))
            for call in list_of(answer, "tool_calls", where)
        )
        counted = Usage(
            prompt_tokens=count_of(usage, "prompt_tokens", where),
            cached_tokens=count_of(usage, "cached_tokens", where),
            answer_tokens=count_of(usage, "answer_tokens", where),
            prompt_seconds=seconds_of(usage, "prompt_seconds", 1, where),
            answer_seconds=seconds_of(usage, "answer_seconds", 1, where),
            load_seconds=seconds_of(usage, "load_seconds", 1, where),
        )
        return cls(
            text_of(line, "key", where),
            object_of(line, "request", where),
            Prompt(prompt.get("text") and text_of(prompt, "text", where), count_of(prompt, "tokens", where)),
            Identity(text_of(model, "name", where), text_of(model, "digest", where)),
            object_of(line, "parameters", where) if line.get("parameters") is not None else None,
            text_of(line, "engine", where),
            _day(text_of(line, "day", where), where),
            count_of(line, "context", where),
            text_of(answer, "reasoning", where),
            text_of(answer, "content", where),
            Finished(text_of(answer, "reason", where) or "stop", calls, counted),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """The answers of a file, by the keys of their requests."""

    path: Path
    answers: Mapping[str, Recorded]

    @classmethod
    def read(cls, path: Path) -> Recording:
        """Read a file; raises UnreadableFile where it cannot be read, EngineError where a line is none of a recording."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise UnreadableFile(
                f"the recording {path} cannot be read: {error.strerror or error}", hint="make one with --record FILE"
            ) from error
        if len(data) > MAX_BYTES:
            raise UnreadableFile(f"{path} is larger than {MAX_BYTES:,} bytes: no recording")
        answers: dict[str, Recorded] = {}
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            value = _object(line, where)
            if number == 1:
                _check_header(value, where)
                continue
            recorded = Recorded.from_dict(value, where)
            answers[recorded.key] = recorded
        return cls(path, answers)


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise EngineError(f"{where} is no line of a recording", hint="make a new one with --record FILE")
    return value


def _check_header(value: Mapping[str, Any], where: str) -> None:
    version = value.get("recording")
    if version != FORMAT:
        known = isinstance(version, int)
        raise EngineError(
            f"{where}: this recording has the format {version}, and {FORMAT} is known here"
            if known
            else f"{where} does not begin a recording",
            hint="make a new one with --record FILE",
        )


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EngineError(f"{where}: day is no date: {text:.20}", hint="make a new one with --record FILE") from None


def is_recording(data: bytes) -> bool:
    """Say whether bytes are a recording, which a newer one may replace."""
    return data.startswith(b'{"recording": ')


class RecordingEngine:
    """Answers from a recording. ``known`` is the model as it is now, None where it is not at hand."""

    def __init__(self, recording: Recording, model: str, known: KnownModel | None = None) -> None:
        self._recording = recording
        self._model = model
        self._known = known

    @classmethod
    def open(cls, path: Path, model: str, known: KnownModel | None = None) -> RecordingEngine:
        """Read a recording."""
        return cls(Recording.read(path), model, known)

    @property
    def location(self) -> str:
        """Which recording it is."""
        return f"the recording {self._recording.path}"

    @property
    def identity(self) -> Identity:
        """The model of the first answer, or the one that is asked for."""
        first = next(iter(self._recording.answers.values()), None)
        return first.model if first else Identity(self._model)

    def context(self) -> int | None:
        """Return the context of the first answer."""
        first = next(iter(self._recording.answers.values()), None)
        return first.context if first else None

    def prompt(self, request: Request) -> Prompt:
        """Return the prompt as it was recorded."""
        found = self._recording.answers.get(request.key)
        return found.prompt if found else Prompt()

    def stream(self, request: Request) -> Iterator[AnswerPiece | Finished]:
        """Yield the recorded answer; raises RecordingMismatch where there is none, or it belongs to another prompt or model."""
        recorded = self._recording.answers.get(request.key)
        if recorded is None:
            raise RecordingMismatch(
                f"{self._recording.path} has no answer to {_shown(request)}{self._otherwise(request)}",
                hint=f"record again: --record {self._recording.path}",
            )
        self._check(recorded, request)
        if recorded.reasoning:
            yield AnswerPiece(recorded.reasoning, is_reasoning=True)
        if recorded.content:
            yield AnswerPiece(recorded.content)
        yield recorded.end

    def close(self) -> None:
        """Do nothing."""

    def _otherwise(self, request: Request) -> str:
        """Say how the same question was asked when it was recorded, "" where it was not."""
        now = request.to_dict()
        for recorded in self._recording.answers.values():
            then = recorded.asked
            if then.get("messages") == now.get("messages"):
                name = _changed(then, now) or "request"
                return f" with this {name}: {_brief(then.get(name))} was asked, and is {_brief(now.get(name))} now"
        return ""

    def _check(self, recorded: Recorded, request: Request) -> None:
        if self._known is None:
            return
        now = self._known.prompt(request.conversation, request.think, recorded.day).text
        then = recorded.prompt.text
        hint = f"record again: --record {self._recording.path}"
        if now is not None and then is not None and now != then:
            raise RecordingMismatch(
                f"{self._recording.path} no longer fits: the prompt of {_shown(request)} {_difference(then, now)}",
                hint=hint,
            )
        parameters, before = self._known.parameters, recorded.parameters
        if before is not None and (changed := _changed(before, parameters)):
            raise RecordingMismatch(
                f"{self._recording.path} no longer fits: {changed} was {before.get(changed)}, and is {parameters.get(changed)}",
                hint=hint,
            )
        digest = self._known.digest
        if digest and recorded.model.digest and digest != recorded.model.digest:
            raise RecordingMismatch(
                f"{self._recording.path} no longer fits: it was made with weights {recorded.model.digest[:19]}…, and those of "
                f"{self._known.spec} are {digest[:19]}…",
                hint=hint,
            )


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return the first PARAMETER that has another value now, "" where none has."""
    return next((name for name in sorted({*before, *now}) if before.get(name) != now.get(name)), "")


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _shown(request: Request) -> str:
    turns = request.conversation.turns
    text = turns[-1].content if turns else ""
    return f"{text[:_SHOWN]!r}{'…' if len(text) > _SHOWN else ''}"


def _difference(then: str, now: str) -> str:
    place = next(
        (index for index, (a, b) in enumerate(zip(then, now, strict=False)) if a != b), min(len(then), len(now))
    )
    start = max(0, place - 15)
    return f"was {then[start : place + 30]!r} at character {place}, and is {now[start : place + 30]!r}"


class Recorder:
    """Another engine whose answers are kept. ``known`` is its model, None where nothing is known of it."""

    def __init__(self, engine: InferenceEngine, known: KnownModel | None = None) -> None:
        self._engine = engine
        self._known = known
        self._answers: dict[str, Recorded] = {}

    @property
    def location(self) -> str:
        """What runs the model."""
        return self._engine.location

    @property
    def identity(self) -> Identity:
        """The model."""
        return self._engine.identity

    def context(self) -> int | None:
        """Return the size of the context."""
        return self._engine.context()

    def prompt(self, request: Request) -> Prompt:
        """Return the whole prompt."""
        return self._engine.prompt(request)

    def stream(self, request: Request) -> Iterator[AnswerPiece | Finished]:
        """Yield the answer of the other engine, and keep it when it is whole."""
        parts: dict[bool, list[str]] = {True: [], False: []}
        began = monotonic()
        for item in self._engine.stream(request):
            if isinstance(item, Finished):
                self._keep(request, "".join(parts[True]), "".join(parts[False]), item, monotonic() - began)
            else:
                if not any(parts.values()):
                    began = monotonic()
                parts[item.is_reasoning].append(item.text)
            yield item

    def close(self) -> None:
        """Close the other engine."""
        self._engine.close()

    def written(self) -> bytes:
        """Return the file."""
        lines: list[Mapping[str, Any]] = [{"recording": FORMAT, "modelsmith": __version__}]
        lines += [recorded.to_dict() for recorded in self._answers.values()]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return text.encode("utf-8", "replace")

    def _keep(self, request: Request, reasoning: str, content: str, end: Finished, seconds: float) -> None:
        usage = end.usage
        if usage.answer_seconds is None:  # by our own clock: the one that plays it back has no other
            usage = replace(usage, answer_seconds=seconds)
        day = datetime.now().astimezone().date()
        prompt = self._known.prompt(request.conversation, request.think, day) if self._known else Prompt()
        if prompt.text is None:
            prompt = self._engine.prompt(request)
        model = self._engine.identity
        if self._known is not None and self._known.digest:
            model = Identity(model.name, self._known.digest)
        self._answers[request.key] = Recorded(
            request.key,
            request.to_dict(),
            prompt,
            model,
            self._known.parameters if self._known else None,
            self._engine.location,
            day,
            self._engine.context(),
            reasoning,
            content,
            Finished(end.reason, end.tool_calls, usage),
        )
