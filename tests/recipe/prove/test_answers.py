"""Promises about answers: which answers keep them, and which questions are none."""

from __future__ import annotations

from typing import Any

import pytest

from modelsmith import linear
from modelsmith.engines.answer import Answer
from modelsmith.engines.protocol import Finished, Usage
from modelsmith.engines.reading import call_of
from modelsmith.errors import EngineError, RecipeError, RecordingMismatch, UsageError
from modelsmith.recipe.format.ask import Ask
from modelsmith.recipe.parts.pattern import AnswerPattern
from modelsmith.recipe.prove.answers import ask_all, check_answer, request_of
from modelsmith.recipe.prove.json_schema import JsonShape
from modelsmith.recipe.read.load import parse_recipe


def answer(
    content: str = "so", reasoning: str = "", reason: str = "stop", tokens: int | None = 10, calls: Any = ()
) -> Answer:
    usage = Usage(answer_tokens=tokens, answer_seconds=2.0)
    return Answer(reasoning, content, tuple(call_of(name, given) for name, given in calls), reason, usage, 0.1, 2.1)


def ask(**promises: Any) -> Ask:
    return Ask.model_validate({"ask": "hello", **{key.replace("_", "-"): value for key, value in promises.items()}})


@pytest.mark.parametrize(
    ("promise", "good", "bad"),
    [
        ({"thinks": True}, answer(reasoning="why"), answer(reasoning=" \n")),
        ({"thinks": False}, answer(), answer(reasoning="why")),
        ({"apart": True}, answer(reasoning="why"), answer("why</think>so")),
        ({"apart": True}, answer("a <b>bold</b> [x]"), answer(reasoning="<think>\nwhy")),
        ({"apart": True}, answer("1 < 2 | 3 > 2"), answer("so<|im_end|>")),
        ({"apart": True}, answer("｜"), answer("so<｜Assistant｜>")),
        ({"stops_within": 10}, answer(tokens=10), answer(tokens=11)),
        ({"stops_within": 10}, answer(tokens=None), answer(tokens=10, reason="length")),
        ({"calls": "f"}, answer(calls=[("f", {})]), answer(calls=[("g", {})])),
        ({"calls": {"name": "f", "arguments": {"x": 1}}}, answer(calls=[("f", {"x": 1, "y": 2})]), answer(calls=[("f", {"x": 2})])),
        ({"calls": {"name": "f", "arguments": {"x": (1, 2)}}}, answer(calls=[("f", '{"x": [1, 2]}')]), answer(calls=[("f", "{oops")])),
        ({"calls": "f"}, answer(calls=[("f", "{}")]), answer("f()")),
        ({"json": True}, answer(' {"a": 1}\n'), answer("```json\n{}\n```")),
        ({"json": True}, answer("7"), answer("[" * 100_000)),
        ({"json": {"type": "object", "required": ("a",)}}, answer('{"a": 1}'), answer('{"b": 1}')),
        ({"json": {"properties": {"a": {"pattern": "^x"}}}}, answer('{"a": "xy"}'), answer('{"a": "yx"}')),
        ({"contains": ("s", "o")}, answer("so"), answer("s")),
        ({"lacks": "no"}, answer("so"), answer("no")),
        ({"matches": r"(?i)PARIS\b"}, answer("in Paris."), answer("Parisian")),
        ({"tokens_per_second": 5}, answer(tokens=10), answer(tokens=9)),
        ({"tokens_per_second": 5}, answer(tokens=10), answer(tokens=None)),
    ],
)  # fmt: skip
def test_promises(promise: dict[str, Any], good: Answer, bad: Answer) -> None:
    assert all(each.holds for each in check_answer(ask(**promise), good))
    found = [*check_answer(ask(**promise), bad)]
    assert not all(each.holds for each in found)
    assert all(each.detail for each in found)


def test_a_limit_of_tokens_limits_the_answer_too() -> None:
    assert request_of(ask(stops_within=30)).options == {"num_predict": 30}
    assert request_of(ask(stops_within=30, options={"num_predict": 50, "stop": ("a", "b"), "seed": 1})).options == {
        "num_predict": 50,
        "stop": ["a", "b"],
        "seed": 1,
    }
    assert request_of(ask(thinks=True, format="json", system="Be brief.", think="low")).to_dict() == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "think": "low",
        "options": {},
        "format": "json",
    }


class Engine:
    """Answers, or fails, as it is told."""

    location = "a test"

    def __init__(self, *items: Finished | Exception) -> None:
        self.items = list(items)

    def stream(self, _request: object) -> Any:
        item = self.items.pop(0)
        if isinstance(item, Exception):
            raise item
        yield item


