"""Which template builds the prompt, by which rule, and how to make another one win.

Since 0.30 Ollama decides for each model between its own renderers, the Go TEMPLATE and the Jinja template inside the
GGUF, and says nothing when a TEMPLATE is not used. Here is the rule, with its reason and the ways around it.

Source: Ollama server/routes.go (usesOllamaRenderedChat, shouldUseGoTemplate, shouldUseHarmony) and server/images.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.template.effective.capabilities import (
    as_template,
    chat_capabilities,
    go_capabilities,
    prefer_chat_template,
)
from modelsmith.template.effective.renderers import PARSERS, RENDERERS
from modelsmith.template.effective.ways import ways_past
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from modelsmith.template.go.template import Template
    from modelsmith.template.jinja.template import ChatTemplate
    from modelsmith.versions import Version

DEFAULT_TEMPLATE = "{{ .Prompt }}"
"""What Ollama renders where a model has no TEMPLATE."""

_HARMONY_FAMILIES = frozenset({"gptoss", "gpt-oss"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True, slots=True)
class EffectiveTemplate:
    """The template that runs.

    ``source`` is one of renderer, parser, harmony, go, jinja, default; "parser" is the Go TEMPLATE, which runs because
    PARSER is set. ``since`` is the first version with the rule, ``text`` the template's text (None where Ollama's own
    code renders, or llama-server's), ``ways`` how to make another template win and at what cost, ``capabilities`` what
    templates, parser and family give the model (its weights add completion or embedding, vision, audio).
    """

    source: str
    reason: str
    since: str
    text: str | None
    ways: tuple[str, ...]
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Model:
    go: Template | None
    jinja: str
    renderer: str
    parser: str
    family: str
    env: str
    ollama: Version

    @property
    def go_text(self) -> str:
        """The Go template's text, or that of the default."""
        return DEFAULT_TEMPLATE if self.go is None else self.go.text

    @property
    def is_native(self) -> bool:
        """Whether this Ollama can hand a chat to llama-server with the GGUF's template."""
        return self.ollama.has("0.30.0")

    @property
    def go_is_used(self) -> bool:
        """Whether the TEMPLATE counts, RENDERER, PARSER and harmony aside (shouldUseGoTemplate)."""
        if self.go is None:
            return False
        if not self.is_native:
            return True
        if self.env:
            return self.env not in _FALSE
        decided = self.renderer or self.parser or self.is_harmony
        return bool(decided) or not prefer_chat_template(self.go, self.jinja, version=self.ollama)

    @property
    def is_harmony(self) -> bool:
        """Whether Ollama takes this for gpt-oss's own format."""
        tagged = "<|start|>" in self.go_text and "<|end|>" in self.go_text
        return self.family in _HARMONY_FAMILIES and tagged and self.ollama.has("0.11.0")


def effective_template(
    *,
    go_template: Template | str | None = None,
    chat_template: ChatTemplate | str | None = None,
    renderer: str = "",
    parser: str = "",
    family: str = "",
    version: str | Version | None = None,
    go_template_env: str | None = None,
) -> EffectiveTemplate:
    """Return the template that Ollama uses for chat, why, and how to change that.

    ``go_template`` is the model's TEMPLATE (None where it has none), ``chat_template`` the Jinja text in its GGUF,
    ``renderer``, ``parser`` and ``family`` stand in its config, ``go_template_env`` is the server's OLLAMA_GO_TEMPLATE.
    Raises TemplateSyntaxError where Ollama could not load the TEMPLATE.
    """
    ollama = resolve(version)
    model = _Model(
        go=None if go_template is None else as_template(go_template),
        jinja="" if chat_template is None else str(chat_template),
        renderer=renderer if ollama.has("0.12.0") else "",
        parser=parser if ollama.has("0.12.0") else "",
        family=family,
        env=(go_template_env or "").strip().strip("\"'"),
        ollama=ollama,
    )
    source, reason, since, text = _decide(model)
    given = _capabilities(model, source)
    ways = ways_past(source, model.go is not None, bool(model.jinja), native=model.is_native, env=bool(model.env))
    return EffectiveTemplate(source, reason, since, text, ways, given)


def _decide(model: _Model) -> tuple[str, str, str, str | None]:
    if model.renderer:
        return "renderer", _renderer_reason(model), "0.12.0", None
    if model.parser:
        return "parser", _parser_reason(model), "0.12.0", model.go_text
    if model.is_harmony:
        reason = (
            f"the family is {model.family} and the TEMPLATE has harmony's tags: Ollama renders the TEMPLATE as harmony"
        )
        return "harmony", reason, "0.11.0", model.go_text
    if model.go_is_used:
        return "go", _go_reason(model), "0.30.0" if model.is_native and model.jinja else "", model.go_text
    if model.is_native and model.jinja:
        generate = "" if model.ollama.has("0.30.11") else "; /api/generate still uses the TEMPLATE before 0.30.11"
        return "jinja", _jinja_reason(model) + generate, "0.30.0", model.jinja
    return _default(model)


