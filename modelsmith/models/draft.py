"""The model that a recipe is about to make: a Modelfile, edits of the GGUF's metadata, and what follows from both.

A Draft is a value; every step of a recipe returns a new one. What FROM brings along shows through wherever the
Modelfile says nothing, as it does in Ollama.
"""

from __future__ import annotations

from dataclasses import field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from modelsmith.models.base import brought_along
from modelsmith.parameters import typed_parameters
from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.table import NOTED, HasNoted
from modelsmith.template.effective.effective import EffectiveTemplate, effective_template
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from modelsmith.models.base import Base, Inherited
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.weights.quantize.wishes import Wishes


DEFAULT_TEMPLATE = "{{ .Prompt }}"
"""What Ollama renders for a model without any template."""

CHAT_TEMPLATE_KEY = "tokenizer.chat_template"


@lru_cache(maxsize=32)
def _parsed(text: str) -> ChatTemplate:
    return ChatTemplate.parse(text)


@lru_cache(maxsize=32)
def _effective(
    go_template: str | None,
    chat_template: str | None,
    renderer: str,
    parser: str,
    family: str,
    version: str | None,
    go_template_env: str = "",
) -> EffectiveTemplate:
    return effective_template(
        go_template=go_template,
        chat_template=chat_template,
        renderer=renderer,
        parser=parser,
        family=family,
        version=version,
        go_template_env=go_template_env,
    )


@dataclass(frozen=True, slots=True)
class Injection:
    """A text that a step put (or would put) into the prompt, for which ``think`` values, and where.

    ``reasoning`` is "open" or "closed" where the text is whatever does that in the template that gets it; ``opening`` and
    ``closing`` are then the texts that were given for that, empty where the template's own count.
    """

    text: str
    when: str
    at: str = "generation-prompt"
    reasoning: str = ""
    opening: str = ""
    closing: str = ""


