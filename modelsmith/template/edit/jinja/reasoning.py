"""Open or close reasoning where a Jinja template opens the assistant's turn, with the tags of its own family.

What a prompt lacks is told by how llama-server would split the answers to it; that the edited template does what was asked
for is proven in the same way. A template that itself closes reasoning where it shall be opened gets its own switch turned,
where it has one. A template without reasoning gets what makes llama-server see it: a comment that it knows old templates of
Qwen by, or an empty block that ends with its closing tag.

Source: llama.cpp common/chat-diff-analyzer.cpp (compare_thinking_enabled, workarounds).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.errors import InjectionError, TemplateError, TemplateRenderError
from modelsmith.memo import remembered, remembering
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.chat_formats.markers import trimmed
from modelsmith.template.chat_formats.states import State, prompt_state
from modelsmith.template.chat_formats.texts import ReasoningTexts, texts_of
from modelsmith.template.conversation.named import NAMED, is_suffix
from modelsmith.template.conversation.think import When
from modelsmith.template.edit.addition import Addition
from modelsmith.template.edit.jinja.inject import add_to_chat_template
from modelsmith.template.edit.jinja.renderings import SWITCHES
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.template.conversation.conversation import Conversation

_KNOWN_BY = "{# llama.cpp knows by content.split('</think>') that this model thinks #}"
_ON = "enable_thinking is not defined or enable_thinking"
_TURNED = regex(rf"\{{%- if {_ON} %\}}\{{%- set (\w+) = (true|['\"][\w-]+['\"]) %\}}\{{%- endif %\}}")
_SWITCHES = regex(r"\b(?:\w*think\w*|\w*reason\w*)\b")
_VALUES = r"""\b{name}\b[^{{}}%]*?(?:==|in)\s*[\[(]?\s*((?:['"][\w-]+['"]\s*,?\s*)+)"""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What an answer shall begin with: inside reasoning (``opens``), or behind it; for the requests that ``when`` means."""

    opens: bool
    when: str = When.ALWAYS

    def holds(self, think: bool) -> bool:
        """Say whether a request with this ``think`` is meant."""
        return When.of(self.when).holds(think)


@remembering()
def ensure_chat_reasoning(
    template: ChatTemplate, wishes: Sequence[Reasoning], opening: str = "", closing: str = ""
) -> ChatTemplate:
    """Return the template whose prompts open or close reasoning as wished: the same one where they do already.

    ``opening`` and ``closing`` are texts to use instead of those that the template's format has. Raises InjectionError
    where the template cannot be edited so, or llama-server would not split the reasoning from the answer.
    """
    texts = reasoning_texts(template, opening, closing)
    if not reasoning_prompts(template, True):
        return add_to_chat_template(template, Addition(texts.opening, texts.opening, ""))  # says why there is none
    if _does(template, wishes, texts):
        return template
    refused: InjectionError | None = None
    for candidate, words in _candidates(template, texts, wishes):
        try:
            edited = _edited(candidate, wishes, words)
        except InjectionError as error:
            refused = refused or error
            continue
        except TemplateError:
            continue
        if _does(edited, wishes, words):
            return edited
        refused = refused or _unseen(words)
    raise _ignored_flag(template) or refused or _unseen(texts)


@remembering()
def declare_chat_thinking(template: ChatTemplate, opening: str = "", closing: str = "") -> ChatTemplate:
    """Return the template in which llama-server sees reasoning between these tags: the same one where it does already.

    Empty tags are those of the template's format. No prompt changes. Raises InjectionError where the server sees others, or
    none whatever is done.
    """
    chat_format = template.format()
    wanted = (trimmed(opening), trimmed(closing))
    if chat_format.thinks and chat_format.closings:
        found = (chat_format.opening, chat_format.closings[0])
        if any(tag and tag != known for tag, known in zip(wanted, found, strict=True)):
            raise InjectionError(
                f"llama-server finds other thinking tags in the Jinja template, {found[0] or 'none'} and {found[1]}",
                hint="use these tags, or edit the template",
            )
        return template
    texts = reasoning_texts(template, opening, closing)
    for shown, _ in _showing(template, texts):
        if shown.format().thinks and texts.tags[1] in shown.format().closings:
            return shown
    raise _unseen(texts)


def reasoning_texts(template: ChatTemplate, opening: str = "", closing: str = "") -> ReasoningTexts:
    """Return what opens and ends reasoning in a template; what is given wins."""
    shown = reasoning_prompts(template, True)
    return texts_of(template.format(), opening, closing, prompt=shown[0].prompt if shown else "")


class Asking(NamedTuple):
    """The prompt of a named conversation that a user ends, and what it does about reasoning."""

    name: str
    prompt: str
    state: State


def reasoning_prompts(template: ChatTemplate, think: bool) -> list[Asking]:
    """Return the prompts of the conversations that a user ends, as far as the template takes them."""
    return remembered(("asking", template.text, think), lambda: _reasoning_prompts(template, think))


def _reasoning_prompts(template: ChatTemplate, think: bool) -> list[Asking]:
    found = []
    for name, conversation in NAMED.items():
        if conversation.turns and conversation.turns[-1].role == "user" and not is_suffix(conversation):
            try:
                found.append(Asking(name, *prompt_state(template, conversation, think)))
            except TemplateRenderError:
                continue
    return found


def _does(template: ChatTemplate, wishes: Sequence[Reasoning], texts: ReasoningTexts) -> bool:
    """Say whether the prompts do what is wished, and llama-server splits by the tags that were meant."""
    chat_format = template.format()
    if not chat_format.thinks or texts.tags[1] not in chat_format.closings:
        return False
    for think in SWITCHES:
        wanted = _wanted(wishes, think)
        if wanted is not None and any(asking.state is not wanted for asking in reasoning_prompts(template, think)):
            return False
    return True


def _wanted(wishes: Sequence[Reasoning], think: bool) -> State | None:
    held = [wish for wish in wishes if wish.holds(think)]
    if not held:
        return None
    return State.OPENS if held[-1].opens else State.CLOSES


def _candidates(
    template: ChatTemplate, texts: ReasoningTexts, wishes: Sequence[Reasoning]
) -> Iterator[tuple[ChatTemplate, ReasoningTexts]]:
    """Yield templates to add the texts to: this one, one with its own switch turned, and ones that show that they think."""
    yield template, texts
    if _wanted(wishes, True) is State.OPENS and State.CLOSES in _states(template, texts, True).values():
        for switched in _switched(template):
            yield from _showing(switched, texts)
        return
    yield from _showing(template, texts)


def _showing(template: ChatTemplate, texts: ReasoningTexts) -> Iterator[tuple[ChatTemplate, ReasoningTexts]]:
    """Yield a template in ways that show llama-server that the model thinks."""
    yield template, texts
    if texts.tags == ReasoningTexts().tags and "reasoning_content" not in template.text:
        body = template.text.removesuffix("\n")
        yield ChatTemplate(body + _KNOWN_BY + template.text[len(body) :]), texts
    ended = ReasoningTexts(texts.opening, texts.closing.rstrip())
    if ended != texts:
        yield template, ended


def _edited(template: ChatTemplate, wishes: Sequence[Reasoning], texts: ReasoningTexts) -> ChatTemplate:
    on, off = (_missing(template, _wanted(wishes, think), texts, think) for think in SWITCHES)
    return add_to_chat_template(template, Addition(on, on, off))


def _missing(template: ChatTemplate, wanted: State | None, texts: ReasoningTexts, think: bool) -> str:
    if wanted is None:
        return ""
    lacks = {
        texts.to_open(state, prompt) if wanted is State.OPENS else texts.to_close(state): prompt
        for prompt, state in _states(template, texts, think).items()
    }
    if len(lacks) > 1:
        ends = " and ".join(repr(prompt[-30:]) for prompt in lacks.values())
        raise InjectionError(
            f"the template opens its turns in different ways, the prompts end with {ends}: no text would fit all",
            hint="inject a text with a condition of your own, or write the template anew",
        )
    return next(iter(lacks), "")


def _states(template: ChatTemplate, texts: ReasoningTexts, think: bool) -> dict[str, State]:
    """Return the prompts and what they do about reasoning; by their ends alone where llama-server sees none."""
    return {
        asking.prompt: texts.state(asking.prompt) if asking.state is State.NONE else asking.state
        for asking in reasoning_prompts(template, think)
    }


def _unseen(texts: ReasoningTexts) -> InjectionError:
    opening, closing = texts.tags
    return InjectionError(
        f"llama-server, which runs the Jinja template, would not split reasoning between {opening} and {closing} from the "
        "answer, whatever is added to it",
        hint="give the model a Go TEMPLATE that declares the tags, or a RENDERER and PARSER of its family",
    )


def _ignored_flag(template: ChatTemplate) -> InjectionError | None:
    """Return the reason of a template that opens the assistant's turn although it is not asked to."""
    conversation = NAMED["user"]
    if template.render(conversation, True) != template.render(conversation, True, add_generation_prompt=False):
        return None
    return InjectionError(
        "the template opens the assistant's turn even where it is not asked to (add_generation_prompt): llama-server does not "
        "see what its prompts end with, and begun answers would get the text too",
        hint="let the template open the turn only where add_generation_prompt is true",
    )


def _switched(template: ChatTemplate) -> Iterator[ChatTemplate]:
    """Yield the template with one of its own variables set by what the request says about thinking."""
    break_kept = "\n" if template.text.startswith("\n") else ""
    for name in dict.fromkeys(_SWITCHES.findall(template.text)):
        if name in {"enable_thinking", "reasoning_content", "thinking_content"}:
            continue
        values = ["true", *dict.fromkeys(_values(template.text, name))]
        for value in values:
            try:
                on = _with(template, name, value)
            except TemplateError:
                continue
            if on:
                code = f"{{%- if {_ON} %}}{{%- set {name} = {value} %}}{{%- endif %}}"
                yield ChatTemplate(code + break_kept + template.text)


def turned_switch(template: ChatTemplate) -> dict[str, bool | str]:
    """Return the variable that an edit of this module set where thinking is on, and its value; empty where it set none."""
    match = _TURNED.match(template.text)
    return {match[1]: True if match[2] == "true" else match[2][1:-1]} if match else {}


def _values(text: str, name: str) -> Iterator[str]:
    for match in re.finditer(_VALUES.format(name=re.escape(name)), text):
        yield from re.findall(r"""['"][\w-]+['"]""", match[1])


def _with(template: ChatTemplate, name: str, value: str) -> bool:
    """Say whether the prompt does not close reasoning where a variable has a value."""
    given = True if value == "true" else value[1:-1]
    first: Conversation = NAMED["user"]
    closed = template.render(first, True)
    return template.render(first, True, variables={name: given}) != closed
