"""Errors as JSON, for whoever asked for JSON: one object on standard output, beside the words on standard error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelsmith.errors import (
    InvalidGGUF,
    ModelfileRefused,
    ModelsmithError,
    RecipeError,
    ServerError,
    TemplateSyntaxError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTION = "--json"


def wants_json(group: click.Group, arguments: Sequence[str]) -> bool:
    """Say whether these words ask a command for JSON that can give it; never raises."""
    words = [*arguments][: arguments.index("--")] if "--" in arguments else [*arguments]
    if _OPTION not in words:
        return False
    command: click.Command = group
    for word in words:
        if not isinstance(command, click.Group):
            break
        inner = command.get_command(click.Context(command), word)
        if inner is not None:
            command = inner
    return any(_OPTION in option.opts for option in command.params)


def print_json_error(error: BaseException, exit_code: int) -> None:
    """Print ``{"error", "hint", "exit_code"}``, and the place where the error has one."""
    click.echo(json.dumps(json_error(error, exit_code), ensure_ascii=False))


def json_error(error: BaseException, exit_code: int) -> dict[str, Any]:
    """Return what is printed of an error."""
    if isinstance(error, ModelsmithError):
        found: dict[str, Any] = {"error": error.message, "hint": error.hint, "exit_code": exit_code}
        return found | _place(error)
    message = error.format_message() if isinstance(error, click.ClickException) else str(error) or type(error).__name__
    return {"error": message, "hint": "", "exit_code": exit_code}


def _place(error: ModelsmithError) -> dict[str, Any]:
    if isinstance(error, RecipeError):
        return {"diagnostics": _diagnostics(error)}
    if isinstance(error, TemplateSyntaxError):
        return {"line": error.line, "offset": error.offset}
    if isinstance(error, ModelfileRefused):
        return {"line": error.line}
    if isinstance(error, InvalidGGUF):
        return {"offset": error.offset, "expected": error.expected}
    return {"status": error.status, "request": error.request} if isinstance(error, ServerError) else {}


def _diagnostics(error: RecipeError) -> list[dict[str, Any]]:
    found = []
    for diagnostic in error.diagnostics:
        line, column = error.source.position(diagnostic.span.start) if error.source else (None, None)
        found.append(
            {
                "path": error.source.name if error.source else "",
                "line": line,
                "column": column,
                "severity": diagnostic.severity.value,
                "code": diagnostic.code,
                "message": diagnostic.message,
                "hint": diagnostic.hint,
            }
        )
    return found
