"""How the property tests run: without a clock, and on the same examples every time, here and in CI.

Random exploration is a command of its own: ``python tests/explore.py``.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, database=None)
settings.load_profile("same")
