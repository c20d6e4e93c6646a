"""One module a rule; whatever stands here is a rule, nothing else needs to be edited."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from modelsmith.lint.rule import Rule


@cache
def all_rules() -> Mapping[str, Rule]:
    """Return every rule by its code, in order."""
    return MappingProxyType({code: _rule(name) for code, name in _modules().items()})


def rules_of(wants: Callable[[str], bool]) -> Mapping[str, Rule]:
    """Return the rules with the codes that are wanted, by code, in order; the modules of others are not loaded."""
    return MappingProxyType({code: _rule(name) for code, name in _modules().items() if wants(code)})


def rule_codes() -> Collection[str]:
    """Return the codes of all rules, in order; no rule is loaded."""
    return _modules().keys()


@cache
def _modules() -> Mapping[str, str]:
    """Return the modules by the code of their rule, with which their names begin."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name.partition("_")[0].upper(): name for name in names}


def _rule(name: str) -> Rule:
    """Return the rule of a module, which holds it as ``check``."""
    rule: Rule = import_module(f"{__name__}.{name}").check
    return rule
