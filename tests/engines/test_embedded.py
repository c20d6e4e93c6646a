"""The embedded engine on real weights: both templates, reasoning apart, long chats cut as Ollama cuts them, crashes told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from local_stores import real_gguf
from thinking_model import JINJA, QUESTION, needs_a_model, thinking_modelfile

from modelsmith.engines.answer import collect
from modelsmith.engines.choose import Wish, choose_engine
from modelsmith.engines.cut import fitted
from modelsmith.engines.embedded import EmbeddedEngine
from modelsmith.engines.known import KnownModel, find_known
from modelsmith.engines.protocol import AnswerPiece, Request
from modelsmith.engines.recording import Recorder, Recording, RecordingEngine
from modelsmith.errors import EngineError, RecordingMismatch, Unsupported
from modelsmith.progress import silent
from modelsmith.store.local.local import LocalStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate

pytestmark = needs_a_model


def ask(*texts: str, think: bool | None = None, **options: object) -> Request:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(texts)]
    return Request(Conversation.from_dict({"messages": messages}), think, options)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedEngine, KnownModel]]:
    folder = tmp_path_factory.mktemp("thinker")
    choice = choose_engine(Wish(str(thinking_modelfile(folder)), lambda: LocalStore(folder / "store")))
    assert isinstance(choice.engine, EmbeddedEngine)
    assert choice.known is not None
    yield choice.engine, choice.known
    choice.engine.close()


def test_it_thinks_and_answers_by_the_go_template(thinker: tuple[EmbeddedEngine, KnownModel]) -> None:
    engine, known = thinker
    pieces: list[AnswerPiece] = []
    answer = collect(engine, ask(QUESTION), pieces.append)
    assert (answer.reasoning, answer.content) == ("France's capital is Paris.\n", "The capital of France is Paris.")
    assert answer.reason == "stop"
    assert sum(piece.is_reasoning for piece in pieces) > 2
    assert answer.usage.prompt_tokens == engine.prompt(ask(QUESTION)).tokens
    assert (known.prompt(ask(QUESTION).conversation, None).tokens or 0) in {98, 99}
    assert answer.prompt_rate
    assert answer.answer_rate


def test_it_obeys_think_false(thinker: tuple[EmbeddedEngine, KnownModel]) -> None:
    answer = collect(thinker[0], ask(QUESTION, think=False, num_predict=4))
    assert answer.reasoning == ""
    assert "think>" not in answer.content
    assert answer.reason == "length"


def test_recorded_and_replayed(thinker: tuple[EmbeddedEngine, KnownModel], tmp_path: Path) -> None:
    engine, known = thinker
    recorder = Recorder(engine, known)
    request = ask(QUESTION, num_predict=30)
    first = collect(recorder, request)
    path = tmp_path / "answers.jsonl"
    path.write_bytes(recorder.written())
    recording = Recording.read(path)
    again = collect(RecordingEngine(recording, "x", known), request)
    assert (again.reasoning, again.content, again.reason, again.usage) == (
        first.reasoning,
        first.content,
        first.reason,
        first.usage,
    )
    with pytest.raises(RecordingMismatch, match="has no answer to 'What is the capital of France"):
        collect(RecordingEngine(recording, "x", known), ask(QUESTION, num_predict=31))
    changed = Template.parse((known.draft.template_text or "").replace("Rome", "Roma"))
    other = KnownModel.of(known.draft.with_template(changed), "y")
    with pytest.raises(RecordingMismatch, match="no longer fits: the prompt of"):
        collect(RecordingEngine(recording, "x", other), request)
    line = recording.answers[request.key]
    moved = replace(line, model=replace(line.model, digest="sha256:" + "0" * 64))
    with pytest.raises(RecordingMismatch, match="made with weights sha256:0000"):
        collect(RecordingEngine(replace(recording, answers={request.key: moved}), "x", known), request)


def test_a_long_chat_loses_its_oldest_messages(thinker: tuple[EmbeddedEngine, KnownModel]) -> None:
    engine, known = thinker
    talk = ask("word " * 200, "so", "word " * 200, "so", QUESTION)
    for count in (engine.prompt, lambda request: known.prompt(request.conversation, request.think)):
        found = fitted(talk, engine.context(), count)
        assert found.gone == (1,)
        assert not found.too_long
        assert (found.whole or 0) > 512 >= (found.left or 0)
    assert collect(engine, talk).usage.prompt_tokens == fitted(talk, engine.context(), engine.prompt).left


def test_a_crash_is_told(thinker: tuple[EmbeddedEngine, KnownModel]) -> None:
    engine, _ = thinker
    collect(engine, ask(QUESTION, num_predict=1))
    assert engine._child is not None
    os.kill(engine._child._process.pid, signal.SIGSEGV)
    with pytest.raises(EngineError, match="died \\(signal SIGSEGV\\)"):
        collect(engine, ask(QUESTION, num_predict=1))
    assert collect(engine, ask(QUESTION, num_predict=1)).usage.answer_tokens == 1  # a new one was started


def test_it_thinks_by_the_jinja_template_of_a_draft(tmp_path: Path) -> None:
    known = find_known(str(real_gguf()), lambda: LocalStore(tmp_path), tmp_path, None, silent)
    with pytest.raises(Unsupported, match="does not support thinking"):
        collect(EmbeddedEngine(known), ask(QUESTION, think=True))
    draft = known.draft.with_chat_template(ChatTemplate.parse(JINJA))
    options = {"temperature": 0, "num_ctx": 256, "num_predict": 40, "num_thread": 1}
    engine = EmbeddedEngine(KnownModel.of(draft, "thinker"), options)
    try:
        answer = collect(engine, ask(QUESTION))
        assert (answer.reasoning, answer.content) == ("France's capital is Paris.\n", "The capital of France is Paris.")
    finally:
        engine.close()


def test_what_a_parser_changes_is_known_or_said(tmp_path: Path) -> None:
    modelfile = thinking_modelfile(tmp_path)
    text = modelfile.read_text("utf-8")
    modelfile.write_text(f"{text}\nPARSER qwen3-thinking\n", "utf-8")
    known = find_known(str(modelfile), lambda: LocalStore(tmp_path), tmp_path, None, silent)
    assert EmbeddedEngine(known).notes == (
        "PARSER qwen3-thinking is code inside Ollama, so the answer is read here by the tags of TEMPLATE",
    )
    modelfile.write_text(f"{text}\nPARSER passthrough\n", "utf-8")
    known = find_known(str(modelfile), lambda: LocalStore(tmp_path), tmp_path, None, silent)
    engine = EmbeddedEngine(known)
    try:
        assert engine.notes == ()
        answer = collect(engine, ask(QUESTION))
        assert (answer.reasoning, "</think>" in answer.content) == ("", True)
    finally:
        engine.close()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    known = find_known(str(real_gguf()), lambda: LocalStore(tmp_path), tmp_path, None, silent)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(real_gguf().read_bytes()[: 5 << 20])  # type: ignore[union-attr]
    inherited = replace(known.draft.base.inherited, weights=cut)
    draft = replace(known.draft, base=replace(known.draft.base, inherited=inherited))
    engine = EmbeddedEngine(KnownModel.of(draft, "cut"))
    with pytest.raises(EngineError, match=r"cannot load .*cut\.gguf"):
        collect(engine, ask("hello"))
    engine.close()
