"""Step ``inject``: put a text into the prompt: where the assistant's turn opens, beside messages, or at the start."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from modelsmith.errors import ClosedReasoningError, InjectionError
from modelsmith.name import ModelName
from modelsmith.recipe.parts.fields import At, Part, Text, When

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft, Injection


class Options(Part):
    """Put a text into the prompt: where the assistant's turn opens, beside messages, or at the start."""

    text: Text | None = None
    """The text. In double quotes `\\n` is a line break."""

    reasoning: Literal["open", "closed"] | None = None
    """Instead of a text: what opens reasoning in this model's format, or a closed, empty block of it. Its tags are found from the
    model's templates, those of DeepSeek-R1 and Qwen 3 where they show none."""

    opening: str = ""
    """With `reasoning`: the text that opens it, instead of the one that is found."""

    closing: str = ""
    """With `reasoning`: the text that ends it, instead of the one that is found."""

    at: At = "generation-prompt"
    """Where. `generation-prompt`: behind the tail that opens the assistant's turn; past turns stay as they are. `start`: at the
    beginning of the prompt, behind a BOS token that the template prints itself. `before-…` and `after-…`: right before or behind
    the text of messages, inside their turn: of `system`, of every `user` message or only the `last-user` one, of the `assistant`
    (its past answers)."""

    when: When = "always"
    """For which requests: `thinking` means unless a request says `think: false`, `not-thinking` only when it does."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Options:
        if (self.text is None) == (self.reasoning is None):
            raise PydanticCustomError("text_or_reasoning", "expected one of the keys text and reasoning")
        if self.reasoning is not None and self.at != "generation-prompt":
            raise PydanticCustomError(
                "reasoning_place", "reasoning begins where the assistant's turn opens: leave out at"
            )
        return self


_NO_ANSWERS = ("bert", "embedding", "llama-embed")
"""Parts of the names of architectures that only make embeddings."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose Go template puts the texts where they shall stand; raises InjectionError without proof.

    Steps in a row share one place in the template. Prompts that have their text there already stay as they are. Without a
    Go template the texts are remembered for the Jinja template, which ``make-effective`` edits.
    """
    from modelsmith.template.edit.go.ensure import ensure_many

    injections = tuple(_injection(draft, option) for option in options)
    draft = replace(draft, injections=(*draft.injections, *injections))
    template = draft.template
    kind = draft.base.inherited.architecture
    if template is None and draft.chat_template is None and any(word in kind for word in _NO_ANSWERS):
        raise InjectionError(
            f"{kind} gives embeddings and no answers: there is no assistant's turn to put a text into",
            hint="take a model that answers",
        )
    if template is None and draft.chat_template is None:
        raise InjectionError(
            "the model has no template at all, neither a TEMPLATE nor one inside its GGUF: nothing opens the assistant's turn",
            hint="give the recipe a whole template (template: |-) in the format that the model was trained on",
        )
    if template is None:
        return draft
    try:
        for at, group in groupby(injections, key=lambda injection: injection.at):
            template = ensure_many(template, [(injection.text, injection.when) for injection in group], at)
    except ClosedReasoningError as error:
        error.hint = _way_back(draft)
        raise
    return draft.with_template(template)


def _way_back(draft: Draft) -> str:
    """Return what to do about a template that closes reasoning by itself: most were made so, by ``no-think`` or by hand."""
    remove = "remove the closing tag from its template"
    parent, spec = draft.base.inherited.parent, draft.base.spec
    if parent and ModelName.parse(parent) != ModelName.parse(spec):
        return f"{spec} was made from {parent}: start from that one (--set base={parent}), or {remove}"
    if draft.base.inherited.stored:
        return f"if it was made from another model, as no-think does, start from that one; or {remove}"
    return "remove the closing tag from the template first; if no-think put it there, start from what that was given"


def _injection(draft: Draft, options: Options) -> Injection:
    """Return what is put into the Go template; the Jinja template may get another text for reasoning."""
    from modelsmith.models.draft import Injection
    from modelsmith.models.reasoning import go_texts

    if options.text is not None:
        return Injection(options.text, options.when, options.at)
    texts = go_texts(draft, options.opening, options.closing)
    text = texts.opening if options.reasoning == "open" else texts.opening + texts.closing
    return Injection(text, options.when, options.at, options.reasoning or "", options.opening, options.closing)
