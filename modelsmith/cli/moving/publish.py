"""What is published to the Hub: the weights, what Ollama reads beside them, and a card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported, UsageError
from modelsmith.hub.card import CardFacts, base_of, model_card
from modelsmith.hub.reference import HubReference
from modelsmith.hub.settings import HubSettings
from modelsmith.hub.upload import Upload
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from modelsmith.cli.moving.publishing import PublishOptions
    from modelsmith.models.base import Inherited
    from modelsmith.weights.gguf import GGUFFile

_LARGEST_TEXT = 4 << 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """What will be sent where; ``card`` is the text that was made, empty where one was given."""

    reference: HubReference
    page: str
    uploads: tuple[Upload, ...]
    card: str


def prepared(name: str, destination: str, where: str | None, publishing: PublishOptions) -> Prepared:
    """Look at a .gguf or a model of the store, and return what publishing it sends. Sends nothing.

    Raises UsageError for a destination that names a quantization, Unsupported for weights that cannot be read here.
    """
    reference = HubReference.parse(destination)
    if reference.quantization or (reference.file and not reference.file.lower().endswith(".gguf")):
        raise UsageError(
            f"{destination} names no file to write", hint=f"hf://{reference.repo} or hf://{reference.repo}/NAME.gguf"
        )
    inherited, weights = _model(name, where)
    from modelsmith.files.stream import hash_segments
    from modelsmith.weights.blobs.blob import FileBlob
    from modelsmith.weights.gguf import GGUFFile

    gguf = GGUFFile.open(weights)
    path = reference.file or _file_name(reference.repo, gguf)
    uploads = [Upload(path, weights), *_sides(inherited)]
    card = ""
    if publishing.card is None:
        digest = hash_segments(FileBlob(weights).segments).hex
        card = model_card(_facts(reference.repo, gguf, inherited, path, digest, _recipe(publishing.recipe)))
    data = card.encode() if publishing.card is None else publishing.card.read_bytes()
    uploads.append(Upload("README.md", data))
    return Prepared(reference, f"{HubSettings.read().endpoint}/{reference.repo}", tuple(uploads), card)


def _model(name: str, where: str | None) -> tuple[Inherited, Path]:
    from modelsmith.cli.shared.options import store_for
    from modelsmith.models.find import resolve_base

    base = resolve_base(name, store_for(where, name)(), Path())
    weights = base.inherited.weights
    if weights is None or base.downloads:
        raise Unsupported(
            f"the weights of {name} cannot be read here",
            hint="name the .gguf, or the folder of the store with --store DIR",
        )
    return base.inherited, weights.resolve()


def _file_name(repo: str, gguf: GGUFFile) -> str:
    stem = repo.rpartition("/")[2].removesuffix("-GGUF").removesuffix("-gguf")
    return f"{stem}-{gguf.file_type}.gguf" if gguf.file_type != "unknown" else f"{stem}.gguf"


def _sides(inherited: Inherited) -> list[Upload]:
    """Return the files that the Hub gives to Ollama as instructions; none for what a plain GGUF brings along by itself."""
    if not inherited.stored:
        return []
    uploads = []
    if inherited.template:
        uploads.append(Upload("template", inherited.template.encode()))
    if inherited.system:
        uploads.append(Upload("system", inherited.system.encode()))
    if inherited.parameters:
        text = json.dumps(dict(inherited.parameters), ensure_ascii=False, indent=2, sort_keys=True)
        uploads.append(Upload("params", f"{text}\n".encode()))
    return uploads


def _recipe(path: Path | None) -> tuple[str, str]:
    """Return the text of a recipe and the base that it names."""
    if path is None:
        return "", ""
    from modelsmith.recipe.read.layers import read_file
    from modelsmith.recipe.read.load import parse_recipe

    data = read_file(path)
    written = parse_recipe(data, name=str(path), folder=path.absolute().parent)
    return data.decode("utf-8-sig"), base_of(str(written.data().get("from", "")))


def _facts(
    repo: str, gguf: GGUFFile, inherited: Inherited, path: str, digest: str, recipe: tuple[str, str]
) -> CardFacts:
    metadata = gguf.metadata
    text = metadata.text
    languages = metadata.get("general.languages")
    said = base_of(text("general.base_model.0.repo_url")) or base_of(text("general.source.repo_url"))
    own = inherited.stored
    return CardFacts(
        title=text("general.name") or repo.rpartition("/")[2],
        repo=repo,
        files=((path, gguf.size, digest),),
        quantization="" if gguf.file_type == "unknown" else gguf.file_type,
        architecture=gguf.architecture,
        parameters=f"{gguf.parameter_count:,}",
        context=metadata.uint(metadata.of_architecture("context_length")),
        base_model=recipe[1] or said,
        license=text("general.license").lower(),
        languages=[str(language) for language in languages]
        if languages is not None and not isinstance(languages, str)
        else [],
        chat_template=gguf.chat_template or "",
        template=(inherited.template or "") if own else "",
        system=inherited.system if own else "",
        settings=dict(inherited.parameters) if own else None,
        recipe=recipe[0],
    )
