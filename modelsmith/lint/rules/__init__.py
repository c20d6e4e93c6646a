"""One module a rule; whatever stands here is a rule, nothing else needs to be edited."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.lint.rule import Rule


@cache
def all_rules() -> Mapping[str, Rule]:
    """Return every rule by its code, in order; a rule module holds it as ``check``."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    rules: list[Rule] = [import_module(f"{__name__}.{name}").check for name in names]
    return MappingProxyType({rule.code: rule for rule in rules})
