"""Kills at fixed points; ``python tests/registry/crash.py --kills 100`` does it at random ones."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("registry_crash", Path(__file__).with_name("crash.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
crash = importlib.util.module_from_spec(_SPEC)
sys.modules["registry_crash"] = crash
_SPEC.loader.exec_module(crash)


def test_what_a_kill_leaves_is_whole_and_is_gone_on_with(tmp_path: Path) -> None:
    points = [crash.SIZE // 8, crash.SIZE // 3, crash.SIZE // 2, crash.SIZE * 3 // 4]
    tally = crash.run(points, ["pull", "push", "pull", "push"], tmp_path, settled=True)
    assert tally.faults == []
    assert (tally.pulls, tally.pushes, tally.too_late) == (2, 2, 0)
    assert tally.resumed >= 2
