"""Which template runs, as far as the file and what stands around it tell.

From the text alone only RENDERER is certain; with the model at hand, what it inherits and what its GGUF holds count too.
Source of the rules: Ollama server/routes.go and server/create.go, see ``modelsmith.template.effective.effective``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.lint.document import Document
    from modelsmith.template.effective.effective import EffectiveTemplate


def last(document: Document, keyword: str) -> str:
    """Return the value of the last instruction of a kind, "" where there is none."""
    found = document.find(keyword)
    return found[-1].value if found else ""


def names(document: Document) -> tuple[str, str]:
    """Return the renderer and the parser that the created model has, as far as is known."""
    renderer, parser = last(document, "RENDERER"), last(document, "PARSER")
    model = document.model
    if model is None:
        return renderer, parser
    from modelsmith.template.effective.imported import imported

    found = imported(model.architecture, None, renderer=renderer or model.renderer, parser=parser or model.parser)
    return found.renderer, found.parser


def effective(document: Document) -> EffectiveTemplate | None:
    """Return what runs where this is certain; None where the base is not known, or a template is refused."""
    embedded = document.template
    if embedded is None or embedded.template is None or document.modelfile is None:
        return None
    renderer, parser = names(document)
    model = document.model
    if not renderer and (model is None or parser):
        return None
    from modelsmith.template.effective.effective import effective_template

    return effective_template(
        go_template=embedded.template,
        chat_template=model.chat_template if model else None,
        renderer=renderer,
        parser=parser,
        family=model.architecture if model else "",
        version=document.target,
    )


_LIBRARY = {
    "qwen3.5": "qwen3.5",
    "qwen3.6": "qwen3.5",
    "qwen3.8": "qwen3.8",
    "gemma4": "gemma4",
    "qwen3-coder": "qwen3-coder",
    "glm-4.7-flash": "glm-4.7",
    "nemotron-3-nano": "nemotron-3-nano",
    "lfm2.5-thinking": "lfm2-thinking",
}
"""Models of Ollama's library that are published with a RENDERER, as `ollama show` prints it."""


def library_renderer(document: Document) -> str:
    """Return the renderer that a base in Ollama's library brings along, "" where there is none or it is not known."""
    base, parser = last(document, "FROM"), last(document, "RENDERER")
    if document.model is not None or parser or not base or base.startswith((".", "/", "~")):
        return ""
    from modelsmith.name import ModelName

    name = ModelName.parse(base)
    if (name.host, name.namespace) != ("registry.ollama.ai", "library"):
        return ""
    from modelsmith.template.effective.renderers import RENDERERS

    renderer = _LIBRARY.get(name.model.lower(), "")
    return renderer if renderer and document.target.has(RENDERERS[renderer].since) else ""