def test_an_engine_that_failed_is_not_asked_again() -> None:
    asks = (ask(thinks=False), ask(thinks=True), ask(thinks=False))
    found = ask_all(asks, Engine(Finished("stop"), EngineError("died")))  # type: ignore[arg-type]
    assert [(each.answer is not None, each.error is not None) for each in found] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert [each.holds for each in found] == [True, False, False]
    misfit = RecordingMismatch("no longer fits")
    found = ask_all(asks, Engine(misfit, Finished("stop"), Finished("stop")))  # type: ignore[arg-type]
    assert [each.answer is not None for each in found] == [False, True, True]


HEAD = "name: r\nfrom: sample:deepseek-r1\ncreate: x\nexpect:\n  - "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ask: hello", "nothing is expected of the answer"),
        ("{ask: hello, thinks: maybe}", "expect[0].thinks"),
        ("{ask: [], thinks: true}", "must not be empty"),
        ("{ask: [{role: user}], thinks: true}", 'the key "content" is missing'),
        ("{ask: [{role: robot, content: x}], thinks: true}", "expected one of system, user, assistant, tool"),
        ("{ask: hello, think: maybe, thinks: true}", "expected true, false, low, medium, high or max"),
        ("{ask: hello, stops-within: 0}", "expected at least 1, found the number 0"),
        ("{ask: hello, matches: '(a+)+b'}", "may take too long"),
        ("{ask: hello, matches: '('}", "is no regular expression"),
        ("{ask: hello, json: {type: 7}}", "this is no JSON Schema"),
        ("{ask: hello, json: {$ref: 'http://x/y'}}", "names another document"),
        ("{ask: hello, json: {items: {pattern: '(a+)+b'}}}", "may take too long"),
        ("{ask: hello, json: {patternProperties: {}}}", "not supported"),
        ("{ask: hello, json: false}", "expected true, or a JSON Schema"),
        ("{ask: hello, calls: {nam: f}}", 'did you mean "name"'),
        ("{ask: hello, thinks: true, tools: [7]}", "tools"),
        ("{ask: hello, thinks: true, options: {temprature: 0}}", 'did you mean "temperature"'),
        ("{ask: hello, thinks: true, options: {seed: x}}", "seed"),
        ("{ask: hello, thinks: true, reasoning: open}", "start a new item of the list"),
        ("{ask: hello, contain: x}", 'did you mean "contains"'),
    ],
)  # fmt: skip
def test_what_is_no_question(text: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "find_spec", lambda _name: None)
    with pytest.raises(RecipeError) as raised:
        parse_recipe(HEAD + text + "\n", name="r.yaml").resolve({})
    assert any(words in each.message for each in raised.value.diagnostics), raised.value.diagnostics


def test_inputs_are_filled_in() -> None:
    text = "name: r\ninputs: {word: {type: text, default: Paris}}\nfrom: x\ncreate: y\nexpect:\n  - {ask: 'Is it ${word}?', contains: '${word}'}\n"
    (found,) = parse_recipe(text, name="r.yaml").resolve({}).expect
    assert isinstance(found, Ask)
    assert (found.ask, found.contains) == ("Is it Paris?", ("Paris",))


def test_long_answers_are_not_searched_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "find_spec", lambda _name: None)
    for text, most in (
        ("ab", 16_384),
        ("(cat|dog|bird)s", 16_384),
        ("a.*b", 10_000),
        ("a.*b?c", 7071),
        ("(a|b|c).*d", 5773),
    ):
        pattern = AnswerPattern(text)
        assert not pattern.found_in("x" * most)
        with pytest.raises(UsageError, match="too long to search"):
            pattern.found_in("x" * (most + 1))
    for text in ("a?" * 20 + "b", "(a|a)" * 20 + "b", "(a?b?){1}" * 9 + "c", "(a|ab)" * 6 + ".*c"):
        with pytest.raises(UsageError, match="may take too long: it can match in too many ways"):
            AnswerPattern(text)
    AnswerPattern("|".join(["word"] * 60))
    with pytest.raises(UsageError, match="2 repetitions"):
        AnswerPattern("a.*b.*c")


def test_schemas_that_go_round_in_circles() -> None:
    with pytest.raises(UsageError, match="without an end"):
        JsonShape({"$ref": "#"}).fault(1)
    with pytest.raises(UsageError, match="what is not there"):
        JsonShape({"$ref": "#/$defs/no"}).fault(1)
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"not": deep}
    with pytest.raises(UsageError, match="nested more than"):
        JsonShape(deep)
