"""Files that are no recordings, and lines that are none of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.engines.answer import collect
from modelsmith.engines.protocol import Request
from modelsmith.engines.recording import Recording, RecordingEngine
from modelsmith.errors import EngineError, ModelsmithError, UnreadableFile
from modelsmith.template.conversation.conversation import Conversation

HELLO = Request(Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]}))
HEAD = '{"recording": 1}\n'


def line(**answer: object) -> str:
    return json.dumps({"key": HELLO.key, "day": "2026-01-02", "answer": answer}) + "\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello\n", "line 1 is no line of a recording"),
        ('{"a": 1}\n', "does not begin a recording"),
        ('{"recording": 2}\n', "has the format 2, and 1 is known here"),
        (HEAD + "[]\n", "line 2 is no line of a recording"),
        (HEAD + "[" * 100_000, "line 2 is no line of a recording"),
        (HEAD + '{"answer": 7}\n', "line 2 answered with garbage: answer is no object"),
        (HEAD + line(content=7), "content is no text"),
        (HEAD + line(tool_calls=7), "tool_calls is no list"),
        (HEAD + json.dumps({"day": "soon"}), "day is no date: soon"),
        (HEAD + "\x00\x01", "line 2 is no line of a recording"),
    ],
)
def test_what_is_none(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(text)
    with pytest.raises(EngineError) as raised:
        Recording.read(path)
    assert words in raised.value.message


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "no.jsonl", tmp_path):
        with pytest.raises(UnreadableFile):
            Recording.read(path)
    monkeypatch.setattr("modelsmith.engines.recording.MAX_BYTES", 10)
    (tmp_path / "large.jsonl").write_text(HEAD)
    with pytest.raises(UnreadableFile, match="larger than 10 bytes"):
        Recording.read(tmp_path / "large.jsonl")


def test_calls_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    calls = [{"name": "f", "arguments": '{"x": 1}'}, {"name": "g", "arguments": "{oops"}]
    path.write_text(HEAD + "\n" + line(content="so", tool_calls=calls, usage={"answer_tokens": 4, "answer_seconds": 2}))
    answer = collect(RecordingEngine.open(path, "m"), HELLO)
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("f", {"x": 1}), ("g", None)]
    assert answer.answer_rate == 2


def test_an_answer_is_found_by_all_that_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(HEAD + line(content="so"))
    engine = RecordingEngine.open(path, "m")
    assert collect(engine, HELLO).content == "so"
    for other in (Request(HELLO.conversation, True), Request(HELLO.conversation, None, {"seed": 1})):
        with pytest.raises(ModelsmithError, match="has no answer to 'hello'"):
            collect(engine, other)