def _default(model: _Model) -> tuple[str, str, str, str | None]:
    if not model.is_native:
        return (
            "default",
            f"the model has no TEMPLATE: Ollama {model.ollama} renders {DEFAULT_TEMPLATE}",
            "",
            DEFAULT_TEMPLATE,
        )
    if model.go is not None:
        reason = f"OLLAMA_GO_TEMPLATE={model.env} turns the TEMPLATE off and the GGUF has no Jinja template"
        return "default", f"{reason}: llama-server falls back to ChatML", "0.30.0", None
    reason = (
        f"the model has neither a TEMPLATE nor a Jinja template: /api/generate and /api/show use {DEFAULT_TEMPLATE}"
    )
    return "default", f"{reason}, chats fall back to llama-server's ChatML", "0.30.0", DEFAULT_TEMPLATE


def _renderer_reason(model: _Model) -> str:
    known = RENDERERS.get(model.renderer)
    reason = f"RENDERER {model.renderer} is set: Ollama builds the prompt in its own code"
    if model.go is not None:
        reason += " and the TEMPLATE is not used"
    if known is None:
        return f'{reason}, but no Ollama up to 0.33 knows this renderer, so chats fail with unknown renderer "{model.renderer}"'
    if not model.ollama.has(known.since):
        return f"{reason}, but this renderer came with {known.since}, so chats fail on {model.ollama}"
    return reason


def _parser_reason(model: _Model) -> str:
    known = PARSERS.get(model.parser)
    template = f"the default {DEFAULT_TEMPLATE}" if model.go is None else "the TEMPLATE"
    if model.is_native:
        reason = f"PARSER {model.parser} is set, so Ollama renders {template} itself"
        reason += " and the Jinja template in the GGUF is not used" if model.jinja else ""
    else:
        reason = f"Ollama {model.ollama} renders {template}, and PARSER {model.parser} reads the answer"
    if known is None or not model.ollama.has(known.since):
        return f"{reason}; this Ollama knows no such parser, so answers are read as if there were none"
    return reason


def _go_reason(model: _Model) -> str:
    if model.go is None or not model.is_native:
        return f"Ollama {model.ollama} always renders the TEMPLATE; Jinja templates count from 0.30.0 on"
    if not model.jinja:
        return "the model has a TEMPLATE, and its GGUF has no Jinja template to compete with it"
    if model.env:
        return f"OLLAMA_GO_TEMPLATE={model.env} on the server makes every TEMPLATE win"
    go, jinja = go_capabilities(model.go), chat_capabilities(model.jinja)
    offers = f"the TEMPLATE offers {_words(go)}, the Jinja template in the GGUF {_words(jinja)}"
    if len(jinja) > len(go):
        return f"{offers}, but only the TEMPLATE handles a whole tool round trip"
    return f"{offers}: not more, so the TEMPLATE runs"


def _jinja_reason(model: _Model) -> str:
    if model.go is None:
        return "the model has no TEMPLATE: chats go to llama-server with the Jinja template in the GGUF"
    if model.env:
        return f"OLLAMA_GO_TEMPLATE={model.env} on the server turns every TEMPLATE off"
    go, jinja = go_capabilities(model.go), chat_capabilities(model.jinja)
    offers = f"the Jinja template in the GGUF offers {_words(jinja)}, the TEMPLATE {_words(go)}"
    if go == jinja:
        return f"{offers}, but only the Jinja template handles a whole tool round trip: the TEMPLATE is not used"
    return f"{offers}; Ollama runs the one that offers more, so the TEMPLATE is not used"


def _capabilities(model: _Model, source: str) -> frozenset[str]:
    found = go_capabilities(model.go) if model.go is not None and model.go_is_used else frozenset()
    if source == "jinja":
        found |= chat_capabilities(model.jinja)
    parser = PARSERS.get(model.parser)
    if parser is not None and model.ollama.has(parser.since):
        found |= parser.capabilities
    if model.family in _HARMONY_FAMILIES and model.ollama.has("0.9.0"):
        found |= {"thinking"}
    return found if model.ollama.has("0.9.0") else found - {"thinking"}


def _words(found: frozenset[str]) -> str:
    return " and ".join(sorted(found)) if found else "nothing beyond text"
