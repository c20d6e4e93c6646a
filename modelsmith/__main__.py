"""``python -m modelsmith``, and what the command ``modelsmith`` starts with: what has to be set before anything is loaded."""

from __future__ import annotations

import gc

_MANY = 400_000
"""Objects (some 80 MB) that may be made before circles are looked for: a short command makes some hundred thousand, most of them
for good, and looking through them takes as long as its own work. A long one comes to it again and again."""


def main() -> None:
    """Run the program and exit with its code."""
    gc.set_threshold(_MANY, 20, 20)
    from modelsmith.cli import main as run

    run()


if __name__ == "__main__":
    main()
