"""How fast a large blob is pulled and pushed, against curl and openssl, with a registry on this machine.

Usage: python benchmarks/registry.py [--size MB] [--runs N] [--folder DIR]

Needs Debian's docker-registry, curl and openssl. One run takes turns, so that what else the machine does falls on all alike:

- pull: ``curl | openssl dgst -sha256`` (the bytes thrown away), then ``modelsmith`` into a fresh store, hashed and on the disk;
- push: one raw ``PUT`` by curl, then ``modelsmith``; the registry hashes in both.

Times are of the transfer alone, without starting Python or curl's ``POST``. Bounds hold for the fastest runs. ``--folder``
should be in memory (/dev/shm): writing to a disk is part of a pull, and none of curl's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from docker_registry import docker_registry

from modelsmith.manifest import CONFIG_TYPE, MODEL, Digest, Layer, Manifest

BOUNDS = {"pull": 0.8, "push": 0.9}
MAX_MEMORY_MIB = 120
_MOVE = """
import json, resource, sys
from pathlib import Path
from modelsmith.name import ModelName
from modelsmith.registry.access import Access
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Reference
from modelsmith.store.local.local import LocalStore
verb, host, repository, folder = sys.argv[1:]
with Mover(Access(insecure=True)) as mover:
    place, store, name = Reference(host, repository), LocalStore(folder), ModelName.parse("bench")
    moved = mover.pull(place, store, name) if verb == "pull" else mover.push(store, name, place)
print(json.dumps([moved.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def make_model(folder: Path, size: int) -> Layer:
    """Write a model of one large blob as ``dir:``; return the blob."""
    hashed = hashlib.sha256()
    with (folder / "blob").open("wb") as file:
        for _ in range(size >> 20):
            data = os.urandom(1 << 20)
            hashed.update(data)
            file.write(data)
    layer = Layer(MODEL, Digest(hashed.hexdigest()), size >> 20 << 20)
    (folder / "blob").rename(folder / layer.digest.hex)
    config = b"{}"
    (folder / Digest.of(config).hex).write_bytes(config)
    manifest = Manifest(Layer(CONFIG_TYPE, Digest.of(config), len(config)), (layer,))
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return layer


def timed_move(verb: str, host: str, repository: str, folder: Path) -> tuple[float, float]:
    """Pull or push in a process of its own; return seconds and MiB of memory."""
    words = [sys.executable, "-c", _MOVE, verb, host, repository, os.fspath(folder)]
    seconds, memory = json.loads(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
    return seconds, memory


def timed_curl_pull(host: str, layer: Layer) -> float:
    """Fetch and hash, and throw away."""
    url = f"http://{host}/v2/a/source/blobs/{layer.digest}"
    start = time.perf_counter()
    subprocess.run(f"curl -sf {url} | openssl dgst -sha256", shell=True, check=True, capture_output=True)
    return time.perf_counter() - start


def timed_curl_push(host: str, repository: str, layer: Layer, file: Path) -> float:
    """Send in one PUT."""
    post = ["curl", "-sf", "-X", "POST", "-D", "-", f"http://{host}/v2/{repository}/blobs/uploads/"]
    headers = subprocess.run(post, capture_output=True, check=True, text=True).stdout
    url = next(line.partition(":")[2].strip() for line in headers.splitlines() if line.lower().startswith("location:"))
    put = ["curl", "-sf", "-T", os.fspath(file), "-H", "Content-Type: application/octet-stream"]
    start = time.perf_counter()
    subprocess.run([*put, f"{url}&digest={layer.digest}"], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> int:
    """Run and print; exit code 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=500, metavar="MB")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in ("curl pull", "pull", "curl push", "push")}
    memory = {"pull": 0.0, "push": 0.0}
    with tempfile.TemporaryDirectory(dir=options.folder) as name, docker_registry(Path(name)) as host:
        folder = Path(name)
        (folder / "dir").mkdir()
        layer = make_model(folder / "dir", options.size * 1_000_000)
        copy = [sys.executable, "-m", "modelsmith", "copy"]
        subprocess.run([*copy, f"dir:{folder / 'dir'}", f"oci://{host}/a/source", "--insecure"], check=True)
        subprocess.run([*copy, f"dir:{folder / 'dir'}", "bench", "--store", folder / "store"], check=True)
        for number in range(options.runs):
            times["curl pull"].append(timed_curl_pull(host, layer))
            seconds, used = timed_move("pull", host, "a/source", folder / "fresh")
            times["pull"].append(seconds)
            memory["pull"] = max(memory["pull"], used)
            shutil.rmtree(folder / "fresh")
            times["curl push"].append(timed_curl_push(host, f"curl/{number}", layer, folder / "dir" / layer.digest.hex))
            seconds, used = timed_move("push", host, f"ours/{number}", folder / "store")
            times["push"].append(seconds)
            memory["push"] = max(memory["push"], used)
    worst = 0
    for verb in ("pull", "push"):
        ratio = min(times[f"curl {verb}"]) / min(times[verb])
        holds = ratio >= BOUNDS[verb] and memory[verb] <= MAX_MEMORY_MIB
        worst |= not holds
        print(
            f"{verb}: {ratio:.2f}x of curl (bound {BOUNDS[verb]}); "
            f"{layer.size / min(times[verb]) / 1e6:.0f} MB/s fastest, {min(times[verb]):.2f}-{max(times[verb]):.2f} s, "
            f"curl {min(times[f'curl {verb}']):.2f}-{max(times[f'curl {verb}']):.2f} s; "
            f"memory {memory[verb]:.0f} MiB (bound {MAX_MEMORY_MIB}){'' if holds else '  DOES NOT HOLD'}"
        )
    return worst


if __name__ == "__main__":
    sys.exit(main())
