"""What is known of a model before it runs: what renders its prompts, its parameters, its vocabulary."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.engines.protocol import Prompt
from modelsmith.errors import InvalidGGUF, ModelsmithError, TemplateError, UnreadableFile, Unsupported
from modelsmith.files.paths import anchored
from modelsmith.models.chat_renderer import chat_renderer_of
from modelsmith.models.draft import Draft
from modelsmith.models.find import resolve_base
from modelsmith.models.served import served_by
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from modelsmith.models.served import PromptRenderer
    from modelsmith.progress import ProgressSink
    from modelsmith.store import Store
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.weights.gguf.tokens.bpe import BytePairs

_BLOB = re.compile(r"sha256[-:]([0-9a-f]{64})")


@dataclass(frozen=True)
class KnownModel:
    """A model as its files, or its server, describe it.

    ``renders`` is None where nothing here renders for it, for the reason ``unrendered``; ``name`` is the model's name in the store
    that it was found in, "" where it was not found by one.
    """

    spec: str
    draft: Draft
    renders: PromptRenderer | None
    unrendered: str = ""
    name: str = ""

    @classmethod
    def of(cls, draft: Draft, spec: str, *, name: str = "") -> KnownModel:
        """Return what is known of a draft that people call ``spec``; ``name`` is its name in a store."""
        try:
            return cls(spec, draft, served_by(draft, spec, name=name), name=name)
        except TemplateError:
            raise
        except ModelsmithError as error:
            return cls(spec, draft, None, error.message, name)

    @property
    def weights(self) -> Path | None:
        """The GGUF, None where it cannot be read here."""
        return self.draft.inherited.weights

    @property
    def digest(self) -> str:
        """The digest of the weights that the model is made of, "" where they cannot be read here; a file is hashed for it."""
        weights = self.draft.base.inherited.weights
        if weights is None or self.draft.inherited.checkpoint:
            return ""
        if stored := _BLOB.fullmatch(weights.name):
            return f"sha256:{stored[1]}"
        return str(FileBlob(weights).digest())

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The model's own PARAMETERs, given or inherited."""
        return self.draft.parameters

    def prompt(self, conversation: Conversation, think: Think, day: date | None = None) -> Prompt:
        """Return the whole prompt (as of ``day``: some tell the date) and its length; nothing where code inside Ollama renders it."""
        if self.renders is None:
            return Prompt()
        if day is None:
            text = self.renders.render(conversation, think)
        else:
            engine = chat_renderer_of(self.draft)
            text = engine.render(self.renders.served(conversation), self.renders.think(think), day)
        return Prompt(text, self._vocabulary.count(text) if self._vocabulary else None)

    @cached_property
    def _vocabulary(self) -> BytePairs | None:
        from modelsmith.weights.convert.weights import open_weights
        from modelsmith.weights.gguf.tokens.bpe import BytePairs

        try:
            return BytePairs.of(open_weights(self.weights)) if self.weights else None
        except (InvalidGGUF, UnreadableFile):
            return None


def find_known(
    spec: str, store: Callable[[], Store], folder: Path, version: str | None, progress: ProgressSink
) -> KnownModel:
    """Find a model, and fetch what of it is not here yet; ``version`` is the Ollama that serves it (None: the newest).

    Raises ModelNotFound, UsageError …, as ``resolve_base`` does.
    """
    base = resolve_base(spec, store(), folder)
    if base.downloads:
        for download in base.downloads:
            download.fetch(progress)
        base = replace(resolve_base(spec, store(), folder), downloads=())
    is_named = base.inherited.stored and not spec.startswith("sample:") and not Path(anchored(spec, folder)).is_file()
    return KnownModel.of(Draft.start(base, version), spec, name=spec if is_named else "")


def runnable(known: KnownModel) -> Path:
    """Return the GGUF to load; raises Unsupported with the way out for a model that the embedded engine cannot run as it is."""
    weights, draft = known.weights, known.draft
    if weights is None:
        raise Unsupported(
            f"the weights of {known.spec} cannot be read here", hint="run it where they are: --on ollama, or --on URL"
        )
    if draft.inherited.checkpoint:
        raise Unsupported(
            f"{known.spec} is a folder of Safetensors, which the embedded engine does not load",
            hint=f"convert it first: modelsmith import {known.spec} -o model.gguf",
        )
    edits = sorted(set(draft.gguf) - {"tokenizer.chat_template"})
    if edits or draft.adapters or draft.quantize is not None or draft.merge_shards:
        raise Unsupported(
            f"{known.spec} changes the weights ({edits[0] if edits else 'quantize, adapters or shards'}), so it must be made before it runs",
            hint="create it first with `modelsmith apply`",
        )
    adapters = [kind for kind in draft.inherited.extra_layers if "adapter" in kind]
    if adapters or draft.modelfile.adapters:
        raise Unsupported(
            f"{known.spec} has a LoRA adapter, which the embedded engine does not load",
            hint="run it with --on ollama, or merge the adapter: modelsmith lora merge",
        )
    return weights
