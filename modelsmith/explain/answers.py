"""How llama-server reads the answers of a model whose Jinja template runs, and which code of Ollama's own would read them too.

Source: llama.cpp common/chat.cpp; Ollama model/renderers/renderer.go and model/parsers/parsers.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateError
from modelsmith.template.chat_formats.states import State, prompt_state
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.effective.renderers import PARSERS, RENDERERS
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from modelsmith.template.chat_formats.chat_format import ChatFormat
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.jinja.template import ChatTemplate
    from modelsmith.versions import Version

_HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
_FAMILIES = {
    "gpt-oss (harmony)": ("", "harmony"),
    "Gemma 4": ("gemma4", "gemma4"),
    "LFM2": ("lfm2", "lfm2"),
    "LFM2.5": ("lfm2-thinking", "lfm2-thinking"),
    "Muse Glimmer": ("glimmer", "glimmer"),
    "Cohere 2 MoE": ("cohere", "cohere"),
    "Ministral 3 and Magistral": ("", "ministral"),
}
"""Family -> RENDERER and PARSER of Ollama."""

_TEXTS = (
    (("truncate_history_thinking", "<parameter="), ("nemotron-3-nano", "nemotron-3-nano")),
    (("<parameter=", "<think>", "<|im_start|>"), ("qwen3.5", "qwen3.5")),
    (("<parameter=", "<function=", "<|im_start|>"), ("qwen3-coder", "qwen3-coder")),
    (("[gMASK]", "<arg_key>"), ("glm-4.7", "glm-4.7")),
    (("<｜tool▁sep｜>", "thinking", "</think>"), ("deepseek3.1", "deepseek3")),
    (("laguna",), ("laguna", "laguna")),
    (("Enable deep thinking subroutine",), ("cogito", "cogito")),
)
"""Words of a template -> RENDERER and PARSER of Ollama, the first that fits."""


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """The format of answers as llama-server has it.

    ``family`` is empty where it was found by rendering the template. ``states`` says for think unset, true and false what
    the prompt of one message does about reasoning: opens, closes, free, none, or refused. ``calls`` shows a call of a
    function, ``before_answer`` what an answer has to begin with, where the format asks for that.
    """

    family: str
    opening: str
    closings: tuple[str, ...]
    calls: str
    before_answer: str
    states: tuple[tuple[Think, str], ...]


def answer_format(template: ChatTemplate) -> AnswerFormat:
    """Return how the answers to a template are read; raises TemplateSyntaxError where llama-server does not load it."""
    chat_format = template.format()
    return AnswerFormat(
        chat_format.name,
        chat_format.opening,
        chat_format.closings,
        chat_format.calls,
        chat_format.before_answer,
        tuple((think, state_word(template, think)) for think in THINKS),
    )


def state_word(template: ChatTemplate, think: Think) -> str:
    """Return what the prompt of one message does about reasoning, "refused" where there is none."""
    try:
        return str(prompt_state(template, _HELLO, think)[1])
    except TemplateError:
        return "refused"


def splits(state: str) -> bool:
    """Say whether reasoning of an answer to a prompt in this state arrives apart from the answer."""
    return state in {State.OPENS, State.FREE}


def own_code(chat_format: ChatFormat, version: Version | str | None) -> str:
    """Return the way out by Ollama's own code for the family; empty where it has none, or none in this version."""
    names = _FAMILIES.get(chat_format.name) or next(
        (names for words, names in _TEXTS if all(word in chat_format.text for word in words)), None
    )
    if names is None:
        return ""
    renderer, parser = RENDERERS.get(names[0]), PARSERS.get(names[1])
    lines = [f"`RENDERER {renderer.name}`"] if renderer else []
    lines += [f"`PARSER {parser.name}`"] if parser else []
    since = max((built_in.since for built_in in (renderer, parser) if built_in), key=resolve, default="")
    if not lines or not resolve(version).has(since):
        return ""
    what = "builds the prompt and reads the answer" if renderer else "reads the answer, and Ollama renders the TEMPLATE"
    return f"add {' and '.join(lines)}: Ollama's own code for this family {what} (since {since})"
