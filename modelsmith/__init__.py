"""Read, edit, build and ship Ollama models.

The names in ``__all__`` are the promise of the package; everything else may change. They are imported when first used,
so that importing ``modelsmith`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from modelsmith.about import __version__

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.errors import ModelsmithError
    from modelsmith.lint.linter import lint
    from modelsmith.name import ModelName, parse_host
    from modelsmith.parameters import typed_parameters
    from modelsmith.questions import diff, explain
    from modelsmith.recipe.plan.apply import apply
    from modelsmith.recipe.plan.plan import plan
    from modelsmith.recipe.read.load import Recipe
    from modelsmith.store.local.local import LocalStore
    from modelsmith.store.ollama.ollama import OllamaStore
    from modelsmith.store.open import open_store
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.template.api import Template
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.effective.capabilities import capabilities
    from modelsmith.template.effective.effective import EffectiveTemplate, effective_template
    from modelsmith.template.jinja.template import ChatTemplate

_HOMES = {
    "ChatTemplate": "template.jinja.template",
    "Conversation": "template.conversation.conversation",
    "Diagnostic": "diagnostic",
    "EffectiveTemplate": "template.effective.effective",
    "LocalStore": "store.local.local",
    "ModelName": "name",
    "Modelfile": "syntax.modelfile.modelfile",
    "ModelsmithError": "errors",
    "OllamaStore": "store.ollama.ollama",
    "Recipe": "recipe.read.load",
    "Template": "template.api",
    "apply": "recipe.plan.apply",
    "capabilities": "template.effective.capabilities",
    "diff": "questions",
    "effective_template": "template.effective.effective",
    "explain": "questions",
    "lint": "lint",
    "open_store": "store.open",
    "parse_host": "name",
    "plan": "recipe.plan.plan",
    "typed_parameters": "parameters",
}

__all__ = [
    "ChatTemplate",
    "Conversation",
    "Diagnostic",
    "EffectiveTemplate",
    "LocalStore",
    "ModelName",
    "Modelfile",
    "ModelsmithError",
    "OllamaStore",
    "Recipe",
    "Template",
    "__version__",
    "apply",
    "capabilities",
    "diff",
    "effective_template",
    "explain",
    "lint",
    "open_store",
    "parse_host",
    "plan",
    "typed_parameters",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'modelsmith' has no attribute {name!r}")
    home = import_module(f"modelsmith.{_HOMES[name]}")
    value: object = getattr(home, name, home)  # the package lint is itself the function
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
