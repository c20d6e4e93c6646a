"""Read a conversation from a JSON file or the command line, and show where a file is not one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelsmithError, UnreadableFile, UsageError
from modelsmith.files.text import decoded

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.template.conversation.conversation import Conversation


class ShapeError(UsageError):
    """A JSON file that is no conversation: what it holds, what is wrong, and the path or the offset where."""

    def __init__(
        self,
        path: Path,
        text: str,
        wrong: str,
        *,
        hint: str = "",
        offset: int | None = None,
        steps: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(f"{path}: {wrong}" if offset is None else f"{path} is not JSON: {wrong}", hint=hint)
        self.path = path
        self.text = text
        self.wrong = wrong
        self.offset = offset
        self.steps = steps


def show_shape_error(error: ShapeError) -> bool:
    """Print where in its file a conversation is wrong, with a caret; False where the place is not known."""
    from modelsmith.cli.shared.failure import show_diagnostic
    from modelsmith.cli.shared.json_place import locate
    from modelsmith.cli.shared.template_place import caret_place
    from modelsmith.diagnostic import Diagnostic
    from modelsmith.source import Source

    place = caret_place(error.text, error.offset) if error.offset is not None else locate(error.text, error.steps)
    if place is None:
        return False
    name = "<stdin>" if str(error.path) == "-" else str(error.path)
    message = error.wrong if error.offset is None else f"this is not JSON: {error.wrong}"
    show_diagnostic(Diagnostic("conversation", message, place, hint=error.hint), Source(error.text, name))
    return True


def read_conversation(
    path: Path | None, user: tuple[str, ...], system: str | None, tools: Path | None = None
) -> Conversation:
    """Read a conversation from a JSON file or build it from texts; raises UsageError for both or neither."""
    from modelsmith.template.conversation.conversation import Conversation

    if path is not None and (user or system is not None):
        raise UsageError("--conversation and --user/--system exclude each other", hint="put the messages into the file")
    if path is None and not user:
        raise UsageError("there is nothing to render", hint='give --conversation FILE or --user "hello"')
    if path is None:
        messages = [{"role": "system", "content": system}] if system is not None else []
        given: Any = {"messages": messages + [{"role": "user", "content": text} for text in user]}
    else:
        given = _given(path, "conversation", "a JSON object with the key messages")
    if tools is not None and isinstance(given, dict):
        given = {**given, "tools": _given(tools, "list of tools", "a JSON list of tools, as in a request of /api/chat")}
    return Conversation.from_dict(given)


def _given(path: Path, what: str, hint: str) -> Any:
    """Return what a file holds, checked as far as it is a part of a conversation."""
    from modelsmith.cli.shared.json_place import path_in
    from modelsmith.template.conversation.conversation import Conversation

    text = _text(path)
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ShapeError(path, text, error.msg, offset=error.pos, hint=f"a {what} is {hint}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}", hint=f"a {what} is {hint}") from error
    tools = what != "conversation"
    whole = {"tools": given} if tools else {"messages": given} if isinstance(given, list) else given
    try:
        Conversation.from_dict(whole)
    except ModelsmithError as error:
        steps = path_in(error.message)
        bare = tools or isinstance(given, list)  # then the file does not have the key that the path begins with
        raise ShapeError(path, text, error.message, hint=error.hint, steps=steps[1:] if bare else steps) from error
    return given if tools else whole


def _text(path: Path) -> str:
    try:
        if str(path) == "-":
            return "" if sys.stdin is None else sys.stdin.read().removeprefix("\ufeff")  # None: it was closed
        # editors on Windows write a byte order mark
        return decoded(path.read_bytes(), str(path)).removeprefix("\ufeff")
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror or error}", hint="name a file, or - for stdin"
        ) from error
