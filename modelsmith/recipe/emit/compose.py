"""A compose file with ``models:``, for Docker Model Runner.

Sources: the Compose Specification (``models``: model, context_size, runtime_flags); Docker Model Runner
``pkg/inference/runtime_flags*.go`` (which flags it lets through, and that no value may have a slash).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from modelsmith.errors import UsageError
from modelsmith.recipe.emit.llama_arguments import llama_arguments
from modelsmith.recipe.emit.subject import Emitted, Subject, Unsaid, common_unsaid
from modelsmith.recipe.emit.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLE = "a compose file with models:"
FILE = "compose.yaml"
_TOOL = "Docker Model Runner"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:))(?::[0-9]{1,5})?"
"""The first part is a host where it has a dot or a port, or is localhost."""
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?",
    re.ASCII,
)
"""Source: distribution/reference, the grammar in its documentation."""


def emit(subject: Subject) -> Emitted:
    """Return the compose file: one model by the name of an OCI artifact, its context, and flags for llama.cpp."""
    draft = subject.draft
    unsaid = list(common_unsaid(subject, tool=_TOOL))
    todo: list[str] = []
    model: dict[str, Any] = {"model": _reference(subject, unsaid, todo)}
    parameters = dict(draft.parameters)
    if (context := parameters.pop("num_ctx", None)) is not None:
        model["context_size"] = context
    arguments = llama_arguments(parameters | ({"num_ctx": context} if context is not None else {}))
    unsaid += arguments.unsaid
    if stops := parameters.get("stop"):
        listed = ", ".join(repr(stop) for stop in stops)
        unsaid.append(
            Unsaid(f"PARAMETER stop {listed}", f"{_TOOL} lets no such flag through; the client has to send it")
        )
    values = {key: value for key, value in arguments.values.items() if key != "ctx-size"}
    if flags := list(_flags({**values, **arguments.defaults})):
        model["runtime_flags"] = flags
    head = f"the model {subject.plan.name.short}; name it under `models:` of a service to use it"
    return Emitted(yaml_text({"models": {subject.stem: model}}, head), tuple(unsaid), tuple(todo))


def _flags(values: dict[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield f"--{name}"
        if value:
            yield value


def check_reference(text: str) -> None:
    """Raise UsageError for what cannot be the name of an artifact in a registry, as docker reads it."""
    if not _REFERENCE.fullmatch(text):
        raise UsageError(
            f'--reference "{text:.120}" is not the name of an artifact in a registry',
            hint="such as me/model or ghcr.io/me/model:1.0, in small letters",
        )


def _reference(subject: Subject, unsaid: list[Unsaid], todo: list[str]) -> str:
    """Return where the runner pulls the model from; what a recipe makes has to be packed and pushed there first."""
    hub = subject.hub
    if hub is not None and not subject.draft.changes_weights and not subject.reference:
        if hub.revision:
            unsaid.append(Unsaid(f"revision {hub.revision}", "the runner takes the newest of a repository"))
        if hub.file:
            unsaid.append(Unsaid(f"file {hub.file}", "the runner takes the GGUF that it likes best of a repository"))
        return f"hf.co/{hub.repo}{f':{hub.quantization}' if hub.quantization else ''}"
    name = subject.reference or subject.plan.name.short.removesuffix(":latest").lower()
    path = subject.weights or (None if subject.draft.changes_weights else subject.draft.inherited.weights)
    source = shlex.quote(str(path)) if path is not None else "MODEL.gguf"
    todo.append(f"pack and push the weights: docker model package --gguf {source} --push {name}")
    if path is None:
        unsaid.append(Unsaid("FROM (the weights)", "the recipe changes them, or they are elsewhere: --weights FILE"))
    return name
