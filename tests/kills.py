"""Kill what changes a store, at any moment, and look at what is left.

    python tests/kills.py --kills 300
    python tests/kills.py --kills 50 --only apply --seed 7

A scenario is a folder to begin with and an action. The action runs in a process of its own that is killed (SIGKILL) after a random
part of its usual time. Then the store must be sound, the action is run again to its end, and the folder must hold what an undisturbed
run makes: nothing is missing, and nothing is left over. The exit code is 1 where that does not hold.

Tests use the same scenarios and end at fixed steps (``deaths.py``). A new one is a row of ``SCENARIOS``.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from checkpoints import FAMILIES, write_checkpoint  # noqa: E402 - found where the line above says
from deaths import act_and_end, check_code, finished  # noqa: E402
from fakes.registry import FakeRegistry  # noqa: E402
from local_stores import request  # noqa: E402

from modelsmith.cli import run  # noqa: E402
from modelsmith.manifest import Digest  # noqa: E402
from modelsmith.name import ModelName  # noqa: E402
from modelsmith.registry.access import Access  # noqa: E402
from modelsmith.registry.bundle.read import Bundle  # noqa: E402
from modelsmith.registry.bundle.write import export  # noqa: E402
from modelsmith.registry.moving import Mover  # noqa: E402
from modelsmith.registry.reference import Reference  # noqa: E402
from modelsmith.store.care.fsck import fsck  # noqa: E402
from modelsmith.store.care.gc import collect  # noqa: E402
from modelsmith.store.local.local import LocalStore  # noqa: E402
from modelsmith.weights.gguf.sample import SampleShape, write_sample  # noqa: E402

_OURS = ("digests.json", "digests.new", "locked.json", "lock")  # hints and the lock: no part of any model


@dataclass(frozen=True, slots=True)
class Scenario:
    """``prepare`` fills a new folder; ``act`` does in a copy of it what is killed, and is run again afterwards.

    ``stores`` are the folders in it that must be sound stores at every moment.
    """

    prepare: Callable[[Path], object]
    act: Callable[[Path], object]
    stores: tuple[str, ...] = ("store",)


def killed_after(seconds: float, action: Callable[[], object]) -> bool:
    """Run ``action`` in a child that is killed after so many seconds; say whether it was, before its end."""
    child = os.fork()
    if child == 0:
        act_and_end(action)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    check_code(code, {0, -signal.SIGKILL})
    return code != 0


def check_sound(folder: Path, scenario: Scenario) -> None:
    """Assert that the stores are sound, whatever was going on."""
    for name in scenario.stores:
        if (folder / name).is_dir():
            report = fsck(LocalStore(folder / name).layout, deep=True)
            assert report.is_sound, [(fault.kind.word, str(fault.path), fault.message) for fault in report.faults]


def content(folder: Path) -> dict[str, Digest | None]:
    """Return everything in a folder by its path; None for a folder."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else Digest.of(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.name not in _OURS
    }


def check_again(folder: Path, scenario: Scenario, undisturbed: Mapping[str, Digest | None]) -> None:
    """Assert that another run completes the work and leaves what an undisturbed one does."""
    finished(lambda: scenario.act(folder))
    check_sound(folder, scenario)
    found = content(folder)
    assert found == undisturbed, sorted(set(found.items()) ^ set(undisturbed.items()), key=str)


def _gguf(folder: Path, name: str, seed: int = 1, *, large: bool = False) -> Path:
    shape = SampleShape(blocks=4, embedding=512, feed_forward=1024) if large else SampleShape()
    path = write_sample(folder / name, seed=seed, shape=shape)
    os.utime(path, (time.time() - 3600,) * 2)
    return path


def _old_model(folder: Path) -> None:
    store = LocalStore(folder / "store")
    store.create("m", request({"m.gguf": _gguf(folder, "old.gguf")}, system="old", license="L"))
    _gguf(folder, "new.gguf", 2, large=True)


def _create(folder: Path) -> None:
    files = {"m.gguf": folder / "new.gguf"}
    LocalStore(folder / "store").create("m", request(files, system="new", license="L", parameters={"seed": 1}))


def _recipe(folder: Path) -> None:
    _old_model(folder)
    base = "name: r\ndescription: d\nfrom: ./new.gguf\ncreate: m\nsystem: new\nparameters: {seed: 1, stop: [x]}\nlicense: L\n"
    (folder / "r.yaml").write_text(base)


def _apply(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)
    try:
        code = run(["apply", "r.yaml", "--store", "store", "--modelfile", "out.modelfile", "--yes", "--quiet"])
    finally:
        os.chdir(here)
    check_code(code, {0})


def _models(folder: Path) -> None:
    store = LocalStore(folder / "store")
    gguf = _gguf(folder, "m.gguf", large=True)
    for name in ("keep", "a", "b"):
        store.create(name, request({"m.gguf": gguf}, system=name, license="L"))


def _remove(folder: Path) -> None:
    store = LocalStore(folder / "store")
    for name in store.models():
        if name.model != "keep":
            store.delete(name)
    store.tidy()


