"""What the docstrings below the fields of a model say, for the schema of recipes.

Pydantic can read them itself (``use_attribute_docstrings``), but does so whenever a model is declared, which is in every command.
"""

from __future__ import annotations

import ast
import inspect
import textwrap


def field_docstrings(model: type) -> dict[str, str]:
    """Return the text below each field of a class and of what it inherits from, by name."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        found |= _own(base)
    return found


def _own(model: type) -> dict[str, str]:
    try:
        lines = inspect.getsource(model)
    except (OSError, TypeError):  # made by a call, or built in
        return {}
    body = ast.parse(textwrap.dedent(lines)).body[0]
    if not isinstance(body, ast.ClassDef):
        return {}
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
