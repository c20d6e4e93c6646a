"""Kills ``modelsmith pull`` and ``modelsmith push`` at random points, and checks what they leave.

    python tests/registry/crash.py --kills 100 --seed 1

After every kill the store must be whole: every model complete and byte for byte right, or not there. Then the command is run
again; it must succeed, and move only what was missing: of a pull the bytes that the notes beside the unfinished blobs do
not have, of a push the blobs that the registry lacks.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fakes.registry import FakeRegistry
from registry_models import NAME, offer, store_with, toy

from modelsmith.manifest import Digest
from modelsmith.registry.parts import _RECORD
from modelsmith.store.local.local import LocalStore

SIZE = 40 << 20
AFTER = 0.06  # seconds after the last byte in which a store or a registry gets its manifest


@dataclass
class Tally:
    """What happened so far."""

    pulls: int = 0
    pushes: int = 0
    too_late: int = 0
    resumed: int = 0
    saved: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.pulls} pulls and {self.pushes} pushes killed ({self.too_late} had ended before), "
            f"{self.resumed} went on with what was there ({self.saved / 1e6:.0f} MB not moved again), "
            f"{len(self.faults)} faults"
        )


def command(verb: str, registry: FakeRegistry, folder: Path) -> list[str]:
    place = f"oci://{registry.host}/team/toy"
    names = [place, "--as", "toy"] if verb == "pull" else ["toy", place]
    return [sys.executable, "-m", "modelsmith", verb, *names, "--insecure", "--json", "--store", str(folder)]


def kill_at(
    registry: FakeRegistry,
    words: list[str],
    point: int,
    environment: dict[str, str],
    settled: Callable[[], object] | None = None,
) -> bool:
    """Run, and kill when ``point`` bytes of blobs have moved (beyond the end: a little later); False where it ended before.

    With ``settled`` no more bytes move then, and the kill comes when what that returns stays the same for a while.
    """
    moved, lock, fired, killed = 0, threading.Lock(), threading.Event(), threading.Event()

    def count(size: int) -> None:
        nonlocal moved
        with lock:
            moved += size
            if moved < min(point, SIZE):
                return
        fired.set()
        if settled is not None:
            killed.wait()

    registry.on_bytes = count
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while process.poll() is None and not fired.wait(0.002):
        pass
    if point > SIZE:
        time.sleep((point - SIZE) / SIZE * AFTER * 10)
    if settled is not None:
        _wait_until_same(settled, process)
    registry.on_bytes = lambda size: None
    process.send_signal(signal.SIGKILL)
    code = process.wait()
    killed.set()
    return code == -signal.SIGKILL


def _wait_until_same(state: Callable[[], object], process: subprocess.Popen[bytes], times: int = 10) -> None:
    last, same = None, 0
    while same < times and process.poll() is None:
        time.sleep(0.02)
        now = state()
        last, same = now, same + 1 if now == last and now else 0


def faults_of(folder: Path) -> list[str]:
    """Say what is wrong with a store: half models, wrong bytes, blobs of nobody."""
    store, found = LocalStore(folder), []
    used = set()
    for name in store.models():
        for layer in store.layout.manifest(name).blobs:
            path = store.blob_path(layer.digest)
            used.add(path.name)
            if not path.is_file() or Digest.of(path.read_bytes()) != layer.digest:
                found.append(f"{name}: {layer.digest} is not whole")
    blobs = folder / "blobs"
    noted = folder / ".modelsmith" / "unsettled"
    strangers = {path.name for path in blobs.iterdir()} - used if blobs.is_dir() else set()
    known = noted.read_text() if noted.exists() else ""
    found += [
        f"{name} belongs to nobody, and the next run would not know" for name in strangers if name[7:] not in known
    ]
    return found


def waiting(folder: Path) -> int:
    """Return how many bytes of unfinished blobs an earlier run left."""
    total = 0
    for note in (folder / ".modelsmith" / "partial").glob("*.parts"):
        if note.with_suffix("").exists():
            data = note.read_bytes()
            total += sum(done - start for start, done, _ in _RECORD.iter_unpack(data[: len(data) // 24 * 24]))
    return total


def again(words: list[str], environment: dict[str, str]) -> dict[str, int]:
    result = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=600, check=False)
    if result.returncode:
        raise AssertionError(result.stderr)
    answer: dict[str, int] = json.loads(result.stdout)
    return answer


def one_pull(folder: Path, point: int, tally: Tally, environment: dict[str, str], *, settled: bool) -> None:
    with FakeRegistry() as registry:
        manifest = offer(registry, size=SIZE)
        words = command("pull", registry, folder)
        tally.pulls += 1
        if not kill_at(registry, words, point, environment, (lambda: waiting(folder)) if settled else None):
            tally.too_late += 1
        tally.faults += faults_of(folder)
        store = LocalStore(folder)
        present = waiting(folder)
        there = sum(layer.size for layer in manifest.blobs if store.blob_path(layer.digest).is_file())
        moved = again(words, environment)
        tally.faults += faults_of(folder)
        total = sum(layer.size for layer in manifest.blobs)
        if moved["received"] > total - present - (there if store.models() else 0):
            tally.faults.append(f"{moved['received']} bytes came again, {present} of {total} were there")
        if store.layout.manifest(NAME).raw != manifest.raw or list(folder.glob(".modelsmith/partial/*")):
            tally.faults.append("the pull did not end well")
        tally.resumed += present > 0
        tally.saved += present


def one_push(source: Path, point: int, tally: Tally, environment: dict[str, str], *, settled: bool) -> None:
    with FakeRegistry() as registry:
        words = command("push", registry, source)
        tally.pushes += 1
        if not kill_at(registry, words, point, environment, (lambda: len(registry.log)) if settled else None):
            tally.too_late += 1
        manifest, _ = toy(SIZE)
        time.sleep(0.05)  # what was on the way arrives
        if registry.manifests and any(("team/toy", str(one.digest)) not in registry.where for one in manifest.blobs):
            tally.faults.append("the registry has a manifest before its blobs")
        missing = sum(one.size for one in manifest.blobs if ("team/toy", str(one.digest)) not in registry.where)
        moved = again(words, environment)
        if moved["sent"] > missing:
            tally.faults.append(f"{moved['sent']} bytes were sent, {missing} were missing")
        if registry.manifests.get(("team/toy", "latest"), ("", b""))[1] != manifest.raw:
            tally.faults.append("the push did not end well")
        tally.faults += faults_of(source)
        tally.resumed += missing < sum(one.size for one in manifest.blobs)
        tally.saved += sum(one.size for one in manifest.blobs) - missing


def run(points: list[int], verbs: list[str], folder: Path, *, settled: bool = False) -> Tally:
    """Kill once at each point; ``settled``: when all has come to rest there, so that every run finds the same."""
    tally = Tally()
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "DOCKER_CONFIG": str(folder)}
    store_with(folder / "source", size=SIZE)
    for number, (point, verb) in enumerate(zip(points, verbs, strict=True)):
        if verb == "pull":
            target = folder / f"store-{number}"
            one_pull(target, point, tally, environment, settled=settled)
            shutil.rmtree(target)
        else:
            one_push(folder / "source", point, tally, environment, settled=settled)
        if sys.stderr.isatty():
            print(f"\r{tally}", end="", file=sys.stderr)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    points = [chance.randrange(int(SIZE * 1.1)) for _ in range(options.kills)]
    with tempfile.TemporaryDirectory() as folder:
        tally = run(points, [("pull", "push")[number % 2] for number in range(options.kills)], Path(folder))
    print(tally)
    for fault in tally.faults:
        print(f"  {fault}")
    return bool(tally.faults)


if __name__ == "__main__":
    sys.exit(main())
