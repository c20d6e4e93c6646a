"""The recipe key ``advised-parameters``: what the model's makers advise, where nobody says otherwise."""

from __future__ import annotations

from modelsmith.models.draft import Draft, with_parameters


def with_advised(draft: Draft, *, wanted: bool) -> Draft:
    """Return the draft with the advised PARAMETERs that the base does not set, and a note that says which."""
    if not wanted:
        return draft
    weights = draft.base.inherited.weights
    if weights is None:
        return draft.with_note(
            "advised-parameters: the weights are on a server, and what they advise cannot be read here"
        )
    from modelsmith.models.advised import advised_parameters

    advised = {name: value for name, value in advised_parameters(weights).items() if name not in draft.parameters}
    if not advised:
        return draft.with_note("advised-parameters: the model advises none that its base does not set")
    told = ", ".join(f"{name} {value}" for name, value in advised.items())
    return with_parameters(draft, advised).with_note(f"advised by the model's makers: {told}")
