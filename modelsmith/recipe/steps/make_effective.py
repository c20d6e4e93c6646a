"""Step ``make-effective``: make the edits count where Ollama would run the Jinja template inside the GGUF.

Source of the rules: Ollama server/images.go (since 0.30 a GGUF's own template may replace TEMPLATE).
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import InjectionError, TemplateError
from modelsmith.recipe.parts.fields import Part, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.models.draft import Draft, Injection

Way = Literal["jinja", "tools", "parser"]
"""How edits are made to count; see ``Options.by``."""


class Options(Part):
    """Make sure that the edits count, even where Ollama would run the Jinja template inside the GGUF."""

    by: Annotated[tuple[Way, ...], Field(min_length=1)] = ("jinja", "tools", "parser")
    """Ways to try, in this order. `jinja`: put the same texts into the Jinja template inside the GGUF (a new GGUF is written);
    `tools`: let the Go template handle tools, so that it offers no less than the Jinja template and Ollama runs it;
    `parser`: add a PARSER, which makes Ollama use the Go template."""

    parser: Text = "qwen3.5"
    """The PARSER that the way `parser` adds: one that separates reasoning and obeys `think: false`."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose effective template carries the injections; raises InjectionError when no way works."""
    return reduce(_edit, options, draft)


def _edit(draft: Draft, options: Options) -> Draft:
    effective = draft.effective
    if effective.source in {"renderer", "harmony"}:
        raise InjectionError(
            f"no template of this model runs: {effective.reason}",
            hint=" or ".join(effective.ways) or "start from another base",
        )
    if effective.source != "jinja":
        return draft.with_note(f"the Go template runs: {effective.reason}")
    ways: dict[str, Callable[[Draft, Options], Draft]] = {"jinja": _by_jinja, "tools": _by_tools, "parser": _by_parser}
    refusals = []
    for way in options.by:
        try:
            return ways[way](draft, options)
        except TemplateError as error:
            refusals.append(f"{way}: {error.message}")
    raise InjectionError(
        f"the Jinja template inside the GGUF runs, not the edited one ({effective.reason}), and no way around it worked: "
        + "; ".join(refusals),
        hint="name another way in make-effective, or start from another base"
        if draft.template is None
        else "run the server with OLLAMA_GO_TEMPLATE=1, or name another way in make-effective",
    )


def _by_tools(draft: Draft, options: Options) -> Draft:
    from modelsmith.template.edit.tools.tools import add_tools

    del options
    template = draft.template
    if template is None:
        raise InjectionError("there is no Go template that tools could be added to")
    edited = draft.with_template(add_tools(template, draft.chat_template))
    effective = edited.effective
    if effective.source != "go":
        raise InjectionError(f"with tools the Go template would not run either: {effective.reason}")
    return edited.with_note(
        "The Go template got tools, calls and results in the format of its family, so Ollama runs it instead of the Jinja "
        f"template inside the GGUF: {effective.reason}. Cost: nothing but a text layer, the weights stay as they are"
    )


def _by_jinja(draft: Draft, options: Options) -> Draft:
    del options
    chat_template = draft.chat_template
    if chat_template is None or (draft.inherited.stored and draft.inherited.weights is None):
        raise InjectionError("the GGUF cannot be read here")
    if not draft.injections and draft.declared is None:
        raise InjectionError("no step before this one put a text into the prompt that it could get too")
    edited = draft
    for (at, reasons), group in groupby(
        draft.injections, key=lambda injection: (injection.at, bool(injection.reasoning))
    ):
        injections = tuple(group)
        edited = _with_reasoning(edited, injections) if reasons else _with_texts(edited, at, injections)
    edited = _keeping(draft, _declaring(edited))
    if edited.gguf == draft.gguf:
        return draft.with_note("the Jinja template inside the GGUF runs, and does already what was asked for")
    if edited.effective.source != "jinja":
        return edited.with_note(
            f"the Jinja template was edited too, and the Go template runs: {edited.effective.reason}"
        )
    return edited.with_note(
        "Ollama 0.30 and later run the Jinja template inside this GGUF, older ones the Go template: both were edited alike. "
        "Cost: a new GGUF is written, because its header changes"
    )


def _with_texts(draft: Draft, at: str, injections: Sequence[Injection]) -> Draft:
    from modelsmith.template.edit.jinja.inject import ensure_chat_template

    chat_template = draft.chat_template
    if chat_template is None:
        return draft
    return draft.with_chat_template(
        ensure_chat_template(chat_template, [(injection.text, injection.when) for injection in injections], at)
    )


def _with_reasoning(draft: Draft, injections: Sequence[Injection]) -> Draft:
    """Open or close reasoning in the Jinja template, and note with which texts, for the proof."""
    from modelsmith.template.edit.jinja.reasoning import Reasoning, ensure_chat_reasoning, reasoning_texts

    chat_template = draft.chat_template
    if chat_template is None:
        return draft
    given = (injections[-1].opening, injections[-1].closing)
    wishes = [Reasoning(injection.reasoning == "open", injection.when) for injection in injections]
    texts = reasoning_texts(chat_template, *given)
    noted = tuple(
        replace(injection, text=texts.opening + (texts.closing if injection.reasoning == "closed" else ""))
        for injection in injections
    )
    edited = draft.with_chat_template(ensure_chat_reasoning(chat_template, wishes, *given))
    return replace(edited, injections=(*draft.injections, *noted))


def _declaring(draft: Draft) -> Draft:
    """Insist that llama-server splits reasoning from the answer where the recipe, or the Go template, declares that there is some."""
    from modelsmith.template.edit.jinja.reasoning import declare_chat_thinking

    template, chat_template = draft.template, draft.chat_template
    wanted = draft.declared
    if wanted is None and template is not None and all(template.thinking_tags):
        wanted = ("", "")
    if wanted is None or chat_template is None:
        return draft
    return draft.with_chat_template(declare_chat_thinking(chat_template, *wanted))


def _keeping(draft: Draft, edited: Draft) -> Draft:
    """Write out what Ollama would no longer detect by the edited Jinja template: the built-in template and its stops."""
    from modelsmith.models.draft import with_parameters

    lost = {name: value for name, value in draft.parameters.items() if edited.parameters.get(name) != value}
    edited = with_parameters(edited, lost)
    return edited.with_template(draft.template) if draft.template is not None else edited


def _by_parser(draft: Draft, options: Options) -> Draft:
    from modelsmith.template.effective.renderers import PARSERS

    if draft.template is None:
        raise InjectionError("there is no Go template that a PARSER could make effective")
    modelfile = draft.modelfile.set_parser(options.parser)
    known = PARSERS.get(options.parser)
    if known is None or not known.thinking:
        raise InjectionError(
            f"PARSER {options.parser} does not separate reasoning{did_you_mean(options.parser, PARSERS)}"
        )
    if not draft.modelfile.requires and not draft.inherited.requires:
        modelfile = modelfile.set_requires(known.since)
    edited = replace(draft, modelfile=modelfile)
    if edited.effective.source not in {"parser", "go"}:
        raise InjectionError(
            f"PARSER {options.parser} does not make the Go template effective: {edited.effective.reason}"
        )
    return edited.with_note(
        f"PARSER {options.parser} makes Ollama run the Go template instead of the GGUF's Jinja. Cost: reasoning begins with a "
        "line break, and Ollama believes that the model handles tools"
    )
