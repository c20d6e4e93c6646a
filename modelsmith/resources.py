"""Where grammars and recipes are: inside the package in a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE if (_PACKAGE / "grammars").is_dir() else _PACKAGE.parent

GRAMMARS = _ROOT / "grammars"
RECIPES = _ROOT / "recipes"
