"""What a server itself says about how it runs a model, and where that is not what our rules say.

Source: Ollama's documentation of ``/api/show`` (``template_source``, ``renderer``, ``parser``, ``thinking``), second hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.models.said import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.models.draft import Draft


def server_notes(draft: Draft) -> Iterator[str]:
    """Yield what the server says that the draft's base is stored on, where it differs from our rules or adds to them."""
    said = draft.inherited.said
    if said is None:
        return
    ours, theirs = draft.by_our_rules.source, SOURCES.get(said.template_source, "")
    unchanged = draft.template_text == draft.inherited.template and not draft.gguf
    if said.template_source and not theirs:
        yield f'the server says template_source "{said.template_source}", a word that is not known here'
    elif said.is_shown and theirs == draft.effective.source != ours and unchanged:
        which = "TEMPLATE" if theirs == "go" else "Jinja template in the GGUF"
        yield (
            f"the server shows the {which} as what runs, our rules say {ours}: a setting of it (OLLAMA_GO_TEMPLATE) decides, so "
            "its word counts here, for this model and for what is made of it"
        )
    elif theirs and theirs != ours and unchanged and not said.is_shown:
        yield (
            f"the server says that {said.template_source} builds the prompt (template_source), our rules say {ours}: the server is "
            "right about itself, and its word counts here where the template is at hand"
        )
    for what, theirs, ours in (("renderer", said.renderer, draft.renderer), ("parser", said.parser, draft.parser)):
        if theirs and theirs != ours and unchanged:
            yield f"the server says that {what} {theirs} is at work, our rules say {ours or 'none'}"
    if said.think_values:
        default = f", unset means {said.think_default}" if said.think_default else ""
        yield f"the server takes for think: {', '.join(said.think_values)}{default}"
