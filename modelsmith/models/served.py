"""What renders for a model, a Modelfile, a GGUF or a template file, and what Ollama does to a request before that.

Source: Ollama server/routes.go (ChatHandler, GenerateHandler): the model's own messages and system prompt come first, past
answers of some models lose their reasoning, an unset ``think`` is true for a model that can think, and a request for what the
model cannot do is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelsmithError, UsageError
from modelsmith.files.paths import anchored
from modelsmith.models.sources.bare import is_bare, is_jinja, read_template
from modelsmith.template.conversation.history import drops_reasoning, without_reasoning
from modelsmith.template.effective.think_rules import think_semantics
from modelsmith.template.jinja.ends import NO_ENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.models.draft import Draft
    from modelsmith.store import Store
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.jinja.ends import TextEnds

TRANSFORMERS = "transformers"
"""The engine that renders a Jinja template by jinja2, as transformers, vLLM and SGLang do."""


@dataclass(frozen=True, slots=True)
class PromptRenderer:
    """What renders: ``name`` as in EffectiveTemplate.source, and what can be said about it.

    ``system`` and ``messages`` are the model's own, which Ollama puts in front of every conversation; ``drops_reasoning``
    says that it takes reasoning out of past answers, ``version`` which Ollama that is (None: a template file, which no
    Ollama stands before), ``weights`` where the GGUF with its vocabulary is; ``with_variables`` renders with further ones, None
    where the template has none of its own; ``unheard`` says which of those that were given change nothing. ``chat_template`` is the text of the Jinja template that renders.
    """

    name: str
    template: Callable[[Conversation, Think], str]
    thinking_tags: tuple[str, str]
    capabilities: frozenset[str]
    reason: str = ""
    weights: Path | None = None
    system: str = ""
    messages: tuple[tuple[str, str], ...] = ()
    drops_reasoning: bool = False
    is_model: bool = False
    version: str | None = None
    with_variables: Callable[[Mapping[str, Any]], Callable[[Conversation, Think], str]] | None = None
    chat_template: str = ""
    unheard: tuple[str, ...] = ()

    def render(self, talk: Conversation, think: Think = None) -> str:
        """Return the prompt that the model gets for a request; raises TemplateRenderError where Ollama fails."""
        return self.template(self.served(talk), self.think(think))

    def served(self, talk: Conversation) -> Conversation:
        """Return the conversation with what the model says first, and without what Ollama takes out of past answers."""
        request = talk.to_dict()
        is_chat = bool(request["messages"])
        given = request["messages"] or ([{"role": "user", "content": talk.prompt}] if talk.prompt else [])
        own = [{"role": role, "content": content} for role, content in self.messages]
        if not given or (talk.prompt and talk.suffix):
            return talk
        if self.system and given[0]["role"] != "system":
            own.insert(0, {"role": "system", "content": self.system})
        whole = type(talk).from_dict(request | {"messages": own + given}) if own else talk
        return without_reasoning(whole) if self.drops_reasoning and is_chat else whole

    def think(self, asked: Think) -> Think:
        """Return what the template gets for a request's ``think``: unset is true where the model can think."""
        if asked is not None or not self.is_model:
            return asked
        return think_semantics(self.version, "thinking" in self.capabilities, None).value

    def refusal(self, talk: Conversation, asked: Think) -> str:
        """Return why Ollama answers the request with HTTP 400 and renders nothing; ``""`` where it does not, or no model is known."""
        if not self.is_model:
            return ""
        if error := think_semantics(
            self.version, "thinking" in self.capabilities, asked, harmony=self.name == "harmony"
        ).error:
            return error
        needed = {"tools": bool(talk.tools and talk.messages), "insert": bool(talk.suffix and not talk.messages)}
        missing = [name for name, is_needed in needed.items() if is_needed and name not in self.capabilities]
        return f"the model does not support {missing[0]}" if missing else ""


