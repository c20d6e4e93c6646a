"""Configuration files: TOML that cannot keep us for long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelsmith.errors import UnreadableFile, UsageError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 256 << 10
_ENDLESS = re.compile(r"(?:\.[ \t]*[\w\"'-]+[ \t]*){100}")
"""A key of so many parts: the library looks at all of them for each."""


def read_toml(path: Path, way_out: str) -> dict[str, Any]:
    """Return what a file of TOML says; ``way_out`` is what else the user can do.

    Raises UsageError where it is no TOML or too much of it, UnreadableFile where it cannot be read.
    """
    import tomllib

    hint = f"mend it, or {way_out}"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES:,} bytes: not a configuration", hint=hint)
        text = data.decode("utf-8-sig")
        if _ENDLESS.search(text):
            raise UsageError(f"{path} has a key of more than a hundred parts", hint=hint)
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}", hint=hint) from error
    except RecursionError:
        raise UsageError(f"{path} is nested too deep to be read", hint=hint) from None
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}", hint=way_out) from error
