"""``python -m modelsmith``."""

from modelsmith.cli import main

main()