def find_renderer(
    spec: str,
    store: Callable[[], Store],
    folder: Path,
    engine: str | None = None,
    version: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> PromptRenderer:
    """Return what renders for ``spec``; ``store`` is asked only where a model's name needs it.

    ``engine`` is ``go``, ``jinja``, ``transformers`` (the Jinja template, as jinja2 runs it) or None for the one that runs; ``variables``
    are those of a Jinja template. Raises UsageError where there is no such template, TemplateError, ModelNotFound …
    """
    found = _find_renderer(spec, store, folder, engine, version)
    if not variables:
        return found
    if found.with_variables is None:
        raise UsageError(
            f"{spec}: only a Jinja template has variables of its own, and {found.name} renders here",
            hint="leave out --var, or render the Jinja template inside the GGUF with --engine jinja",
        )
    from modelsmith.template.jinja.given_variables import without_effect

    unheard = without_effect(found.chat_template, variables)
    return replace(found, template=found.with_variables(variables), unheard=unheard)


def _find_renderer(
    spec: str, store: Callable[[], Store], folder: Path, engine: str | None, version: str | None
) -> PromptRenderer:
    if is_bare(spec, folder):
        kind = "jinja" if is_jinja(spec) else "go"
        if engine not in (None, kind) and not (engine == TRANSFORMERS and kind == "jinja"):
            words = {"jinja": "Jinja", "go": "Go"}
            raise UsageError(
                f"{spec} is a {words[kind]} template: there is nothing that --engine {engine} could render",
                hint=f"leave out --engine {engine}, or turn the template into the other language with `modelsmith convert {spec}`",
            )
        text = read_template(spec, folder)
        return jinja_renderer(text, engine) if kind == "jinja" else go_renderer(text)
    return _model(spec, store, folder, engine, version)


def go_renderer(text: str) -> PromptRenderer:
    """Return what renders for a Go template alone; raises TemplateSyntaxError."""
    from modelsmith.template.effective.capabilities import capabilities
    from modelsmith.template.go.template import Template

    template = Template.parse(text)
    return PromptRenderer("go", template.render, template.thinking_tags, capabilities(go_template=template))


def jinja_renderer(text: str, engine: str | None = None, ends: TextEnds = NO_ENDS) -> PromptRenderer:
    """Return what renders for a Jinja template alone, ``engine`` as in ``find_renderer``; raises TemplateSyntaxError."""
    from modelsmith.template.effective.capabilities import capabilities
    from modelsmith.template.jinja.template import ChatTemplate
    from modelsmith.template.jinja.transformers.template import TransformersTemplate

    is_second = engine == TRANSFORMERS
    template = TransformersTemplate.parse(text) if is_second else ChatTemplate.parse(text)

    def with_variables(variables: Mapping[str, Any]) -> Callable[[Conversation, Think], str]:
        if isinstance(template, ChatTemplate):
            return lambda talk, think: template.render(talk, think, variables=variables, **ends)
        bos, eos = ends["bos_token"], ends["eos_token"]
        return lambda talk, think: template.render(talk, think, variables=variables, bos_token=bos, eos_token=eos)

    tags = ("", "")
    if isinstance(template, ChatTemplate):
        tags = template.reasoning.opening.strip(), template.reasoning.closing.strip()
    return PromptRenderer(
        TRANSFORMERS if is_second else "jinja",
        with_variables({}),
        tags,
        capabilities(chat_template=text),
        with_variables=with_variables,
        chat_template=text,
    )


def _model(
    spec: str, store: Callable[[], Store], folder: Path, engine: str | None, version: str | None
) -> PromptRenderer:
    from modelsmith.models.draft import Draft
    from modelsmith.models.find import find_base

    path = Path(anchored(spec, folder))
    base = find_base(spec, store(), folder, alone=lambda modelfile: bool(modelfile.template))
    draft = Draft.start(base, version)
    if base.missing:  # what its own TEMPLATE renders is known
        if engine in {"jinja", TRANSFORMERS}:
            raise UsageError(
                f"{spec}: no Jinja template is at hand: {base.missing}", hint=f"leave out --engine {engine}"
            )
        return replace(go_renderer(draft.template_text or ""), system=draft.system, messages=draft.messages)
    name = "" if path.is_file() or spec.startswith("sample:") else spec
    return served_by(draft, spec, name=name, engine=engine)


def served_by(draft: Draft, spec: str, *, name: str = "", engine: str | None = None) -> PromptRenderer:
    """Return what renders for a draft that people call ``spec``; ``name`` is the one that it has in a store, where it has one.

    ``engine`` as in ``find_renderer``. Raises ModelsmithError where code inside Ollama renders.
    """
    return replace(
        _of_draft(spec, engine, draft),
        system=draft.system,
        messages=draft.messages,
        weights=draft.inherited.weights,
        drops_reasoning=drops_reasoning(name=name, family=draft.inherited.family, version=draft.version),
        is_model=True,
        version=draft.version,
    )


def _fallback(draft: Draft) -> Callable[[Conversation, Think], str]:
    """Return what renders where there is no template at all: ChatML for chats, the bare prompt for the others."""
    from modelsmith.models.chat_renderer import chat_renderer_of
    from modelsmith.models.draft import DEFAULT_TEMPLATE
    from modelsmith.template.go.template import Template

    chats, bare = chat_renderer_of(draft), Template.parse(DEFAULT_TEMPLATE)
    return lambda talk, think: chats.render(talk, think) if talk.messages else bare.render(talk, think)


def _of_draft(spec: str, engine: str | None, draft: Draft) -> PromptRenderer:
    effective = draft.effective
    if engine == "go" or (engine is None and effective.source in {"go", "parser", "default"}):
        go = go_renderer(draft.template_text or "{{ .Prompt }}")
        return replace(
            go,
            template=_fallback(draft) if engine is None and effective.source == "default" else go.template,
            name="go" if engine == "go" else effective.source,
            capabilities=effective.capabilities,
            reason=effective.reason,
        )
    if engine in {"jinja", TRANSFORMERS} or effective.source == "jinja":
        if draft.chat_template is None:
            raise UsageError(f"{spec} has no Jinja template inside its GGUF", hint=f"leave out --engine {engine}")
        jinja = jinja_renderer(draft.chat_template.text, engine, draft.inherited.ends)
        return replace(jinja, capabilities=effective.capabilities, reason=effective.reason)
    raise ModelsmithError(
        f"{spec}: {effective.reason}",
        hint="that code is inside Ollama; --engine go shows what TEMPLATE alone renders",
    )
