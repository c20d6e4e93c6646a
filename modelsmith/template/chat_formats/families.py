"""The families of models whose templates llama-server knows by words in their text, in the order it asks for them.

Source: llama.cpp common/chat.cpp (common_chat_try_specialized_template, common_chat_params_init_…).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from modelsmith.records import dataclass
from modelsmith.template.chat_formats import family_grammars as grammars
from modelsmith.template.chat_formats import family_messages as adjusted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.template.chat_formats.grammar import Parser

_CHATML = "<|im_start|>assistant\n"
_KIMI = "<|im_assistant|>assistant<|im_middle|>"
_KIMI_K3 = '<|open|>message role="assistant"<|sep|>'
_COHERE = "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
_DEEPSEEK = "<｜Assistant｜>"
_DSML = "｜DSML｜"
_MUSE = "<|start|>assistant"


def begin(family: Family, begun: Begun) -> str:
    """Return what follows the prompt where the assistant has begun to speak."""
    if not family.opening:
        return family.start + (begun.said or "")
    said = "" if begun.said is None else family.between + begun.said
    return family.start + family.opening + family.after_opening + begun.thought + said


def _begin_gemma4(family: Family, begun: Begun) -> str:
    return ("<|turn>model\n" if begun.history.endswith("<turn|>\n") else "") + begin(family, begun)


def _begin_minimax_m3(family: Family, begun: Begun) -> str:
    return begun.generation_prompt + begin(family, begun)


def _begin_deepseek_dsml(family: Family, begun: Begun) -> str:
    if grammars.is_deepseek_v4(begun.text) and not begun.thought:
        return family.start + family.between + (begun.said or "")
    return begin(family, begun)


def _begin_qwen3_coder(family: Family, begun: Begun) -> str:
    return begin(family, begun) if family.thinks(begun.text) else family.start + (begun.said or "")


def _asked(prompt: str, generation_prompt: str) -> tuple[str, str]:
    return prompt, generation_prompt


def _asked_gemma4(prompt: str, generation_prompt: str) -> tuple[str, str]:
    turn = "<|turn>model\n"
    return (prompt + turn, turn) if prompt.endswith("<turn|>\n") else (prompt, generation_prompt)


def _asked_muse(prompt: str, _generation_prompt: str) -> tuple[str, str]:
    return prompt, _MUSE


def _ended_turn(history: str) -> str:
    """Return the history whose last answer of gpt-oss ended a turn and not the generation."""
    head, found, tail = history.rpartition("<|return|>")
    return f"{head}<|end|>{tail}" if found else history


@dataclass(frozen=True, slots=True)
class Begun:
    """An answer that has begun: the template's text, the prompt so far, what would open a new turn, what was thought and said.

    ``said`` is None where the assistant has thought only.
    """

    text: str
    history: str
    generation_prompt: str
    thought: str
    said: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """A format of answers: how its templates are known, where reasoning and calls stand, and how answers are read.

    ``all_of``, ``any_of`` and ``none_of`` are words of the template's text. ``opening`` is empty where the model does not
    think, and ``thinks_with`` names a word that the text must have for that. ``calls`` shows a call.

    Where the assistant has already begun to speak, ``start`` opens its turn, ``after_opening`` is the white space behind the
    opening tag, ``between`` stands between reasoning and answer, and ``begin`` puts them together. ``adjusts`` rewrites the
    messages before they are rendered, unless the text has a word of ``adjusts_without``; ``asked`` the prompt and what
    opens the assistant's turn in it, ``history`` a prompt that opens none. ``tool_grammar`` says of what the server makes a grammar where
    there are tools: of the ``whole`` arguments of a call, of the ``arguments`` that are no texts, of ``nothing``.
    """

    name: str
    all_of: tuple[str, ...]
    parser: Callable[[grammars.AnswerContext], Parser]
    opening: str = ""
    closings: tuple[str, ...] = ()
    calls: str = ""
    start: str = ""
    between: str = ""
    after_opening: str = ""
    before_answer: str = ""
    none_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    thinks_with: str = ""
    supports_thinking: bool = True
    keeps_blank_reasoning: bool = False
    adjusts_without: tuple[str, ...] = ()
    adjusts: Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]]] = list
    begin: Callable[[Family, Begun], str] = begin
    asked: Callable[[str, str], tuple[str, str]] = _asked
    history: Callable[[str], str] = str
    tool_grammar: Literal["whole", "arguments", "nothing"] = "nothing"

    def rewritten(self, text: str, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the messages as a template of this text gets them."""
        return self.adjusts(messages) if all(word not in text for word in self.adjusts_without) else list(messages)

    def recognises(self, text: str) -> bool:
        """Say whether a template of this text belongs to the family."""
        return (
            all(word in text for word in self.all_of)
            and not any(word in text for word in self.none_of)
            and (not self.any_of or any(word in text for word in self.any_of))
        )

    def thinks(self, text: str) -> bool:
        """Say whether llama-server turns thinking on where a request does not say."""
        return self.supports_thinking and self.thinks_with in text


