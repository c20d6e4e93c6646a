"""Lint: what will not work, or works otherwise than it looks, in Modelfiles and templates.

The package itself is the function: ``from modelsmith import lint; lint("FROM llama3.2 # the small one")``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelsmith.diagnostic import Diagnostic


class _Lint(ModuleType):
    """A module that can be called: the house and the function of the package share one name."""

    def __call__(self, data: Any, **settings: Any) -> tuple[Diagnostic, ...]:
        from modelsmith.lint.linter import lint

        return lint(data, **settings)


sys.modules[__name__].__class__ = _Lint
