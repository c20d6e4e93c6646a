"""Print how many answers of the real Ollama and llama-server modelsmith agrees with, and name what differs.

    python tests/conformance.py                                     against recorded answers, file by file
    python tests/conformance.py --live --shipped PATH --keep FOLDER  and against a real llama-server that runs now
    python tests/conformance.py --force-think --shipped PATH         what force-think does to each real Jinja template

--shipped names the source distribution of llama-cpp-python that tests/real_templates.py names, or a folder it was unpacked to:
its templates are tried too. --keep keeps what the server answered in a folder, for the next run. --only runs some rows.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import conformance_checks
import llama_server
import real_templates
from shared import SHARED

SHOWN = 200
"""Characters that are shown of each side of a difference."""


def main() -> int:
    """Run the checks and print one line each; exit 1 when something differs that must agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--differences", type=int, default=0, metavar="N", help="show both sides of the first N differences of each row"
    )
    parser.add_argument("--live", action="store_true", help="ask a real llama-server (some seconds a template)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the server's answers here, and take them from here"
    )
    parser.add_argument(
        "--shipped", type=Path, metavar="PATH", help=f"templates of the sdist {real_templates.SDIST}: archive or folder"
    )
    parser.add_argument(
        "--force-think",
        action="store_true",
        help="print what force-think does to each Jinja template, and nothing else",
    )
    parser.add_argument("--only", default="", metavar="WORD", help="only rows whose name has this in it")
    options = parser.parse_args()
    if not (SHARED / "conformance").is_dir():
        print("the recorded answers are not beside the checkout (../shared)", file=sys.stderr)
        return 2
    if options.force_think:
        return _force_think(_lots(options.shipped))
    failed = False
    for label, check in _checks(options):
        if options.only not in label:
            continue
        start = time.perf_counter()
        agree, total, differences = check()
        share = f"{100 * agree / total:6.2f} %" if total else "   none "
        print(f"{label:46} {agree:6} / {total:<6} {share}  {time.perf_counter() - start:6.1f} s", flush=True)
        for number, difference in enumerate(differences):
            print(f"    {_shown(difference) if number < options.differences else _name(difference)}")
        failed |= agree != total
    return int(failed)


def _checks(options: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    for module_info in pkgutil.iter_modules(conformance_checks.__path__):
        module = importlib.import_module(f"conformance_checks.{module_info.name}")
        yield from getattr(module, "CHECKS", {}).items()
    if not options.live:
        print("live llama-server                              skipped: not asked for (--live)")
    elif not llama_server.is_here():
        print(f"live llama-server                              skipped: it {llama_server.MISSING}")
    else:
        from conformance_checks import live

        yield from live.checks(_lots(options.shipped), options.keep).items()


def _lots(shipped: Path | None) -> dict[str, dict[str, str]]:
    lots = {"recorded templates": real_templates.recorded(), "library": real_templates.library()}
    if shipped is None:
        print(f"templates of {real_templates.SDIST}: skipped, --shipped does not say where they are")
        return lots
    return {**lots, "shipped with llama.cpp": real_templates.shipped(shipped)}


def _force_think(lots: dict[str, dict[str, str]]) -> int:
    from conformance_checks.forcing import WORKS, forced

    outcomes = {text: (lot, name) for lot, named in reversed(lots.items()) for name, text in named.items()}
    broken, works = 0, 0
    for text, (lot, name) in outcomes.items():
        outcome = forced(None, text)
        print(f"{lot:24} {name:58} {outcome}", flush=True)
        works += outcome == WORKS
        broken += outcome.startswith("BROKEN")
    print(f"{works} of {len(outcomes)} work, {len(outcomes) - works - broken} are refused, {broken} break a promise")
    return int(broken > 0)


def _name(difference: Any) -> str:
    return str(difference[0] if isinstance(difference, tuple) else difference.get("row", difference))


def _shown(difference: Any) -> str:
    if not isinstance(difference, tuple):
        return str(difference)
    name, there, here = difference
    if isinstance(there, dict) and isinstance(here, dict) and "prompt" in there and "prompt" in here:
        there, here = there["prompt"], here["prompt"]
        pairs = zip(there, here, strict=False)
        place = next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(there), len(here)))
        there, here = ({"at": place, "prompt": text[max(0, place - 40) :]} for text in (there, here))
    return f"{name}\n        there {repr(there)[:SHOWN]}\n        here  {repr(here)[:SHOWN]}"


if __name__ == "__main__":
    sys.exit(main())