@dataclass(frozen=True)
class Draft(HasNoted):
    """A model in the making.

    ``gguf`` holds metadata edits (None removes a key), ``quantize`` what the weights become, ``adapters`` what is merged into
    them, each with its weight, ``injections`` what was asked for so far, so that it can be
    repeated on the Jinja template when that one runs, and so is ``declared``, the thinking tags that the Go template was to
    declare (empty: those of the template); ``notes`` are sentences for the plan.
    """

    base: Base
    modelfile: Modelfile
    version: str | None = None
    gguf: Mapping[str, Any] = field(default_factory=dict)
    quantize: Wishes | None = None
    merge_shards: bool = False
    adapters: tuple[tuple[Path, float], ...] = ()
    injections: tuple[Injection, ...] = ()
    declared: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def start(cls, base: Base, version: str | None) -> Self:
        """Return the draft that changes nothing yet."""
        return cls(base, base.modelfile, version)

    def with_note(self, note: str) -> Draft:
        """Return the draft with one more sentence for the plan."""
        return replace(self, notes=(*self.notes, note))

    def with_template(self, template: Template) -> Draft:
        """Return the draft with this Go template; an equal one leaves the Modelfile untouched."""
        if self.template is not None and template.text == self.template.text:
            return self
        return replace(self, modelfile=self.modelfile.set_template(template.text))

    def with_go_edit(self, template: Template, step: str) -> Draft:
        """Return the draft with a Go template that a step edited; a note says so where another template runs."""
        edited = self.with_template(template)
        if edited is self or not edited.runs_jinja:
            return edited
        return edited.with_note(
            f"{step} edits the Go template. The Jinja template inside the GGUF, which Ollama 0.30 and later run unless a later "
            "step changes that, stays as it is"
        )

    def with_chat_template(self, chat_template: ChatTemplate) -> Draft:
        """Return the draft whose GGUF carries this Jinja template."""
        if self.chat_template is not None and chat_template.text == self.chat_template.text:
            return self
        return replace(self, gguf={**self.gguf, CHAT_TEMPLATE_KEY: chat_template.text})

    @property
    def changes_weights(self) -> bool:
        """Whether the model gets a GGUF of its own: other metadata, or quantized."""
        made = self.merge_shards or self.base.inherited.checkpoint
        return bool(self.gguf or self.adapters) or self.quantize is not None or made

    @cached_property
    def inherited(self) -> Inherited:
        """What FROM brings along, by the Jinja template that the file has then and the names that the Modelfile gives."""
        inherited = self.base.inherited
        chat_template = self.gguf.get(CHAT_TEMPLATE_KEY, inherited.chat_template)
        return brought_along(inherited, self.modelfile, chat_template, rewritten=self.changes_weights)

    @property
    def template_text(self) -> str | None:
        """The Go template of the model's own layer; None when it has none."""
        return self.modelfile.template or self.inherited.template

    @cached_property
    def template(self) -> Template | None:
        """The Go template, parsed; raises TemplateSyntaxError where Ollama would refuse it."""
        return None if self.template_text is None else Template.parse(self.template_text)

    @cached_property
    def chat_template(self) -> ChatTemplate | None:
        """The Jinja template inside the GGUF; None when there is none, or it cannot be seen."""
        text = self.gguf.get(CHAT_TEMPLATE_KEY, self.base.inherited.chat_template)
        return None if text is None else _parsed(text)

    @cached_property
    def noted(self) -> Mapping[str, str]:
        """The texts for the model's config, given or inherited."""
        return {
            command: self.modelfile.text_of(keyword) or self.inherited.noted.get(command, "")
            for command, keyword in NOTED.items()
        }

    @property
    def system(self) -> str:
        """SYSTEM, given or inherited (an empty one cannot clear an inherited one)."""
        return self.modelfile.system or self.inherited.system

    @property
    def messages(self) -> tuple[tuple[str, str], ...]:
        """MESSAGEs, given or inherited, as roles and texts."""
        if given := self.modelfile.messages:
            return tuple((message.role, message.content) for message in given)
        return tuple(
            (str(message.get("role", "")), str(message.get("content", ""))) for message in self.inherited.messages
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """Typed parameters: given ones over inherited ones, lists replaced whole (server/create.go)."""
        return {**self.inherited.parameters, **typed_parameters(self.modelfile.parameters)}

    @cached_property
    def effective(self) -> EffectiveTemplate:
        """Which template runs, and by which rule; the word of the server itself counts more, where our rules can follow it."""
        ours, said = self.by_our_rules, self.base.inherited.said
        if said is None:
            return ours
        from modelsmith.models.said import SOURCES, facts_of, reason_of

        theirs = SOURCES.get(said.template_source, "")
        if not theirs or theirs == ours.source:
            return ours
        if self.version is not None and said.version and resolve(self.version) != resolve(said.version):
            return ours
        facts = facts_of(said)
        if not facts.keys() <= {"go_template_env"} and not self._is_as_stored:
            return ours
        if not self._is_as_stored and self._stored_by_rules.source == theirs:
            return ours  # the server follows our rules, so the edits may let another template run
        found = self._by_rules(**facts)
        if found.source != theirs:
            return ours
        return replace(found, reason=reason_of(said))

    @cached_property
    def by_our_rules(self) -> EffectiveTemplate:
        """Which template runs by our rules alone, whatever the server says."""
        found = self._by_rules()
        if found.source == "go" and not self.inherited.chat_template_known:
            # /api/show would have shown the Jinja text if the server ran it.
            reason = "the server runs this model's TEMPLATE today, and the edits take no capability away"
            return replace(found, reason=f"{reason} (its GGUF cannot be read from here)")
        return found

    @cached_property
    def _stored_by_rules(self) -> EffectiveTemplate:
        """Which template of the base as it is stored runs, by our rules alone."""
        base = self.base.inherited
        return _effective(base.template, base.chat_template, base.renderer, base.parser, base.family, self.version)

    @property
    def _is_as_stored(self) -> bool:
        stored = self.base.inherited
        same = (self.template_text, self.renderer, self.parser) == (stored.template, stored.renderer, stored.parser)
        return same and not self.gguf

    def _by_rules(self, renderer: str = "", parser: str = "", go_template_env: str = "") -> EffectiveTemplate:
        chat_template = self.gguf.get(CHAT_TEMPLATE_KEY, self.base.inherited.chat_template)
        return _effective(
            self.template_text,
            chat_template,
            renderer or self.renderer,
            parser or self.parser,
            self.inherited.family,
            self.version,
            go_template_env,
        )

    @property
    def runs_jinja(self) -> bool:
        """Whether the Jinja template inside the GGUF runs, and not the Go template."""
        return self.effective.source == "jinja" and self.chat_template is not None

    def render(self, conversation: Conversation, think: Think = None, *, jinja: bool | None = None) -> str:
        """Render with the template that runs, or with the one that ``jinja`` asks for.

        Raises TemplateRenderError where Ollama would fail.
        """
        chat_template = self.chat_template
        if (self.runs_jinja if jinja is None else jinja) and chat_template is not None:
            return chat_template.render(conversation, think, **self.inherited.ends)
        return (self.template or Template.parse(DEFAULT_TEMPLATE)).render(conversation, think)


def as_values(value: Any) -> tuple[Any, ...]:
    """Return the values of one parameter, those of a list or the only one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def with_parameters(draft: Draft, parameters: dict[str, Any]) -> Draft:
    """Return the draft with PARAMETERs set; None drops those that the Modelfile itself sets."""
    modelfile = draft.modelfile
    for name, value in parameters.items():
        modelfile = (
            modelfile.unset_parameter(name) if value is None else modelfile.set_parameter(name, *as_values(value))
        )
    return replace(draft, modelfile=modelfile)
