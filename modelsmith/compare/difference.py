"""What differs between two models, Modelfiles, GGUFs or templates: their texts, their values, and what the model reads.

Two things are equal when a model made of either would read the same prompts and run with the same values; a text that is
laid out differently and means the same is told, and is no difference.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from modelsmith.compare.values import Value, compared_metadata, compared_values, untold
from modelsmith.models.rendered import renderings
from modelsmith.template.allowance import foresee
from modelsmith.template.conversation.named import NAMED, is_suffix
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.outcomes import Outcome, compared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.compare.side import Side
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think

_TOLD = 4  # names of conversations in a note


@dataclass(frozen=True, slots=True)
class Text:
    """One text of both sides; None where a side does not have it."""

    name: str
    a: str | None
    b: str | None

    @property
    def same(self) -> bool:
        """Whether both are the same characters."""
        return self.a == self.b

    def lines(self) -> Iterator[str]:
        """Yield the unified difference, without its two header lines."""
        old, new = (self.a or "").splitlines(), (self.b or "").splitlines()
        if self.a != self.b and old == new:
            yield "  (only line ends differ)"
        for number, line in enumerate(difflib.unified_diff(old, new, lineterm="", n=2)):
            if number > 1:
                yield line


@dataclass(frozen=True, slots=True)
class Prompts:
    """What one conversation becomes on both sides under one ``think`` value.

    ``comparable`` False: Go and Jinja templates cannot but differ here, so that it counts for neither.
    """

    name: str
    think: Think
    a: Outcome
    b: Outcome
    comparable: bool = True

    @property
    def same(self) -> bool:
        """Whether the model reads the same: the same prompt, or none because both templates fail."""
        return self.a == self.b or self.both_fail or not self.comparable

    @property
    def both_fail(self) -> bool:
        """Whether neither side renders it."""
        return bool(self.a.error and self.b.error)


@dataclass(frozen=True)
class Difference:
    """Everything that was compared.

    ``unrendered`` says why prompts could not be, ``same_code`` that they need not be; ``notes`` tell what else was not.
    """

    a: Side
    b: Side
    conversations: Mapping[str, Conversation]
    values: tuple[Value, ...]
    metadata: tuple[Value, ...]
    texts: tuple[Text, ...]
    prompts: tuple[Prompts, ...]
    unrendered: str = ""
    same_code: bool = False
    notes: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether both are the same to whoever uses them."""
        return not self.different_values and not self.different_prompts and (self.same_code or not self.unrendered)

    @property
    def same_text(self) -> bool:
        """Whether every text is the same, too."""
        return all(text.same for text in self.texts) and not _two_languages(self.a, self.b)

    @cached_property
    def different_values(self) -> tuple[Value, ...]:
        """The values and metadata that differ and decide."""
        return tuple(value for value in (*self.values, *self.metadata) if value.decides and not value.same)

    @cached_property
    def different_prompts(self) -> tuple[Prompts, ...]:
        """The prompts that differ."""
        return tuple(pair for pair in self.prompts if not pair.same)

    @cached_property
    def different_names(self) -> tuple[str, ...]:
        """The conversations that differ under any ``think`` value."""
        return tuple(dict.fromkeys(pair.name for pair in self.different_prompts))

    @cached_property
    def incomparable_names(self) -> tuple[str, ...]:
        """The conversations in which a Go and a Jinja template cannot agree."""
        return tuple(dict.fromkeys(pair.name for pair in self.prompts if not pair.comparable))

    @cached_property
    def smallest(self) -> Prompts | None:
        """The smallest conversation that differs: one that both sides render and a user speaks in, if there is one."""
        return min(self.different_prompts, key=self._size, default=None)

    def _size(self, pair: Prompts) -> tuple[bool, bool, int, int, int]:
        conversation = self.conversations[pair.name]
        turns = conversation.turns
        spoken = any(turn.role == "user" and turn.content for turn in conversation.messages)
        length = sum(len(turn.content) + len(turn.thinking) for turn in turns)
        extras = len(conversation.tools) + sum(len(turn.images or ()) for turn in turns)
        failed = bool(pair.a.error or pair.b.error)
        return failed, not spoken, len(turns) + 2 * extras, length, THINKS.index(pair.think)


