"""What is written down for another tool: the planned model, where its weights are, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsmith.hub.reference import HubReference, is_hub
from modelsmith.models.draft import CHAT_TEMPLATE_KEY
from modelsmith.models.rendered import rendered
from modelsmith.recipe.read.references import stem
from modelsmith.template.conversation.named import NAMED, is_suffix
from modelsmith.template.conversation.think import THINK_WORDS, THINKS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelsmith.models.draft import Draft
    from modelsmith.recipe.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Unsaid:
    """One thing that the model has and the other tool's file cannot say, and why."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Emitted:
    """The text of a file, further files that it names (by their paths), what it cannot say, and what is left to do.

    ``todo`` are sentences about what the reader has to do before the file works, such as uploading the weights.
    """

    text: str
    unsaid: tuple[Unsaid, ...] = ()
    todo: tuple[str, ...] = ()
    beside: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """The planned model.

    ``weights`` is the file of the weights as the model has them, where there is one; ``file`` is where the result is written
    (None: it is printed), ``reference`` how the model is called where containers are pulled from (""; not said).
    """

    plan: Plan
    weights: Path | None
    file: Path | None = None
    reference: str = ""

    @property
    def draft(self) -> Draft:
        """The model as the recipe makes it."""
        return self.plan.after

    @property
    def stem(self) -> str:
        """The model's name without host, namespace and ``:latest``: letters, digits, dots, dashes and underscores."""
        return stem(self.plan.name.short)

    @property
    def hub(self) -> HubReference | None:
        """The repository of the Hub that the weights come from; None where they are others."""
        spec = self.draft.base.spec
        return HubReference.parse(spec) if is_hub(spec) else None

    @property
    def swaps_template_alone(self) -> bool:
        """Whether the Jinja template is all that the recipe changes about the GGUF."""
        draft = self.draft
        others = draft.quantize is not None or draft.merge_shards or draft.adapters or draft.base.inherited.checkpoint
        return set(draft.gguf) == {CHAT_TEMPLATE_KEY} and not others

    @property
    def unchanged_weights(self) -> bool:
        """Whether the weights of the base do, with the Jinja template beside them if that changed."""
        return not self.draft.changes_weights or self.swaps_template_alone


def jinja_says_otherwise(draft: Draft) -> str:
    """Say why a tool that runs the Jinja template makes other prompts than Ollama will; "" where it makes the same."""
    if draft.runs_jinja:
        return ""
    if draft.chat_template is None:
        known = draft.inherited.chat_template_known and not draft.base.missing
        return "it runs Jinja templates, and the GGUF has none" if known else "its GGUF cannot be looked into from here"
    source = draft.effective.source
    if source in {"renderer", "harmony", "default"}:
        return f"Ollama makes the prompts otherwise ({source}: {draft.effective.reason})"
    for name, conversation in NAMED.items():
        for think in THINKS if not is_suffix(conversation) else ():
            go, jinja = (rendered(draft, conversation, think, jinja=is_jinja) for is_jinja in (False, True))
            if go != jinja and not go.error:
                return (
                    "it runs the Jinja template in the GGUF, which makes other prompts than the TEMPLATE: for example "
                    f'conversation "{name}", think {THINK_WORDS[think]}; the step make-effective changes both'
                )
    return ""


def common_unsaid(subject: Subject, *, tool: str, keeps: frozenset[str] = frozenset()) -> tuple[Unsaid, ...]:
    """Say what of the model only Ollama knows; ``keeps`` names what the tool can say all the same."""
    draft = subject.draft
    found: list[Unsaid] = []
    if "template" not in keeps and (why := jinja_says_otherwise(draft)):
        found.append(Unsaid("TEMPLATE", why))
    elif "template" not in keeps and draft.modelfile.template and draft.runs_jinja:
        why = "it runs the Jinja template in the GGUF, and so does this Ollama; only an older one runs this text"
        found.append(Unsaid("TEMPLATE", why))
    if draft.system and "system" not in keeps:
        found.append(Unsaid("SYSTEM", f"{tool} has no system prompt of a model; the client has to send it"))
    if draft.messages and "messages" not in keeps:
        count = len(draft.messages)
        found.append(Unsaid(f"MESSAGE ({count})", f"{tool} starts no conversation with messages"))
    if draft.renderer:
        found.append(Unsaid(f"RENDERER {draft.renderer}", "it is code of Ollama"))
    if draft.parser:
        found.append(Unsaid(f"PARSER {draft.parser}", f"it is code of Ollama; {tool} reads answers by the template"))
    if draft.inherited.licenses or draft.modelfile.licenses:
        found.append(Unsaid("LICENSE", f"{tool} has no place for its text; hand it on beside the file"))
    requires = draft.modelfile.requires or draft.inherited.requires
    if requires:
        found.append(Unsaid(f"REQUIRES {requires}", "it is a version of Ollama"))
    if draft.modelfile.find("DRAFT") and "draft" not in keeps:
        found.append(Unsaid("DRAFT", f"{tool} is told of a draft model where it is started"))
    if draft.modelfile.find("ADAPTER") and "adapter" not in keeps:
        found.append(
            Unsaid("ADAPTER", f"{tool} takes the adapter only as part of the weights; merge it with `adapters`")
        )
    extra = [kind for kind in draft.inherited.extra_layers if not (kind == "projector" and "projector" in keeps)]
    if extra:
        found.append(Unsaid(f"further weights ({', '.join(extra)})", "only the first file of weights is named"))
    return tuple(found)
