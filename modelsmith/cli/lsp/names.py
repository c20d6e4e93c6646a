"""What stands around a Modelfile that is being written: the models of the store, the files beside it, the base model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.cli.lsp.work import look, parse
from modelsmith.errors import ModelsmithError
from modelsmith.lint.editor.answers import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.cli.lsp.work import Job
    from modelsmith.lint.editor.complete import Naming

_WEIGHTS = (".gguf", ".safetensors", ".bin")
_MOST = 300


def names(job: Job, naming: Naming) -> tuple[Item, ...]:
    """Return the models and files that FROM, ADAPTER or DRAFT may name here."""
    return (*_models(job, naming), *_files(job, naming))


def _models(job: Job, naming: Naming) -> Iterator[Item]:
    is_path = naming.written.startswith((".", "/", "~"))
    if naming.keyword == "ADAPTER" or is_path or job.options.text_only:
        return
    for name in sorted(look(parse(job.text, job.language), job)[0].stored_models or ())[:_MOST]:
        yield Item(name, "model", naming.span, detail="in the store", sort=f"0{name}")


def _files(job: Job, naming: Naming) -> Iterator[Item]:
    if job.path is None:
        return
    from modelsmith.syntax.modelfile.request import expand_path

    head, slash, begun = naming.written.rpartition("/")
    shown = f"{head}/" if slash else "./"
    try:
        folder = Path(expand_path(shown, os.fspath(job.path.parent)))
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except (ModelsmithError, OSError, ValueError):
        return
    for entry in [member for member in entries if begun.startswith(".") or not member.name.startswith(".")][:_MOST]:
        if _is_folder(entry):
            path = f"{shown}{entry.name}/"
            yield Item(path, "folder", naming.span, sort=f"2{entry.name}", more=True)
        elif entry.suffix.lower() in _WEIGHTS:
            yield Item(f"{shown}{entry.name}", "file", naming.span, sort=f"1{entry.name}")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def describe_base(job: Job) -> str:
    """Return Markdown about the model that the text builds on, "" where it is not at hand."""
    model = look(parse(job.text, job.language), job)[0].model
    if model is None:
        return ""
    facts = [
        ("architecture", model.architecture),
        ("context", f"{model.context_length:,} tokens" if model.context_length else ""),
        ("can", ", ".join(sorted(model.capabilities))),
        ("renderer", model.renderer),
        ("parser", model.parser),
        ("chat template in the GGUF", "yes" if model.chat_template else ""),
        ("begins with", f"`{model.bos}`" if model.bos and model.adds_bos else ""),
        ("ends with", ", ".join(f"`{token}`" for token in model.end_tokens)),
        ("parameters", ", ".join(f"{name} {' '.join(values)}" for name, values in model.parameters.items())),
    ]
    lines = [f"- {name}: {value}" for name, value in facts if value]
    return "\n".join((f"**{model.name}**", "", *lines))
