"""From a draft to what a store creates: the Modelfile that stands alone, and the request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported
from modelsmith.files.paths import looks_like_path
from modelsmith.models.draft import as_values
from modelsmith.recipe.plan.metadata import merged_name
from modelsmith.recipe.plan.quantization import quantized
from modelsmith.source import Edit
from modelsmith.store.model import CreateRequest
from modelsmith.syntax.modelfile.table import NOTED
from modelsmith.weights.blobs.blob import EditedGGUF, FileBlob

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.store.model import BlobSource
    from modelsmith.syntax.modelfile.modelfile import Modelfile


def compile_request(draft: Draft) -> CreateRequest:
    """Return the request that creates the draft's model."""
    modelfile = standalone(draft)
    weights = draft.inherited.weights
    if draft.base.inherited.checkpoint and weights is not None:
        return _from_checkpoint(modelfile, weights, draft)
    resolved = modelfile.resolve(draft.base.folder, lenient=bool(draft.base.absent))

    def source(path: Path) -> BlobSource:
        if not draft.changes_weights or weights is None or path.resolve() != weights.resolve():
            return FileBlob(path)
        if draft.quantize is not None or draft.adapters:
            return quantized(path, draft)
        if not draft.merge_shards:
            return EditedGGUF(path, draft.gguf)
        from modelsmith.weights.blobs.merged import MergedGGUF

        return MergedGGUF([path], draft.gguf)

    return CreateRequest(
        resolved.fields,
        {merged_name(name) if draft.merge_shards else name: source(path) for name, path in resolved.files.items()},
        {name: FileBlob(path) for name, path in resolved.draft_files.items()},
        {name: FileBlob(path) for name, path in resolved.adapters.items()},
    )


def taken_from(request: CreateRequest, draft: Draft, gguf: Path) -> CreateRequest:
    """Return the request whose weights are read from the GGUF that was written of them."""
    weights = draft.inherited.weights
    files = {
        name: FileBlob(gguf) if weights is not None and source.path.resolve() == weights.resolve() else source
        for name, source in request.files.items()
    }
    return replace(request, files=files)


def _from_checkpoint(modelfile: Modelfile, weights: Path, draft: Draft) -> CreateRequest:
    """Return the request for a folder of Safetensors: the one GGUF that it becomes takes the place of FROM's files."""
    resolved = modelfile.set_from("checkpoint").resolve(draft.base.folder, lenient=bool(draft.base.absent))
    fields = {key: value for key, value in resolved.fields.items() if key != "from"}
    return CreateRequest(
        fields,
        {f"{weights.resolve().name}.gguf": quantized(weights, draft)},
        {name: FileBlob(path) for name, path in resolved.draft_files.items()},
        {name: FileBlob(path) for name, path in resolved.adapters.items()},
    )


def written_modelfile(draft: Draft, *, gguf: Path | None = None) -> Modelfile:
    """Return the Modelfile that ``ollama create NAME -f FILE`` makes the same model of, wherever FILE lies.

    Its paths are absolute, and the weights are the edited GGUF where one was written.
    """
    modelfile = standalone(draft)
    weights = draft.inherited.weights
    edits = []
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for instruction in modelfile.find(keyword):
            path = draft.base.folder / Path(instruction.value).expanduser()
            if not path.exists() and not (keyword == "FROM" and looks_like_path(instruction.value)):
                continue  # the name of a model
            edited = gguf is not None and weights is not None and path.resolve() == weights.resolve()
            edits.append(Edit(instruction.quoted_span, str(gguf) if edited else str(path.absolute())))
    return modelfile.edit(edits)


def standalone(draft: Draft) -> Modelfile:
    """Return the draft's Modelfile; where the weights change, one that says itself what its base would have brought along.

    A model made from an edited file inherits nothing, so every inherited instruction is written out.
    """
    inherited = draft.inherited
    if not (draft.changes_weights and inherited.stored):
        return draft.modelfile
    if inherited.format == "safetensors":
        raise Unsupported(
            f'the weights of "{draft.base.spec}" are Safetensors, and there is no GGUF to edit or to quantize',
            hint="start from a GGUF of the model",
        )
    if inherited.weights is None:
        raise Unsupported(
            "a GGUF can be edited or quantized only where its file can be read",
            hint="run modelsmith on the server's machine",
        )
    if inherited.extra_layers:
        raise Unsupported(
            f'"{draft.base.spec}" has more than one file of weights ({", ".join(inherited.extra_layers)}), '
            "and the first of them cannot be changed without losing the others yet",
            hint="start from the GGUF files, or let make-effective use the way parser",
        )
    modelfile = draft.modelfile.set_from(str(inherited.weights))
    if not modelfile.template and draft.template_text is not None:
        modelfile = modelfile.set_template(draft.template_text)
    if not modelfile.system and inherited.system:
        modelfile = modelfile.set_system(inherited.system)
    for name, value in draft.parameters.items():
        if name not in modelfile.parameters:
            modelfile = modelfile.set_parameter(name, *as_values(value))
    if not modelfile.messages and inherited.messages:
        modelfile = modelfile.set_messages([(message["role"], message["content"]) for message in inherited.messages])
    if inherited.licenses:
        modelfile = modelfile.set_license(*inherited.licenses, *modelfile.licenses)
    for command, keyword in NOTED.items():
        if (value := inherited.noted.get(command)) and not modelfile.text_of(keyword):
            modelfile = modelfile.set_text(keyword, value)
    return modelfile