FAMILIES = (
    Family(
        "Ministral 3 and Magistral",
        ("[SYSTEM_PROMPT]", "[TOOL_CALLS]", "[ARGS]"),
        grammars.mistral,
        "[THINK]",
        ("[/THINK]",),
        "[TOOL_CALLS]NAME[ARGS]{…}",
        between="[/THINK]",
        none_of=("[CALL_ID]",),
        adjusts=adjusted.as_blocks,
        tool_grammar="whole",
    ),
    Family(
        "gpt-oss (harmony)",
        ("<|channel|>",),
        grammars.harmony,
        "<|channel|>analysis<|message|>",
        ("<|end|>",),
        "<|channel|>commentary to=functions.NAME<|message|>{…}",
        start=_MUSE,
        between="<|end|><|start|>assistant<|channel|>final<|message|>",
        before_answer="<|channel|>final<|message|>",
        adjusts=adjusted.for_harmony,
        history=_ended_turn,
        tool_grammar="whole",
    ),
    Family(
        "Muse Glimmer",
        ("<atem:function_calls>", "<|eom|>"),
        grammars.muse,
        " to=self<|message|>",
        ("<|eom|>",),
        ' to=NAME<|message|><atem:function_calls><atem:invoke name="NAME">…',
        start=_MUSE,
        between="<|eom|><|start|>assistant to=user<|message|>",
        before_answer=" to=user<|message|>",
        asked=_asked_muse,
        tool_grammar="arguments",
    ),
    Family(
        "Functionary 3.2",
        (">>>all", ">>>${recipient}"),
        grammars.functionary,
        calls=">>>NAME\n{…}",
        start="<|start_header_id|>assistant<|end_header_id|>\n\n>>>all\n",
        before_answer="all\n",
        supports_thinking=False,
        tool_grammar="whole",
    ),
    Family(
        "Kimi K2",
        ("<|tool_calls_section_begin|>", "<|tool_call_begin|>"),
        grammars.kimi_k2,
        "<think>",
        ("</think>",),
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}",
        start=_KIMI,
        between="</think>",
        tool_grammar="whole",
    ),
    Family(
        "Kimi K3",
        ("<|open|>", "<|close|>", "<|end_of_msg|>"),
        grammars.kimi_k3,
        "<|open|>think<|sep|>",
        ("<|close|>think<|sep|>",),
        '<|open|>tools<|sep|><|open|>call tool="NAME"…',
        start=_KIMI_K3,
        between="<|close|>think<|sep|><|open|>response<|sep|>",
        before_answer="<|open|>response<|sep|>",
    ),
    Family(
        "Cohere 2 MoE",
        ("<|START_TEXT|>", "<|START_ACTION|>"),
        grammars.cohere_moe,
        "<|START_THINKING|>",
        ("<|END_THINKING|>",),
        "<|START_ACTION|>[…]<|END_ACTION|>",
        start=_COHERE,
        between="<|END_THINKING|><|START_TEXT|>",
        before_answer="<|START_TEXT|>",
        tool_grammar="whole",
    ),
    Family(
        "LFM2",
        ("<|tool_list_start|>", "<|tool_list_end|>"),
        grammars.lfm2,
        "<think>",
        ("</think>",),
        "<|tool_call_start|>[NAME(…)]<|tool_call_end|>",
        start=_CHATML,
        between="</think>",
        adjusts=adjusted.with_thinking,
    ),
    Family(
        "LFM2.5",
        ("List of tools: [",),
        grammars.lfm2,
        "<think>",
        ("</think>",),
        "<|tool_call_start|>[NAME(…)]<|tool_call_end|>",
        start=_CHATML,
        between="</think>",
        none_of=("<|tool_list_start|>",),
        adjusts=adjusted.with_thinking,
    ),
    Family(
        "GigaChat 3",
        ("<|role_sep|>", "<|message_sep|>"),
        grammars.gigachat,
        calls='<|message_sep|>\n\nfunction call<|role_sep|>\n{"name": "NAME", "arguments": {…}}',
        start="assistant<|role_sep|>\n",
        none_of=("<|function_call|>",),
        supports_thinking=False,
        tool_grammar="whole",
    ),
    Family(
        "MiniMax M3",
        ("]<]minimax[>[", "<tool_call>", "<invoke name="),
        grammars.minimax_m3,
        "<mm:think>",
        ("</mm:think>",),
        ']<]minimax[>[<tool_call>]<]minimax[>[<invoke name="NAME">…',
        between="</mm:think>",
        keeps_blank_reasoning=True,
        begin=_begin_minimax_m3,
        tool_grammar="arguments",
    ),
    Family(
        "DeepSeek V3.2 and V4",
        ("dsml_token", "DSML"),
        grammars.deepseek_dsml,
        "<think>",
        ("</think>",),
        f'<{_DSML}tool_calls><{_DSML}invoke name="NAME">…',
        start=_DEEPSEEK,
        between="</think>",
        any_of=("function_calls", "tool_calls"),
        begin=_begin_deepseek_dsml,
        tool_grammar="arguments",
        adjusts_without=("function_calls",),
        adjusts=adjusted.results_in_call_order,
    ),
    Family(
        "Gemma 4",
        ("'<|tool_call>call:'",),
        grammars.gemma4,
        "<|channel>thought",
        ("<channel|>",),
        "<|tool_call>call:NAME{…}<tool_call|>",
        between="<channel|>",
        after_opening="\n",
        keeps_blank_reasoning=True,
        begin=_begin_gemma4,
        asked=_asked_gemma4,
        adjusts_without=("{#- OpenAI Chat Completions:",),
        adjusts=adjusted.with_tool_responses,
    ),
    Family(
        "MiniCPM 5",
        ("Tool usage guidelines:", '<function name="', '<param name="'),
        grammars.minicpm5,
        "<think>",
        ("</think>",),
        '<function name="NAME"><param name="…">…</param></function>',
        start=_CHATML,
        between="\n</think>\n\n",
        after_opening="\n",
        tool_grammar="arguments",
    ),
    Family(
        "Qwen3-Coder",
        ("<tool_call>", "<function=", "<parameter="),
        grammars.qwen3_coder,
        "<think>",
        ("</think>", "<tool_call>"),
        "<tool_call>\n<function=NAME>\n<parameter=…>\n…\n</parameter>\n</function>\n</tool_call>",
        start=_CHATML,
        between="\n</think>\n\n",
        after_opening="\n",
        thinks_with="<think>",
        begin=_begin_qwen3_coder,
        tool_grammar="arguments",
    ),
)


def find_family(text: str) -> Family | None:
    """Return the family that llama-server takes a template of this text for; None where it looks at its prompts."""
    return next((family for family in FAMILIES if family.recognises(text)), None)
