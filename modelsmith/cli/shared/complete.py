"""What a shell is offered when the Tab key is pressed: models, recipes, rules, types, shapes, files. Quick, and silent where it knows nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click


def _beginning(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(set(names)) if name.startswith(incomplete)]


def _models(ctx: click.Context) -> list[str]:
    from modelsmith.errors import ModelsmithError
    from modelsmith.store.open import open_store

    try:
        return [name.short for name in open_store(ctx.params.get("where")).models()]
    except ModelsmithError:
        return []


def complete_models(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the models of the store that the command works on."""
    return _beginning(_models(ctx), incomplete)


def complete_files(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell offer files."""
    return [CompletionItem(incomplete, type="file")]


def complete_models_or_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the models of the store, and files."""
    return [*complete_models(ctx, parameter, incomplete), *complete_files(ctx, parameter, incomplete)]


def complete_recipes(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the bundled recipes, and files."""
    from modelsmith.resources import RECIPES

    names = (path.stem for path in Path(RECIPES).glob("*.yaml"))
    return [*_beginning(names, incomplete), CompletionItem(incomplete, type="file")]


def complete_rules(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the codes of the rules of lint."""
    from modelsmith.lint.rules import rule_codes

    return _beginning(rule_codes(), incomplete.upper())


def complete_types(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what weights can be quantized to."""
    from modelsmith.weights.quantize.mixes import MIXES

    return _beginning((name for name in MIXES if name != "COPY"), incomplete.upper())


def complete_shapes(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the well-known shapes of models."""
    from modelsmith.weights.fit.known import SHAPES

    return _beginning(SHAPES, incomplete.lower())
