"""What llama-server finds out about a chat template that it has no format of its own for.

Source: llama.cpp common/chat-diff-analyzer.cpp (analyze_template, workarounds), common/chat-auto-parser-generator.cpp.
"""

from __future__ import annotations

from dataclasses import field, replace
from itertools import chain
from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.template.chat_formats import grammar as g
from modelsmith.template.chat_formats.calls import CallTags, find_calls
from modelsmith.template.chat_formats.markers import as_text, trimmed
from modelsmith.template.chat_formats.tags import AnswerTags, ReasoningTags, find_answer, find_reasoning

if TYPE_CHECKING:
    from modelsmith.template.chat_formats.probes import Renders

THINK = ReasoningTags(True, "<think>", "</think>", shown=False)

_GRANITE = "Write your thoughts between <think></think> and write your response between <response></response>"
_COHERE = ("<|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>")
_FUNCTIONARY = (
    'set has_code_interpreter = tools | selectattr("type", "equalto", "code_interpreter") | list | length > 0'
)
_DISTILLED = "{{'<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>'"
_NEMOTRON = ("<SPECIAL_10>", "<SPECIAL_11>", "<SPECIAL_12>", "<TOOL_RESPONSE>")
_LAGUNA = "laguna_glm_thinking"


@dataclass(frozen=True, slots=True)
class Analysis:
    """The marks of a template, as text.

    ``stops`` are words at which the server ends an answer by itself, ``shown`` the tokens that it prints although they are
    control tokens, because it takes them for marks.
    """

    reasoning: ReasoningTags = field(default_factory=ReasoningTags)
    answer: AnswerTags = field(default_factory=AnswerTags)
    calls: CallTags = field(default_factory=CallTags)
    stops: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()

    def parser(self, generation_prompt: str) -> g.Parser:
        """Return what reads the generation prompt and the answer to a chat without tools."""
        mark = trimmed(self.reasoning.opening)
        asked = generation_prompt
        if mark and mark in asked:
            asked = asked.partition(mark)[0]
        opened = g.literal(asked) if generation_prompt else g.nothing()
        return opened >> self._said() if self.reasoning.found else opened + self._said()

    def _said(self) -> g.Parser:
        if not self.answer.wrapped:
            return self._thought() + g.content(g.rest()) + g.end()
        wrapped = self.answer.opening + g.content(g.until(self.answer.closing)) + self.answer.closing + g.end()
        return (self._thought() if self.reasoning.found else g.content(g.until(self.answer.opening))) + wrapped

    def _thought(self) -> g.Parser:
        opening, closing = self.reasoning.opening, self.reasoning.closing
        if not self.reasoning.found or not closing:
            return g.nothing()
        thought = g.reasoning(g.until(trimmed(closing))) + g.spaced(closing)
        return g.optional(g.spaced(opening) + thought if opening else thought)


def analyse(text: str, renders: Renders, *, calls: bool, parallel: bool) -> Analysis:
    """Return what llama-server finds in a template of this text.

    ``calls`` and ``parallel`` say whether its probe saw the template print calls, and several in one answer. Raises
    TemplateSyntaxError where the analysis fails and the server does not load the template.
    """
    reasoning = find_reasoning(renders, calls=calls)
    answer = find_answer(renders, reasoning)
    found = find_calls(renders, reasoning, parallel=parallel) if calls else CallTags()
    analysis = Analysis(_reasoning_as_text(reasoning), _answer_as_text(answer), _calls_as_text(found))
    return _patched(text, replace(analysis, shown=_marks(analysis)))


def _patched(text: str, found: Analysis) -> Analysis:
    """Apply what llama.cpp knows about templates whose prompts do not show it, in its order."""
    if (
        "content.split('</think>')" in text
        and not any(word in text for word in ("reasoning_content", "<SPECIAL_12>"))
        and not found.reasoning.found
    ):
        found = replace(found, reasoning=THINK)
    if _GRANITE in text:
        found = replace(found, reasoning=THINK, answer=AnswerTags(False, "<response>", "</response>"))
    if all(word in text for word in _COHERE) and not found.answer.opening:
        found = replace(found, answer=AnswerTags(True, *_COHERE))
    if _FUNCTIONARY in text:
        calls = replace(found.calls, section=("", ""), call=("<function=", "</function>"), function_end="")
        calls = replace(calls, function=("", calls.function[1]))
        shown = frozenset(("<|eot_id|>", "<|eom_id|>", "<function=", ">", "</function>"))
        found = replace(found, answer=AnswerTags(False, found.answer.opening, ""), calls=calls, shown=shown)
    if _DISTILLED in text:
        calls = replace(
            found.calls,
            section=("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
            call=("<｜tool▁call▁begin｜>function", "<｜tool▁call▁end｜>"),
            function=("<｜tool▁sep｜>", found.calls.function[1]),
            function_end="```",
        )
        found = replace(found, calls=calls)
    if all(word in text for word in _NEMOTRON):
        calls = replace(found.calls, style="json", section=("", ""), call=("<TOOLCALL>", "</TOOLCALL>"), in_array=True)
        shown = frozenset(("<SPECIAL_11>", "</think>", "<TOOLCALL>", "</TOOLCALL>"))
        found = Analysis(ReasoningTags(True, "<think>\n", "</think>"), AnswerTags(), calls, shown=shown)
    if _LAGUNA in text:
        tags = found.reasoning
        tags = replace(tags, opening=trimmed(tags.opening), closing=trimmed(tags.closing))
        found = replace(found, reasoning=tags, stops=(*found.stops, "</assistant>"))
    return found


def _marks(found: Analysis) -> frozenset[str]:
    tags, said, calls = found.reasoning, found.answer, found.calls
    pairs = (calls.section, calls.call, calls.function, calls.argument, calls.value)
    marks = (tags.opening, tags.closing, said.opening, said.closing, calls.function_end, *chain.from_iterable(pairs))
    return frozenset(filter(None, map(trimmed, marks)))


def _reasoning_as_text(tags: ReasoningTags) -> ReasoningTags:
    return replace(tags, opening=as_text(tags.opening), closing=as_text(tags.closing))


def _answer_as_text(tags: AnswerTags) -> AnswerTags:
    return replace(tags, opening=as_text(tags.opening), closing=as_text(tags.closing))


def _calls_as_text(tags: CallTags) -> CallTags:
    def pair(marks: tuple[str, str]) -> tuple[str, str]:
        return as_text(marks[0]), as_text(marks[1])

    return replace(
        tags,
        section=pair(tags.section),
        call=pair(tags.call),
        name_field=as_text(tags.name_field),
        arguments_field=as_text(tags.arguments_field),
        function=pair(tags.function),
        function_end=as_text(tags.function_end),
        argument=pair(tags.argument),
        value=pair(tags.value),
    )
