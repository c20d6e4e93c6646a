"""The version of modelsmith, for whoever names it."""

from __future__ import annotations

__version__ = "0.1.0"