def _orphans(folder: Path) -> None:
    _models(folder)
    for number in range(40):
        text = str(number).encode() * 100_000
        path = LocalStore(folder / "store").blob_path(Digest.of(text))
        path.write_bytes(text)
        os.utime(path, (time.time() - 7200,) * 2)


def _collect(folder: Path) -> None:
    collect(LocalStore(folder / "store").layout)


def _export(folder: Path) -> None:
    store = LocalStore(folder / "store")
    export(store, store.models(), folder / "bundle.tar", split=1_000_000, force=True)


def _bundle(folder: Path) -> None:
    _models(folder)
    _export(folder)
    shutil.rmtree(folder / "store")
    _old_model(folder)


def _registry(folder: Path) -> None:
    """Serve a model for as long as this program runs; the folder says where."""
    registry = FakeRegistry()  # its thread serves the children that are killed
    (folder / "address").write_text(registry.host)
    source = LocalStore(folder / "source")
    source.create("m", request({"m.gguf": _gguf(folder, "m.gguf", large=True)}, system="new", license="L"))
    with Mover(Access(insecure=True)) as mover:
        mover.push(source, ModelName.parse("m"), Reference.parse(f"{registry.host}/library/m:latest"))
    shutil.rmtree(folder / "source")
    _old_model(folder)


def _pull(folder: Path) -> None:
    address = (folder / "address").read_text()
    with Mover(Access(insecure=True)) as mover:
        mover.pull(Reference.parse(f"{address}/library/m:latest"), LocalStore(folder / "store"), ModelName.parse("m"))


def _checkpoint(folder: Path) -> None:
    write_checkpoint(folder / "checkpoint", FAMILIES["qwen3"])


def _import(folder: Path) -> None:
    check_code(run(["import", str(folder / "checkpoint"), "-o", str(folder / "m.gguf")]), {0})


def _load(folder: Path) -> None:
    bundle, target = Bundle(folder / "bundle.tar.001"), LocalStore(folder / "store")
    with Mover() as mover:
        for name in bundle.models:
            mover.load(bundle.source(name), target, name)


SCENARIOS: dict[str, Scenario] = {
    "create": Scenario(_old_model, _create),
    "apply": Scenario(_recipe, _apply),
    "rm": Scenario(_models, _remove),
    "gc": Scenario(_orphans, _collect),
    "export": Scenario(_models, _export),
    "load": Scenario(_bundle, _load),
    "pull": Scenario(_registry, _pull),
    "import": Scenario(_checkpoint, _import, ()),
}


def _kills(name: str, scenario: Scenario, wanted: int, chance: random.Random, folder: Path) -> tuple[int, int]:
    """Kill until there were ``wanted`` kills; return how many there were, and how many runs ended before."""
    start, place = folder / "start", folder / "place"
    start.mkdir()
    scenario.prepare(start)
    seconds, undisturbed = _undisturbed(scenario, start, place)
    killed = ended = 0
    while killed < wanted:
        shutil.copytree(start, place)
        delay = chance.random() * seconds
        was_killed = killed_after(delay, lambda: scenario.act(place))
        killed, ended = killed + was_killed, ended + (not was_killed)
        try:
            check_sound(place, scenario)
            check_again(place, scenario, undisturbed)
        except BaseException:
            kept = Path(tempfile.mkdtemp(prefix=f"modelsmith-{name}-")) / "left"
            place.rename(kept)
            sys.stdout.write(f"{name}: killed after {delay:.4f} s of {seconds:.4f}; what is left is in {kept}\n")
            raise
        shutil.rmtree(place)
        if ended > 20 * wanted:
            raise AssertionError(f"{name} ends too soon to be killed")
    return killed, ended


def _undisturbed(scenario: Scenario, start: Path, place: Path) -> tuple[float, Mapping[str, Digest | None]]:
    """Return how long the action takes where nobody kills it, and what it makes; files may name their folder, so it is always one."""
    warm = start.with_name("warm")
    shutil.copytree(start, warm)
    scenario.act(warm)  # imports what is imported once
    shutil.rmtree(warm)
    shutil.copytree(start, place)
    began = time.perf_counter()
    finished(lambda: scenario.act(place))
    seconds = time.perf_counter() - began
    found = content(place)
    shutil.rmtree(place)
    return seconds, found


def main() -> int:
    """Read the command line and kill."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--kills", type=int, default=300, help="how many in all (default: 300)")
    words.add_argument("--only", action="append", choices=SCENARIOS, help="only this scenario; repeatable")
    words.add_argument("--seed", type=int, help="repeat the moments of an earlier run, which printed it")
    asked = words.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    chosen = asked.only or list(SCENARIOS)
    sys.stdout.write(f"--seed {seed}\n")
    total = 0
    for number, name in enumerate(chosen):
        share = asked.kills // len(chosen) + (number < asked.kills % len(chosen))
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="modelsmith-kills-") as folder:
            chance = random.Random(f"{seed} {name}")
            killed, ended = _kills(name, SCENARIOS[name], share, chance, Path(folder).resolve())
        total += killed
        spent = time.perf_counter() - began
        sys.stdout.write(f"{name}: {killed} kills, {ended} ended before; all sound, all completed ({spent:.0f} s)\n")
        sys.stdout.flush()
    sys.stdout.write(f"{total} kills\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
