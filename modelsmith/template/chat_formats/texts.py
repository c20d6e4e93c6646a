"""What to put into a prompt so that the answer begins inside reasoning, or behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.chat_formats.markers import trimmed
from modelsmith.template.chat_formats.states import State

if TYPE_CHECKING:
    from modelsmith.template.chat_formats.chat_format import ChatFormat

_PAIRS = (
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("<thought>\n", "\n</thought>\n\n"),
    ("<reasoning>\n", "\n</reasoning>\n\n"),
)
"""Tags of reasoning that models were trained on: Apertus, Command, Magistral, Seed-OSS, Kimi-VL, EXAONE Deep, others."""

_ANSWERS = ("<|START_RESPONSE|>", "<|START_TEXT|>", "<|content|>", "<|channel|>final<|message|>")
"""What opens an answer behind reasoning in the formats of some families."""

_OPENED = regex(r"<([\w:|]*(?:think|thought|reason)[\w:|]*)>\s*\Z")


@dataclass(frozen=True, slots=True)
class ReasoningTexts:
    """What opens reasoning, and what ends it, with the white space that belongs to them."""

    opening: str = "<think>\n"
    closing: str = "\n</think>\n\n"

    @property
    def tags(self) -> tuple[str, str]:
        """The bare tags."""
        return trimmed(self.opening), trimmed(self.closing)

    def state(self, prompt: str) -> State:
        """Return what a prompt does about reasoning, by its end alone: for formats in which no reasoning is seen."""
        opening, closing = self.tags
        end = trimmed(prompt)
        return State.CLOSES if end.endswith(closing) else State.OPENS if end.endswith(opening) else State.NONE

    def to_open(self, state: State, prompt: str) -> str:
        """Return what a prompt in this state lacks to open reasoning; raises InjectionError where it has closed it."""
        if trimmed(prompt).endswith(_ANSWERS):
            raise InjectionError(
                f"the template itself opens the answer, and reasoning has no place before it: the prompt ends with {prompt[-40:]!r}",
                hint="remove what opens the answer from the template first",
            )
        if state is State.CLOSES:
            raise InjectionError(
                f"the template itself closes reasoning where it should be opened: the prompt ends with {prompt[-40:]!r}",
                hint="remove the closing tag from the template first",
            )
        return "" if state is State.OPENS else self.opening

    def to_close(self, state: State) -> str:
        """Return what a prompt in this state lacks so that reasoning is over."""
        if state is State.CLOSES:
            return ""
        return self.closing if state is State.OPENS else self.opening + self.closing


def texts_of(chat_format: ChatFormat, opening: str = "", closing: str = "", *, prompt: str = "") -> ReasoningTexts:
    """Return the texts of a format; what is given wins, and where nothing is known it is ``<think>`` and ``</think>``.

    The white space is the template's own, as far as its prompts show any; else it is that of DeepSeek-R1 and Qwen 3.
    ``prompt`` is one for an answer: where no tags are known, one at its end that looks like one of reasoning counts, then
    those that the template's text has.
    """
    usual = ReasoningTexts()
    known_opening, known_closing = chat_format.written_tags
    if not (known_opening or known_closing):
        shown = shown_at_the_end(prompt) or written_in(chat_format.text)
        known_opening, known_closing = (shown.opening, shown.closing) if shown else ("", "")
    return ReasoningTexts(opening or known_opening or usual.opening, closing or known_closing or usual.closing)


def shown_at_the_end(prompt: str) -> ReasoningTexts | None:
    """Return the texts by an opening tag at a prompt's end that looks like one of reasoning; None where there is none."""
    shown = _OPENED.search(prompt)
    return ReasoningTexts(shown[0], f"\n</{shown[1]}>\n\n") if shown else None


def written_in(text: str) -> ReasoningTexts | None:
    """Return the texts by tags of reasoning that a template's text has; None where it has none of those that are known."""
    for opening, closing in _PAIRS:
        if opening.strip() in text and closing.strip() in text:
            return ReasoningTexts(opening, closing)
    return None
