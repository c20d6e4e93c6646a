"""How llama-server reads a model's answers: by the format of its family, or by what its template's prompts show.

Source: llama.cpp common/chat.cpp (common_chat_templates_apply_jinja, common_chat_peg_parse), common/chat-peg-parser.cpp,
tools/server/server-task.cpp (to_json_oaicompat_chat).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError
from modelsmith.records import dataclass
from modelsmith.template.chat_formats.analysis import Analysis, analyse
from modelsmith.template.chat_formats.families import Begun, Family, find_family
from modelsmith.template.chat_formats.family_grammars import AnswerContext
from modelsmith.template.chat_formats.grammar import CONTENT, REASONING
from modelsmith.template.chat_formats.markers import as_bytes, as_text, shared_start, trimmed

if TYPE_CHECKING:
    from modelsmith.template.chat_formats.grammar import Parser
    from modelsmith.template.chat_formats.probes import Renders


DEEPSEEK_END = "<｜end▁of▁sentence｜>"
"""The end token of DeepSeek's vocabularies; the only one that is known to be among the marks of a template."""


@dataclass(frozen=True, slots=True)
class Split:
    """An answer as llama-server hands it out; None is what it leaves out."""

    reasoning: str | None
    content: str | None


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """The format of the answers to one template: that of a family, else what the analysis of its prompts found."""

    text: str
    family: Family | None
    analysis: Analysis

    @property
    def name(self) -> str:
        """The family's name; empty where the format was found by analysis."""
        return self.family.name if self.family else ""

    @property
    def thinks(self) -> bool:
        """Whether llama-server sees that this model can think, and lets it where a request does not say."""
        return self.family.thinks(self.text) if self.family else self.analysis.reasoning.found

    @property
    def opening(self) -> str:
        """What reasoning begins with, without white space at its ends; empty where nothing marks it."""
        opening = self.family.opening if self.family and self.thinks else self.analysis.reasoning.opening
        return trimmed(opening) if self.thinks else ""

    @property
    def closings(self) -> tuple[str, ...]:
        """What may end reasoning, without white space at its ends."""
        found = self.family.closings if self.family else (self.analysis.reasoning.closing,)
        return tuple(filter(None, map(trimmed, found))) if self.thinks else ()

    @property
    def opening_text(self) -> str:
        """What opens reasoning, with the white space that the template writes around it; empty where nothing does."""
        if not self.thinks:
            return ""
        if self.family:
            return self.family.opening + self.family.after_opening
        return self.analysis.reasoning.opening

    @property
    def after_reasoning(self) -> str:
        """What stands between reasoning and answer, with the white space that the template writes there."""
        if not self.thinks:
            return ""
        if self.family:
            return self.family.between
        return self.analysis.reasoning.closing + (self.analysis.answer.opening if self.analysis.answer.wrapped else "")

    @property
    def written_tags(self) -> tuple[str, str]:
        """The tags around reasoning with the white space they are written with; empty where none is known or shown.

        A family's are known even where the text of this template has none.
        """
        if self.family is None:
            tags = self.analysis.reasoning
            return (tags.opening, tags.closing) if tags.shown else ("", "")
        if not self.family.closings:
            return "", ""
        closing = self.family.closings[0]
        before, _, after = self.family.between.partition(closing)
        return self.family.opening + self.family.after_opening, before + closing + ("" if trimmed(after) else after)

    @property
    def before_answer(self) -> str:
        """What an answer without reasoning has to begin with, where its format asks for that."""
        if self.family:
            return self.family.before_answer
        return self.analysis.answer.opening if self.analysis.answer.wrapped else ""

    @property
    def calls(self) -> str:
        """A call of a function as the format has it; empty where none is known."""
        return self.family.calls if self.family else self.analysis.calls.example

    def split(
        self, answer: str, generation_prompt: str, *, enable_thinking: bool, eos_token: str = DEEPSEEK_END
    ) -> Split:
        """Return what llama-server makes of an answer to a chat without tools.

        ``generation_prompt`` is what the template wrote to open the assistant's turn. ``eos_token`` is what the model ends
        its answer with: the server prints it where the analysis took it for a mark, as it does in DeepSeek's distills.
        Raises TemplateRenderError where the answer does not fit the format: the request then ends in an error.
        """
        for stop in self.analysis.stops:
            answer = answer.partition(stop)[0]
        answer += eos_token if eos_token in self.analysis.shown else ""
        asked = AnswerContext(self.text, generation_prompt, enable_thinking)
        match = self._parser(asked).at(generation_prompt + answer, 0)
        if match is None:
            raise TemplateRenderError(
                "llama-server answers an error: the model produced output that does not match the expected format",
                hint=f"the format {self.name or 'found in the template'}: see `modelsmith explain`",
            )
        reasoning, content = (
            "".join(text for kind, text in match.captures if kind == wanted) for wanted in (REASONING, CONTENT)
        )
        if not reasoning.strip(" \n\r\t") and not (self.family and self.family.keeps_blank_reasoning):
            reasoning = ""
        return Split(reasoning or None, content if content or reasoning else answer)

    def begun(self, history: str, generation_prompt: str, thought: str, said: str | None) -> str:
        """Return what a prompt has after its history where the assistant has begun to speak.

        ``said`` is None where it has thought only; both empty is no beginning, and nothing of this class.
        """
        if self.family is not None:
            return self.family.begin(self.family, Begun(self.text, history, generation_prompt, thought, said))
        opening, closing = self.analysis.reasoning.opening, self.analysis.reasoning.closing
        if not opening:
            return generation_prompt + (said or "")
        start = generation_prompt.partition(opening)[0]
        return start + opening + thought + (closing + said if said is not None else "")

    def _parser(self, asked: AnswerContext) -> Parser:
        return self.family.parser(asked) if self.family else self.analysis.parser(asked.generation_prompt)


def find_format(text: str, renders: Renders, *, calls: bool, parallel: bool) -> ChatFormat:
    """Return the format of the answers to a template; see :func:`analyse` for ``calls`` and ``parallel``.

    Raises TemplateSyntaxError where the analysis fails and the server does not load the template.
    """
    family = find_family(text)
    analysis = Analysis() if family else analyse(text, renders, calls=calls, parallel=parallel)
    return ChatFormat(text, family, analysis)


def opened_turn(history: str, asking: str) -> str:
    """Return what a prompt has after the same chat without a prompt for an answer: all from the first byte that differs."""
    one, other = as_bytes(history), as_bytes(asking)
    return as_text(other[shared_start(one, other) :])
