"""Ollama's environment variables, read as Ollama reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def variable(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return an environment variable as Ollama reads it: without white space around it, then without quotes."""
    return environment.get(name, "").strip().strip("\"'")
