"""The recipe key ``adapters``: merged into the weights, or named in ADAPTER where an Ollama still takes that.

Ollama refuses a new ADAPTER since 0.34.1, and before it applied the last one only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported, UsageError
from modelsmith.hub.reference import is_hub
from modelsmith.versions import Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.models.draft import Draft

REFUSED_SINCE = Version.parse("0.34.1")


def with_adapters(draft: Draft, texts: Sequence[str]) -> Draft:
    """Return the draft with adapters, ``PLACE`` or ``PLACE=WEIGHT`` each; a place is a path, or on the Hub.

    One GGUF without a weight becomes an ADAPTER for an Ollama before 0.34.1; everything else is merged when the model is
    created, which needs weights in F16, BF16 or F32. Raises Unsupported where the weights cannot be read here.
    """
    if not texts:
        return draft
    from modelsmith.weights.adapters.peft import is_peft
    from modelsmith.weights.adapters.spec import weighted

    adapters = []
    for place, weight in map(weighted, texts):
        path, draft = _found(draft, place)
        adapters.append((path, weight))
    takes_adapter = draft.version is not None and Version.parse(draft.version) < REFUSED_SINCE
    if takes_adapter and len(adapters) == 1 and adapters[0][1] == 1.0 and not is_peft(adapters[0][0]):
        return replace(draft, modelfile=draft.modelfile.set_adapter(str(adapters[0][0])))
    if draft.inherited.weights is None:
        raise Unsupported(
            f'adapters are merged into weights that can be read, and those of "{draft.base.spec}" are on a server',
            hint="start from the F16 .gguf, or run modelsmith on the server's machine",
        )
    if missing := [path for path, _ in adapters if not path.exists()]:
        raise UsageError(f"there is no adapter {missing[0]}", hint="paths are relative to the recipe")
    return replace(draft, adapters=tuple(adapters))


def _found(draft: Draft, place: str) -> tuple[Path, Draft]:
    """Return where an adapter lies, and the draft that knows what of it must be downloaded first."""
    if not is_hub(place):
        return Path(place).expanduser(), draft
    from modelsmith.models.sources.hub_adapter import hub_adapter

    found = hub_adapter(place)
    draft = draft.with_note(f"adapters: from the Hub: {found.pinned}")
    if not found.downloads:
        return found.path, draft
    base = replace(draft.base, downloads=(*draft.base.downloads, *found.downloads))
    size = sum(download.size for download in found.downloads)
    return found.path, replace(draft, base=base).with_note(f"to download: {size:,} bytes of the adapter")
