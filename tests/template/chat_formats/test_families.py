from __future__ import annotations

import pytest

from modelsmith.errors import TemplateRenderError
from modelsmith.template.chat_formats.analysis import Analysis
from modelsmith.template.chat_formats.chat_format import ChatFormat, Split
from modelsmith.template.chat_formats.families import FAMILIES, Family, find_family

OPENERS = {
    "Ministral 3 and Magistral": "",
    "gpt-oss (harmony)": "<|start|>assistant",
    "Muse Glimmer": "<|start|>assistant",
    "Functionary 3.2": "<|start_header_id|>assistant<|end_header_id|>\n\n>>>",
    "Kimi K2": "<|im_assistant|>assistant<|im_middle|>",
    "Kimi K3": '<|open|>message role="assistant"<|sep|>',
    "Cohere 2 MoE": "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
    "LFM2": "<|im_start|>assistant\n",
    "LFM2.5": "<|im_start|>assistant\n",
    "GigaChat 3": "assistant<|role_sep|>\n",
    "MiniMax M3": "]~b]ai\n",
    "DeepSeek V3.2 and V4": "<｜Assistant｜>",
    "Gemma 4": "<|turn>model\n",
    "MiniCPM 5": "<|im_start|>assistant\n",
    "Qwen3-Coder": "<|im_start|>assistant\n",
}


def text_of(family: Family) -> str:
    return " ".join((*family.all_of, *family.any_of[:1], family.thinks_with, family.opening))


def split(family: Family, answer: str, opener: str | None = None, *, thinks: bool = True) -> Split:
    text = text_of(family)
    opened = OPENERS[family.name] if opener is None else opener
    return ChatFormat(text, family, Analysis()).split(answer, opened, enable_thinking=thinks)


def assert_split(found: Split) -> None:
    assert (found.reasoning or "").rstrip("\n") == "why"
    assert found.content == "so"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_known_by_its_words(family: Family) -> None:
    assert find_family(text_of(family)) is family


@pytest.mark.parametrize("family", [each for each in FAMILIES if each.opening], ids=lambda family: family.name)
def test_reasoning_and_answer_are_split(family: Family) -> None:
    after = "" if family.opening == " to=self<|message|>" else "\n" * (family.opening == "<|channel>thought")
    assert_split(split(family, f"{family.opening}{after}why{family.between}so"))


@pytest.mark.parametrize("family", [each for each in FAMILIES if each.opening], ids=lambda family: family.name)
def test_reasoning_that_the_prompt_opened_is_split(family: Family) -> None:
    opener = OPENERS[family.name] + family.opening + "\n" * (family.opening == "<|channel>thought")
    assert_split(split(family, f"why{family.between}so", opener))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_an_answer_alone(family: Family) -> None:
    if family.name == "MiniCPM 5":
        with pytest.raises(TemplateRenderError):
            split(family, "so")
        return
    if family.name == "Kimi K3":  # its reasoning needs no opening
        assert split(family, "so") == Split("so", "")
        return
    assert split(family, f"{family.before_answer}so") == Split(None, "so")


@pytest.mark.parametrize(
    ("name", "answer", "thinks", "expected"),
    [
        ("DeepSeek V3.2 and V4", "</think>so", False, Split(None, "</think>so")),
        ("DeepSeek V3.2 and V4", "<think>why</think>so", False, Split(None, "so")),
        ("MiniMax M3", "<mm:think>why</mm:think>so", False, Split(None, "so")),
        ("MiniMax M3", "</mm:think>so", True, Split(None, "so")),
        ("Gemma 4", "so<|channel>thought\nwhy<channel|> it is", True, Split("why", "so it is")),
        ("Gemma 4", "<|channel>thought\n<channel|>so", True, Split(None, "so")),
        ("Kimi K2", "<think>why", True, Split("why", "")),
        ("Qwen3-Coder", "<think>\nwhy\n</think>\n\nso", True, Split("why\n", "so")),
        ("Qwen3-Coder", "<think>why<tool_call>x", True, Split("why", "<tool_call>x")),
        ("Ministral 3 and Magistral", "[THINK] \n[/THINK]so", True, Split(None, "so")),
        ("LFM2", "<think>\n</think>", True, Split(None, "<think>\n</think>")),
    ],
)
def test_special_answers(name: str, answer: str, thinks: bool, expected: Split) -> None:
    family = next(each for each in FAMILIES if each.name == name)
    assert split(family, answer, thinks=thinks) == expected


@pytest.mark.parametrize("name", ["gpt-oss (harmony)", "Muse Glimmer", "Functionary 3.2", "Cohere 2 MoE", "MiniCPM 5"])
def test_an_answer_that_does_not_fit_is_an_error(name: str) -> None:
    family = next(each for each in FAMILIES if each.name == name)
    with pytest.raises(TemplateRenderError, match="does not match the expected format"):
        split(family, "so")


def test_families_that_need_a_word_to_think() -> None:
    qwen = next(each for each in FAMILIES if each.name == "Qwen3-Coder")
    assert not qwen.thinks(" ".join(qwen.all_of))
    assert qwen.thinks(" ".join((*qwen.all_of, "<think>")))
    assert not next(each for each in FAMILIES if each.name == "GigaChat 3").thinks("")


@pytest.mark.parametrize(
    ("answer", "content"), [("</think>so", "so"), ("<think>why</think>so", "<think>why</think>so")]
)
def test_deepseek_v4_ends_reasoning_with_the_end_alone_where_thinking_is_off(answer: str, content: str) -> None:
    family = next(each for each in FAMILIES if each.name == "DeepSeek V3.2 and V4")
    text = "dsml_token DSML tool_calls"
    assert find_family(text) is family
    found = ChatFormat(text, family, Analysis()).split(answer, "<｜Assistant｜>", enable_thinking=False)
    assert found == Split(None, content)


@pytest.mark.parametrize(
    ("text", "shown"), [("dsml_token DSML tool_calls", "abu"), ("dsml_token DSML function_calls", "bau")]
)
def test_deepseek_v4_gets_results_in_the_order_of_the_calls(text: str, shown: str) -> None:
    family = find_family(text)
    assert family
    messages = [
        {"role": "assistant", "tool_calls": [{"id": "a"}, {"id": "b"}]},
        {"role": "tool", "tool_call_id": "b"},
        {"role": "tool", "tool_call_id": "a"},
        {"role": "user"},
    ]
    assert (
        "".join(each.get("tool_call_id", "u") for each in (family.rewritten(text, messages) or messages)[1:]) == shown
    )