def difference(a: Side, b: Side, conversations: Mapping[str, Conversation] = NAMED) -> Difference:
    """Compare two sides; renders every conversation under every ``think`` value with the template that runs on each."""
    a, b = a.with_tokens_of(b), b.with_tokens_of(a)
    unrendered, same_code = "", False
    if a.unseen or b.unseen:
        same_code = a.unseen == b.unseen and a.draft.template_text == b.draft.template_text
        unrendered = _why(a, b, same_code=same_code)
    prompts = () if unrendered else tuple(_prompts(a, b, conversations))
    return Difference(
        a=a,
        b=b,
        conversations=conversations,
        values=tuple(compared_values(a, b)),
        metadata=tuple(compared_metadata(a, b)),
        texts=tuple(_texts(a, b)),
        prompts=prompts,
        unrendered=unrendered,
        same_code=same_code,
        notes=tuple(dict.fromkeys((*a.notes, *b.notes, *_second_opinions(a, b), *untold(a, b)))),
    )


def _second_opinions(a: Side, b: Side) -> Iterator[str]:
    """Yield for each Jinja template that runs which chats jinja2 (transformers, vLLM) makes another prompt of than llama-server."""
    from modelsmith.template.jinja.second_opinion import disagreements

    told: set[str] = set()
    for side in (a, b):
        template = side.draft.chat_template if side.draft.runs_jinja and not side.unseen else None
        if template is None or template.text in told:
            continue
        told.add(template.text)
        ends = side.draft.inherited.ends
        found = disagreements(template, bos_token=ends["bos_token"], eos_token=ends["eos_token"])
        # a begun answer is continued in another way by each of these programs, whatever the template
        found = tuple(disagreement for disagreement in found if not _is_begun(disagreement.conversation))
        if names := list(dict.fromkeys(disagreement.conversation for disagreement in found)):
            first = found[0]
            more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
            yield (
                f"{side.spec}: transformers, vLLM and SGLang make something else than llama-server of {', '.join(names[:_TOLD])}{more}: "
                f"{first.transformers!r} in place of {first.llama_server!r}"
            )


def _is_begun(name: str) -> bool:
    """Say whether a conversation ends with the assistant's words, which the model goes on with."""
    conversation = NAMED.get(name)
    return conversation is not None and bool(conversation.messages) and conversation.messages[-1].role == "assistant"


def _why(a: Side, b: Side, *, same_code: bool) -> str:
    if same_code:
        return f"on both sides prompts come from {a.unseen}"
    told = [f"those of {side.spec} come from {side.unseen}" for side in (a, b) if side.unseen]
    return f"prompts cannot be compared here: {', and '.join(told)}"


def _prompts(a: Side, b: Side, conversations: Mapping[str, Conversation]) -> Iterator[Prompts]:
    mixed = a.draft.runs_jinja != b.draft.runs_jinja
    with foresee(len(conversations) * (1 if _one_template(a, b) else 2)):
        for pair in compared(renderings(a.draft), renderings(b.draft), conversations):
            comparable = not mixed or _is_comparable(pair.conversation)
            yield Prompts(pair.name, pair.think, pair.before, pair.after, comparable)


def _one_template(a: Side, b: Side) -> bool:
    """Say whether what one side renders is what the other does, which is then remembered."""
    return a.draft.runs_jinja == b.draft.runs_jinja and a.effective.text == b.effective.text


def _is_comparable(conversation: Conversation) -> bool:
    """Say whether Go and Jinja can agree: images are put in by Ollama or by llama-server, and Jinja knows no suffix."""
    return not is_suffix(conversation) and not any(turn.images for turn in conversation.turns)


def _texts(a: Side, b: Side) -> Iterator[Text]:
    if a.modelfile is not None and b.modelfile is not None:
        yield Text("Modelfile", a.modelfile, b.modelfile)
    if _two_languages(a, b):
        return  # line by line there is nothing to learn
    jinja = [None if side.draft.chat_template is None else side.draft.chat_template.text for side in (a, b)]
    pairs = (
        ("TEMPLATE (Go)", a.draft.template_text, b.draft.template_text),
        ("template inside the GGUF (Jinja)", jinja[0], jinja[1]),
    )
    for name, ours, theirs in pairs:
        if name.startswith("TEMPLATE") and _told_by_modelfiles(a, b):
            continue
        lacking = (ours is None and a.is_bare) or (theirs is None and b.is_bare)
        if not lacking and (ours is not None or theirs is not None):
            yield Text(name, ours, theirs)


def _told_by_modelfiles(a: Side, b: Side) -> bool:
    return all(side.modelfile is not None and side.draft.modelfile.template for side in (a, b))


def _two_languages(a: Side, b: Side) -> bool:
    return a.is_bare and b.is_bare and a.kind != b.kind
