"""How the answers of the families that llama-server knows are read, in a chat without tools.

Source: llama.cpp common/chat.cpp (common_chat_params_init_…), the branches without tools and response format.
"""

from __future__ import annotations

from modelsmith.records import dataclass
from modelsmith.template.chat_formats.grammar import (
    Parser,
    ahead,
    choice,
    content,
    end,
    literal,
    not_ahead,
    nothing,
    optional,
    reasoning,
    repeat,
    rest,
    space,
    until,
    whole,
)


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """What an answer was asked with: the template's text, what opens the assistant's turn, and whether it may think."""

    text: str
    generation_prompt: str
    enable_thinking: bool


def mistral(_asked: AnswerContext) -> Parser:
    """Read ``[THINK]…[/THINK]`` before the answer, or the answer alone."""
    thought = optional("[THINK]" + reasoning(until("[/THINK]")) + "[/THINK]")
    return thought >> content(rest())


def harmony(_asked: AnswerContext) -> Parser:
    """Read the channels of gpt-oss: analysis is reasoning, commentary and final are the answer."""
    start, close = literal("<|start|>assistant"), literal("<|end|>")
    said = until("<|end|>")
    channel = literal("<|channel|>") + choice(literal("commentary"), literal("analysis"))
    stray = optional(literal("<|channel|>commentary") + optional(" to=assistant"))
    analysis = stray + "<|channel|>analysis<|message|>" + reasoning(said) + close
    preamble = "<|channel|>commentary<|message|>" + content(said) + close
    final = stray + "<|channel|>final<|message|>" + content(said)
    unsolicited = whole(optional(channel) + " to=" + said + close)
    return repeat(start + (preamble | analysis)) + start + (final | unsolicited)


def muse(_asked: AnswerContext) -> Parser:
    """Read messages: those to itself are reasoning, the one to the user is the answer."""
    start = literal("<|start|>assistant")
    thought = " to=self<|message|>" + reasoning(until("<|eom|>")) + "<|eom|>"
    final = optional(" to=user") + "<|message|>" + content(until("<|eot|>", "<|eom|>"))
    return repeat(start + thought) + start + final


def functionary(_asked: AnswerContext) -> Parser:
    """Read ``all`` and a line break, then the answer."""
    return "<|start_header_id|>assistant<|end_header_id|>\n\n>>>" + literal("all\n") + content(rest()) + end()


def kimi_k2(_asked: AnswerContext) -> Parser:
    """Read ``<think>…</think>``, ended by calls too, then the answer."""
    ends = until("</think>", "<|tool_calls_section_begin|>", "<|tool_call_begin|>")
    thought = optional("<think>" + reasoning(ends) + optional("</think>"))
    return "<|im_assistant|>assistant<|im_middle|>" + thought + content(rest()) + end()


def kimi_k3(_asked: AnswerContext) -> Parser:
    """Read the sections between ``<|open|>`` and ``<|close|>``: think, then response."""
    think_start, think_end = "<|open|>think<|sep|>", "<|close|>think<|sep|>"
    response_start, response_end = "<|open|>response<|sep|>", "<|close|>response<|sep|>"
    message_end = "<|close|>message<|sep|>"
    thought = optional(think_start) + reasoning(until(think_end, response_start)) + optional(think_end)
    said = content(until(response_end, "<|open|>tools<|sep|>", message_end)) + optional(response_end)
    return (
        optional('<|open|>message role="assistant"<|sep|>')
        + optional(thought)
        + optional(response_start)
        + said
        + optional(message_end)
        + optional("<|end_of_msg|>")
        + end()
    )


def cohere_moe(_asked: AnswerContext) -> Parser:
    """Read ``<|START_THINKING|>…<|END_THINKING|>``, then ``<|START_TEXT|>…<|END_TEXT|>``."""
    ends = until("<|END_THINKING|>", "<|START_TEXT|>", "<|START_ACTION|>")
    thought = optional("<|START_THINKING|>" + reasoning(ends) + optional("<|END_THINKING|>"))
    said = "<|START_TEXT|>" + content(until("<|END_TEXT|>")) + optional("<|END_TEXT|>")
    return "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>" + thought + said + optional("<|END_OF_TURN_TOKEN|>") + end()


def lfm2(asked: AnswerContext) -> Parser:
    """Read ``<think>…</think>`` where the template's text has it, then the answer."""
    thought = optional("<think>" + reasoning(until("</think>")) + "</think>") if "<think>" in asked.text else nothing()
    return "<|im_start|>assistant\n" + thought + content(rest()) + end()


def gigachat(_asked: AnswerContext) -> Parser:
    """Read the answer alone."""
    return "assistant<|role_sep|>\n" + content(rest())


def minimax_m3(asked: AnswerContext) -> Parser:
    """Read ``<mm:think>…</mm:think>``, a bare end of it too; where thinking is off, drop it."""
    opening, closing = "<mm:think>", "</mm:think>"
    if asked.enable_thinking:
        block = opening + space() + reasoning(until(closing)) + closing
    else:
        block = opening + until(closing) + closing
    start = asked.generation_prompt.partition(opening)[0]
    return literal(start) + optional(block | closing) + content(rest()) + end()


def deepseek_dsml(asked: AnswerContext) -> Parser:
    """Read ``<think>…</think>``; where thinking is off, drop it (V4: its end alone)."""
    opening, closing = literal("<think>"), literal("</think>")
    if asked.enable_thinking:
        thought = optional(opening + reasoning(until("</think>")) + closing)
    elif is_deepseek_v4(asked.text):
        thought = optional(closing)
    else:
        thought = optional(opening + until("</think>") + closing)
    return "<｜Assistant｜>" + thought + content(rest()) + end()


def gemma4(_asked: AnswerContext) -> Parser:
    """Read ``<|channel>thought`` … ``<channel|>`` before, between and after what is said."""
    empty = repeat("<|channel>" + not_ahead(literal("thought")))
    block = literal("<|channel>thought") + space() + reasoning(until("<channel|>")) + "<channel|>"
    thought = (ahead(literal("<|channel>")) + empty + block) | not_ahead(literal("<|channel>"))
    message = thought + content(until("<|channel>", "<channel|>"))
    return optional("<|turn>model\n") + repeat(message, least=1)


def minicpm5(_asked: AnswerContext) -> Parser:
    """Read ``<think>…</think>``, which is never left out, then the answer."""
    thought = ("<think>" + (space() + reasoning(until("</think>"))) >> "</think>") + space()
    return "<|im_start|>assistant\n" + thought + content(rest()) + end()


def qwen3_coder(asked: AnswerContext) -> Parser:
    """Read ``<think>…</think>`` where the template's text has it, ended by a call too, then the answer."""
    thought = nothing()
    if "<think>" in asked.text:
        ends = literal("</think>") | ahead(literal("<tool_call>"))
        thought = optional("<think>" + space() + reasoning(until("</think>", "<tool_call>")) + ends)
    return "<|im_start|>assistant\n" + (thought >> content(rest()))


def is_deepseek_v4(text: str) -> bool:
    """Say whether a template with DeepSeek's DSML is that of V4, which has no ``function_calls``."""
    return "function_calls" not in text
