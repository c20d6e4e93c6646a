"""The explanation of a model: which template runs, who sees what, where answers end, what changes between versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cyllama_oracle import needs_llama_cpp
from example_templates import CHATML, GEMMA, LLAMA3, QWEN, QWQ, R1_NEW, R1_OLD
from fakes.ollama import FakeOllama

from modelsmith.errors import ModelNotFound, ModelsmithError, TemplateSyntaxError
from modelsmith.explain.explanation import Explanation, explain_draft, explain_model
from modelsmith.explain.stops import closing_marker
from modelsmith.models.base import Base, Inherited
from modelsmith.models.chat_renderer import chat_renderer_of
from modelsmith.models.draft import Draft
from modelsmith.models.sources.sample import samples
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.effective.end_tokens import ENDING_TEXTS, ends_by_itself
from modelsmith.versions import resolve
from modelsmith.weights.gguf.sample import write_sample

R1_JINJA = samples()["deepseek-r1"][1]
FORCED = R1_OLD.replace(
    '"assistant") }}<｜Assistant｜>{{ end }}', '"assistant") }}<｜Assistant｜>{{ "<think>\\n" }}{{ end }}'
)


def explained(
    go: str | None = None,
    jinja: str | None = None,
    version: str | None = None,
    *,
    modelfile: str = "",
    weights: Path | None = None,
    family: str = "",
) -> Explanation:
    inherited = Inherited(template=go, chat_template=jinja, weights=weights, family=family)
    return explain_draft(
        Draft.start(Base("base", Modelfile.parse(f"FROM base\n{modelfile}"), Path(), inherited), version)
    )


def prompts(explanation: Explanation) -> list[str]:
    return [row.prompt or row.error for row in explanation.thinks]


def chats(explanation: Explanation) -> list[str]:
    return [row.chat for row in explanation.thinks]


NO_THINKING = "HTTP 400: the model does not support thinking"


# What a live Ollama 0.33 answered for these models.
def test_the_old_template_of_deepseek_r1_alone() -> None:
    found = explained(R1_OLD)
    assert (found.effective.source, found.effective.capabilities) == ("go", frozenset())
    plain = "<｜User｜>hello<｜Assistant｜>"
    assert prompts(found) == [plain, NO_THINKING, plain]
    assert chats(found) == ["none, or content", NO_THINKING, "none, or content"]


def test_the_new_template_of_deepseek_r1_alone() -> None:
    found = explained(R1_NEW)
    assert found.effective.capabilities == {"thinking"}
    assert found.thinking_tags == ("<think>", "</think>")
    plain = "<｜User｜>hello<｜Assistant｜>"
    assert prompts(found) == [plain, plain, f"{plain}<think>\n\n</think>\n\n"]
    assert chats(found) == ["message.thinking", "message.thinking", "none, the prompt closes it"]


def test_an_opening_tag_that_nothing_splits() -> None:
    found = explained(FORCED)
    assert prompts(found)[0] == "<｜User｜>hello<｜Assistant｜><think>\n"
    assert chats(found) == ["content, no opening tag", NO_THINKING, "content, no opening tag"]
    assert any("lone </think>" in note for note in found.notes)
    assert any("think false does not switch it off" in note for note in found.notes)


def test_the_jinja_template_of_deepseek_r1_wins_over_the_old_template() -> None:
    found = explained(R1_OLD, R1_JINJA)
    assert found.effective.source == "jinja"
    assert "Ollama runs the one that offers more, so the TEMPLATE is not used" in found.effective.reason
    assert prompts(found) == ["<｜User｜>hello<｜Assistant｜>"] * 3
    assert chats(found)[:2] == ["message.thinking"] * 2
    assert any("think false is not obeyed" in note for note in found.notes)
    assert found.effective.ways
    assert [(row.since, row.source, row.generate) for row in found.versions] == [
        ("", "go", "go"),
        ("0.9.0", "go", "go"),
        ("0.30.0", "jinja", "go"),
        ("0.30.11", "jinja", "jinja"),
    ]
    assert [row.is_target for row in found.versions] == [False, False, False, True]


@pytest.mark.parametrize(
    ("parser", "thinking", "chat"),
    [("qwen3.5", True, "message.thinking"), ("passthrough", False, "content, no opening tag")],
)
def test_a_parser_lets_the_go_template_win(parser: str, thinking: bool, chat: str) -> None:
    template = FORCED.replace("<｜Assistant｜>{{ .Content }}", "<｜Assistant｜>{{ .Content }}", 1)
    found = explained(template, R1_JINJA, modelfile=f"PARSER {parser}\n")
    assert found.effective.source == "parser"
    assert ("thinking" in found.effective.capabilities) is thinking
    assert chats(found)[0] == chat
    assert found.effective.ways[0] == f"take PARSER {parser} out of the Modelfile"


def test_jinja_that_thinks_by_ollama_but_not_by_llama_server() -> None:
    found = explained(None, "{{ messages[0].content }}<｜Assistant｜>{# <think> </think> #}")
    assert "thinking" in found.effective.capabilities
    assert any("llama-server finds no reasoning" in note for note in found.notes)
    assert chats(found)[0] == "none, or content"


def test_a_renderer_is_code_inside_ollama() -> None:
    found = explained(R1_OLD, R1_JINJA, modelfile="RENDERER qwen3.5\nPARSER qwen3.5\n")
    assert found.effective.source == "renderer"
    assert found.cache is None
    assert prompts(found) == ["<think>\n", "<think>\n", "<think>\n\n</think>\n\n"]
    assert chats(found) == ["message.thinking", "message.thinking", "none, the prompt closes it"]
    assert [(row.since, row.fails) for row in found.versions] == [
        ("", "the Modelfile is refused: RENDERER came with 0.12.0"),
        ("0.12.0", "unknown renderer qwen3.5"),
        ("0.17.1", ""),
    ]
    assert not any("render" in command.line.split() for command in found.commands)


def test_an_unknown_renderer_fails_everywhere() -> None:
    found = explained(modelfile="RENDERER nothing\n")
    assert prompts(found)[0] == "HTTP 500: unknown renderer nothing"
    assert found.versions[-1].fails == "unknown renderer nothing"


def test_thinking_came_in_steps() -> None:
    assert [(row.since, row.think_unset) for row in explained(R1_NEW).versions] == [
        ("", ""),
        ("0.9.0", "unset"),
        ("0.12.4", "on"),
    ]
    early = explained(R1_NEW, version="0.10.0")
    assert [row.is_target for row in early.versions] == [False, True, False]
    unset, on, _ = early.thinks
    assert (unset.cli, unset.chat) == ("shown as thinking", "content, tags and all")
    assert (on.chat, on.openai) == ("message.thinking", "cannot be asked for before 0.11.0")


def test_before_thinking_there_is_nothing_to_ask_for() -> None:
    rows = explained(R1_NEW, version="0.8.0").thinks
    assert [bool(row.error) for row in rows] == [False, True, True]


def test_a_primed_prompt_is_split_since_0_11_7() -> None:
    forced = R1_NEW.replace(
        "<｜Assistant｜>\n{{- if and $.IsThinkSet", '<｜Assistant｜>{{ "<think>\\n" }}\n{{- if and $.IsThinkSet'
    )
    assert explained(forced, version="0.11.6").thinks[1].arrives == "cut"
    assert explained(forced, version="0.11.7").thinks[1].arrives == "split"


def test_functions_that_old_versions_do_not_know() -> None:
    rows = explained("{{ yesterdayDate }}" + CHATML).versions
    assert rows[0].fails == "the TEMPLATE is refused: yesterdayDate came with 0.13.3"
    assert (rows[1].since, rows[1].fails) == ("0.13.3", "")


def test_gpt_oss_is_read_as_harmony() -> None:
    template = "{{ range .Messages }}<|start|>{{ .Role }}<|message|>{{ .Content }}<|end|>{{ end }}<|start|>assistant"
    found = explained(template, family="gptoss")
    assert found.effective.source == "harmony"
    assert chats(found) == ["message.thinking"] * 3
    assert found.cache is None


def test_a_plain_gguf_without_any_template(tmp_path: Path) -> None:
    write_sample(tmp_path / "x.gguf")
    (tmp_path / "Modelfile").write_text("FROM ./x.gguf\n")
    found = explain_model("Modelfile", LocalStore(tmp_path / "store"), folder=tmp_path)
    assert found.effective.source == "default"
    assert prompts(found)[0].endswith("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n")
    assert [(row.since, row.source) for row in found.versions][-1] == ("0.30.0", "chatml")
    assert found.stops.missing == ("<|im_end|>",)
    assert any("probably not trained with this template" in note for note in found.stops.notes)
    assert found.effective.ways[0] == "add a TEMPLATE that fits the model"


def test_end_tokens_against_the_vocabulary(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "q.gguf", special_tokens=("<s>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    tokens = {token.text: token for token in explained(QWEN, weights=path).stops.tokens}
    assert tokens["<|endoftext|>"].roles == ("eos",)
    assert tokens["<|im_end|>"].roles == ("template",)
    assert all(token.ends and token.one_token and not token.missing for token in tokens.values())
    foreign = explained(GEMMA, weights=path).stops
    assert foreign.missing == ("<end_of_turn>",)
    told = explained(GEMMA, weights=path, modelfile="PARAMETER stop <end_of_turn>\n").stops
    assert told.missing == ()
    assert told.configured == ("<end_of_turn>",)


def test_a_model_with_tokens_for_reasoning_can_be_made_to_reason(tmp_path: Path) -> None:
    tokens = ("<s>", "</s>", "<think>", "</think>")
    for count, offered in ((4, True), (2, False)):
        path = write_sample(tmp_path / f"{count}.gguf", special_tokens=tokens[:count])
        modelfile = tmp_path / "Modelfile"
        modelfile.write_text(f"FROM {path}\nTEMPLATE {{{{ .Prompt }}}}\n")
        found = explain_model(str(modelfile), LocalStore(tmp_path / "models"))
        assert any("force-think" in command.line for command in found.commands) == offered


def test_without_a_vocabulary_nothing_is_said_to_be_missing() -> None:
    stops = explained(QWQ).stops
    assert stops.missing == ()
    assert [token.ends for token in stops.tokens] == [None]


def test_a_stop_string_that_cuts_the_reasoning() -> None:
    notes = explained(R1_NEW, modelfile="PARAMETER stop </think>\n").stops.notes
    assert 'the stop string "</think>" cuts the answer at its reasoning' in notes


@pytest.mark.parametrize(
    ("template", "marker"),
    [
        (CHATML, "<|im_end|>"),
        (QWEN, "<|im_end|>"),
        (LLAMA3, "<|eot_id|>"),
        (GEMMA, "<end_of_turn>"),
        (R1_OLD, "<｜end▁of▁sentence｜>"),
        ("{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}<assistant>", ""),
        ("fixed", ""),
        ("{{ range .Messages }}[|{{ .Role }}|]{{ .Content }}[|endofturn|]\n{{ end }}[|assistant|]", "[|endofturn|]"),
        # without .Messages and .Response Ollama adds the answer, and nothing closes it
        ("<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n", ""),
        # a default system prompt closes a turn of its own in front of the first question
        ("<|im_start|>system\nHi<|im_end|>\n" + CHATML, "<|im_end|>"),
    ],
)
def test_what_closes_the_turn(template: str, marker: str) -> None:
    base = Base("base", Modelfile.parse("FROM base\n"), Path(), Inherited(template=template))
    assert closing_marker(chat_renderer_of(Draft.start(base, None))) == marker


def test_a_modelfile_whose_from_is_not_here(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    (tmp_path / "far").write_text(f'FROM nowhere:7b\nTEMPLATE """{R1_NEW}"""\n')
    found = explain_model("far", store, folder=tmp_path)
    assert found.effective.source == "go"
    assert "unless the GGUF has a Jinja template that wins" in found.effective.reason
    assert "FROM nowhere:7b is no file" in found.notes[0]
    assert found.notes[0].endswith("what follows is from the Modelfile alone")
    (tmp_path / "file").write_text("FROM ./nothing.gguf\nRENDERER qwen3.5\n")
    assert explain_model("file", store, folder=tmp_path).effective.source == "renderer"


def test_nothing_to_explain(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    (tmp_path / "bare").write_text("FROM nowhere:7b\n")
    (tmp_path / "bad").write_text("FROM nowhere:7b\nTEMPLATE {{ if }}\n")
    (tmp_path / "refused").write_text("TEMPLATE x\n")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelNotFound, match="nowhere:7b"):
        explain_model("bare", store, folder=tmp_path)
    with pytest.raises(ModelNotFound, match='"nowhere" was not found'):
        explain_model("nowhere", store, folder=tmp_path)
    with pytest.raises(TemplateSyntaxError):
        explain_model("bad", store, folder=tmp_path)
    for name in ("refused", "broken.gguf", "./nothing.gguf"):
        with pytest.raises(ModelsmithError):
            explain_model(name, store, folder=tmp_path)


def test_commands_name_the_model() -> None:
    lines = [command.line for command in explained(R1_NEW).commands]
    assert lines == [
        "modelsmith render base --user hello",
        "modelsmith plan force-think --set base=base",
        "modelsmith plan no-think --set base=base",
    ]
    assert len(explained(CHATML).commands) == 1


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_model_of_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recipe = parse_recipe("name: plain\nfrom: sample:deepseek-r1\ncreate: plain\n").resolve()
    with FakeOllama(tmp_path / "models", hides_files=elsewhere) as server:
        store = OllamaStore(server.url)
        apply(plan(recipe, store))
        found = explain_model("plain", store)
        assert found.version == str(resolve(store.ollama_version()))
    assert found.effective.source == "jinja"
    assert chats(found)[0] == "message.thinking"
    assert [token.ends for token in found.stops.tokens] == [None if elsewhere else True]


_IS_EOG = """
import sys
from cyllama.llama.llama_cpp import LlamaModel, LlamaModelParams
vocabulary = LlamaModel(sys.argv[1], LlamaModelParams()).get_vocab()
print("answer", *(int(vocabulary.is_eog(256 + number)) for number in range(int(sys.argv[2]))))
"""


@needs_llama_cpp
@pytest.mark.parametrize("more", [("<|return|>", "<|flush|>"), ("<|return|>", "<|call|>")])
def test_tokens_that_end_an_answer_are_those_of_llama_cpp(tmp_path: Path, more: tuple[str, ...]) -> None:
    others = ("<|im_start|>", "<|eot|>", "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>", "[|endofturn|]")
    calls = {"<|return|>", "<|call|>", "<|calls|>", "<|flush|>"}
    tokens = ("<s>", "<named>", *sorted({*ENDING_TEXTS, *others} - calls), *more)
    path = write_sample(tmp_path / "x.gguf", special_tokens=tokens)
    result = subprocess.run(
        [sys.executable, "-c", _IS_EOG, str(path), str(len(tokens))], capture_output=True, text=True, check=True
    )
    line = next(line for line in result.stdout.splitlines() if line.startswith("answer "))
    known = dict(zip(tokens, [word == "1" for word in line.split()[1:]], strict=True))
    assert known.pop("<named>")
    assert known == {text: ends_by_itself(text, {*tokens}) for text in known}


def test_what_the_server_says_is_told_where_it_differs_from_our_rules() -> None:
    from modelsmith.explain.server import server_notes
    from modelsmith.store.model import ServerSays

    said = ServerSays("go_template", "", "qwen3.5", ("false", "low", "high"), "low")
    inherited = Inherited(chat_template=CHAT, said=said, stored=True)
    draft = Draft.start(Base("m", Modelfile.parse("FROM m\n"), Path(), inherited), None)
    notes = list(server_notes(draft))
    assert any("go_template builds the prompt" in note and "our rules say jinja" in note for note in notes)
    assert any("parser qwen3.5 is at work, our rules say none" in note for note in notes)
    assert any("think: false, low, high, unset means low" in note for note in notes)
    assert list(server_notes(Draft.start(Base("m", Modelfile.parse("FROM m\n"), Path(), Inherited()), None))) == []


CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}"
)


def test_how_answers_to_a_jinja_template_are_read() -> None:
    from modelsmith.explain.answers import answer_format
    from modelsmith.template.jinja.template import ChatTemplate

    plain = answer_format(ChatTemplate.parse(CHAT))
    assert (plain.family, plain.closings, plain.calls) == ("", (), "")
    assert [state for _, state in plain.states] == ["none", "none", "none"]
    text = CHAT.replace("<|a|>", "<|im_start|>assistant\n<think>\n") + "{# <tool_call> <function= <parameter= #}"
    found = answer_format(ChatTemplate.parse(text))
    assert (found.family, found.opening, found.closings) == ("Qwen3-Coder", "<think>", ("</think>", "<tool_call>"))
    assert [state for _, state in found.states] == ["opens", "opens", "opens"]
