"""What can be asked about models, as functions: which template runs, what differs, what the model gets to read. Reads only."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.compare.difference import Difference
    from modelsmith.explain.explanation import Explanation
    from modelsmith.store import Store
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think


def explain(
    spec: str, *, store: Store | None = None, folder: Path | None = None, version: str | None = None
) -> Explanation:
    """Say which template of ``spec`` runs, by which rule, and what follows from it.

    ``spec`` is a model's name, a ``.gguf``, a Modelfile, a ``.gotmpl``, a ``.jinja`` or ``sample:NAME``; relative paths start
    at ``folder`` (default: the current one). ``store`` is where names are looked up (default: see ``open_store``),
    ``version`` the Ollama that serves the model (default: the server's, else the newest known). Raises ModelsmithError where
    nothing can be found, TemplateSyntaxError where the template that runs cannot be read.
    """
    from modelsmith.explain.explanation import explain_model

    return explain_model(spec, store or _default(), folder=folder, version=version)


def diff(
    a: str,
    b: str,
    *,
    store: Store | None = None,
    folder: Path | None = None,
    version: str | None = None,
    conversations: Mapping[str, Conversation] | None = None,
) -> Difference:
    """Compare two specs as ``explain`` takes them, in any mix: values, texts, and the prompts of ``conversations``.

    Without ``conversations`` these are the named ones (``modelsmith.template.conversation.named.NAMED``). Raises what ``explain``
    raises; the other arguments are those of ``explain``.
    """
    from modelsmith.compare.difference import difference
    from modelsmith.compare.side import find_side
    from modelsmith.template.conversation.named import NAMED

    known = cache(lambda: store or _default())
    ours, theirs = (find_side(spec, known, folder or Path.cwd(), version) for spec in (a, b))
    return difference(ours, theirs, NAMED if conversations is None else conversations)


def render(
    spec: str,
    conversation: Conversation,
    think: Think = None,
    *,
    engine: str | None = None,
    store: Store | None = None,
    folder: Path | None = None,
    version: str | None = None,
) -> str:
    """Return the prompt that a model gets for a request, by the template that runs or the one that ``engine`` names.

    For a model that includes what Ollama does before any template: its own SYSTEM and MESSAGEs come first, past answers of
    some models lose their reasoning, an unset ``think`` is true where the model can think. ``engine`` is ``go`` or ``jinja``;
    the other arguments are those of ``explain``. Raises TemplateRenderError where Ollama would fail.
    """
    from modelsmith.models.served import find_renderer

    known = cache(lambda: store or _default())
    return find_renderer(spec, known, folder or Path.cwd(), engine, version).render(conversation, think)


def _default() -> Store:
    from modelsmith.store.open import open_store_or_absent

    return open_store_or_absent()
