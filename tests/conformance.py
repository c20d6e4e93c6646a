"""Print how many recorded answers of the real Ollama modelsmith agrees with, file by file.

Usage: python tests/conformance.py [--differences N]
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import conformance_checks
from shared import SHARED


def main() -> int:
    """Run every check and print one line each; exit 1 when something differs that must agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--differences", type=int, default=0, metavar="N", help="show the first N differences of each file"
    )
    options = parser.parse_args()
    if not (SHARED / "conformance").is_dir():
        print("the recorded answers are not beside the checkout (../shared)", file=sys.stderr)
        return 2
    failed = False
    for module_info in pkgutil.iter_modules(conformance_checks.__path__):
        module = importlib.import_module(f"conformance_checks.{module_info.name}")
        for label, check in module.CHECKS.items():
            start = time.perf_counter()
            agree, total, differences = check()
            print(
                f"{label:40} {agree:6} / {total:<6} {100 * agree / total:6.2f} %  {time.perf_counter() - start:6.1f} s"
            )
            for difference in differences[: options.differences]:
                print(f"    {difference}")
            failed |= agree != total
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
