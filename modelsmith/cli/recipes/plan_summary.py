"""A plan in a few lines: what is made of what, which template runs, what changes, what is proven, what it costs."""

from __future__ import annotations

from collections import Counter
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from modelsmith.cli.shared.sizes import size_text
from modelsmith.manifest import CONFIG_TYPE
from modelsmith.recipe.plan.against import against
from modelsmith.recipe.plan.already import ALREADY
from modelsmith.recipe.plan.metadata import metadata_rows
from modelsmith.recipe.prove.compare import Verdict
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.models.draft import Draft
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.compare import Comparison

VERDICTS = {
    Verdict.SAME: "byte-identical",
    Verdict.APPENDED: "with the text at the end",
    Verdict.INSERTED: "with the text where it shall stand",
    Verdict.REPAIRED: "with a real line break where two characters stood",
    Verdict.PREFILLED: "with the text before a begun answer",
    Verdict.THINKING: "that show the last answer's reasoning",
    Verdict.TOOLS: "that show tools, calls and results now",
    Verdict.SWITCHED: "as the template makes them with its own switch turned",
    Verdict.CHANGED: "changed otherwise",
}
"""What the verdicts of a comparison mean, after a number of prompts."""

ALONE = "no model can be created; --modelfile FILE writes the Modelfile"
_LONGEST = 60
_EFFECTS = ("from the Hub:", "to download:", "adapters:", "quantize:", "convert-jinja:", "advised-parameters:", ALREADY)
_MOST = 4


@dataclass(frozen=True, slots=True)
class Summary:
    """A headline and rows of a label and a text. ``action`` is create, replace, keep or unknown (FROM, or what ``place`` names then, is not here)."""

    action: str
    name: str
    base: str
    place: str
    rows: tuple[tuple[str, str], ...]

    @property
    def sign(self) -> str:
        """One character for the action."""
        return {"create": "+", "replace": "~", "keep": "=", "unknown": "?"}[self.action]

    @property
    def headline(self) -> str:
        """The action, the model, and what it is made of."""
        if self.action == "unknown":
            return f"? {self.name} from {self.base}, whose {self.place} is not here"
        return f"{self.sign} {self.action} {self.name} from {self.base}, {self.place}"


def summarized(plan: Plan, *, seconds: float | None = None, unseen: bool = False) -> Summary:
    """Return the summary of a plan; ``seconds`` is how long planning took, ``unseen`` that nobody looked into the store."""
    rows = [("changes", "; ".join(changes(plan)) or "nothing of what the base brings along")]
    if not plan.before.base.missing:
        rows.insert(0, ("runs", _runs(plan)))
    rows += [("note", note) for note in plan.after.notes if note.startswith(_EFFECTS)]
    if replaced := _replaced(plan):
        rows.append(("replaces", replaced))
    if plan.comparisons and (not plan.before.base.missing or plan.after.template_text is not None):
        rows.append(("prompts", prompts_text(plan.comparisons)))
    rows.append(("promises", _promises(plan)))
    rows.append(
        ("writes", _writes(plan, unseen=unseen) + (f"; planned in {seconds:.1f} s" if seconds is not None else ""))
    )
    place = f"as {plan.store.location} has it" if unseen else f"in {plan.store.location}"
    place = plan.before.base.lacking or place
    return Summary(action_of(plan), plan.name.short, plan.recipe.from_, place, tuple(rows))


def action_of(plan: Plan) -> str:
    """Return what happens to the model: create, replace, keep, or unknown where a file of its Modelfile is not here."""
    if plan.missing:
        return "unknown"
    if not plan.preview.changes:
        return "keep"
    return "replace" if plan.replaces or plan.damaged else "create"


def _runs(plan: Plan) -> str:
    before, after = plan.before.effective, plan.after.effective
    was = "" if before.source == after.source else f" (so far: {before.source})"
    return f"{after.source}{was}: {after.reason}"


def changes(plan: Plan) -> Iterator[str]:
    """Yield what differs from what the base brings along, each in a few words."""
    before, after = plan.before, plan.after
    yield from _text_change("TEMPLATE", before.template_text, after.template_text)
    yield from _text_change("the Jinja template in the GGUF", _jinja(before), _jinja(after))
    yield from (
        f"{name} {short(old)} -> {short(new)}" for name, old, new in value_rows(plan) if old != new and name != "SYSTEM"
    )
    yield from _text_change("SYSTEM", before.system, after.system)
    if before.messages != after.messages:
        yield f"MESSAGEs {len(before.messages)} -> {len(after.messages)}"
    yield from (f"GGUF {key} {short(old)} -> {short(new)}" for key, old, new in metadata_rows(after))
    if after.merge_shards:
        yield "all shards become one GGUF"
    if after.adapters:
        yield f"{len(after.adapters)} adapter{'s' if len(after.adapters) > 1 else ''} merged in"
    if after.quantize is not None and after.quantize.mix.name != "COPY":
        yield f"quantized to {after.quantize.mix.name}"


def _jinja(draft: Draft) -> str | None:
    return draft.chat_template.text if draft.chat_template else None


def value_rows(plan: Plan) -> list[tuple[str, Any, Any]]:
    """Return the values of a Modelfile by name, in the base and in the planned model, changed or not."""
    before, after = plan.before, plan.after
    rows: list[tuple[str, Any, Any]] = [
        (f"PARAMETER {name}", before.parameters.get(name), after.parameters.get(name))
        for name in sorted({*before.parameters, *after.parameters})
    ]
    return [
        *rows,
        ("SYSTEM", before.system, after.system),
        ("RENDERER", before.renderer, after.renderer),
        ("PARSER", before.parser, after.parser),
    ]


def short(value: Any) -> str:
    """Return a value in a few words; a long text by its beginning."""
    if value in (None, "", [], ()):
        return "not set"
    text = str(value).replace("\n", "⏎")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def line_counts(before: str, after: str) -> tuple[int, int]:
    """Return how many lines a text gains and loses."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    return sum(line[:1] == "+" for line in lines), sum(line[:1] == "-" for line in lines)


def _text_change(what: str, before: str | None, after: str | None) -> Iterator[str]:
    old, new = before or "", after or ""
    if old == new:
        return
    if "\n" not in old + new and max(len(old), len(new)) <= _LONGEST:
        yield f"{what} {short(old)} -> {short(new)}"
        return
    gained, lost = line_counts(old, new)
    yield f"{what} +{gained} -{lost} lines"


def prompts_text(comparisons: Sequence[Comparison]) -> str:
    """Return how many prompts were compared, and how they differ."""
    verdicts = Counter(comparison.verdict for comparison in comparisons)
    counts = ", ".join(f"{verdicts[verdict]} {words}" for verdict, words in VERDICTS.items() if verdicts[verdict])
    return f"{len(comparisons)} rendered: {counts}"


def _replaced(plan: Plan) -> str:
    """Say what the model that stands there was, and what changes for whoever uses it."""
    if plan.missing or not plan.preview.changes:
        return ""
    if plan.damaged:
        return f"{plan.name.short}, which is damaged"
    if plan.replaces is None:
        return ""
    who = f"{plan.name.short} {plan.replaces.digest[:12]}"
    if plan.replaces.digest == plan.before.base.inherited.digest:
        return f"{who}, the base itself"
    rows = against(plan)
    told = []
    for row in rows[:_MOST]:
        if isinstance(row.old, str) and isinstance(row.new, str) and "\n" in row.old + row.new:
            gained, lost = line_counts(row.old, row.new)
            told.append(f"{row.name} +{gained} -{lost} lines")
        else:
            told.append(f"{row.name} {short(row.old)} -> {short(row.new)}")
    more = f" and {len(rows) - _MOST} more" if len(rows) > _MOST else ""
    return f"{who}: {'; '.join(told)}{more}" if told else f"{who}: the same texts and values, other bytes"


def _promises(plan: Plan) -> str:
    asks = len(plan.recipe.expect) - len(plan.checked)
    about = f"{asks} question{'s' * (asks > 1)} for `modelsmith verify`" if asks else ""
    if not plan.checked:
        return about or "the recipe makes none"
    kept = sum(checked.holds for checked in plan.checked)
    return f"{kept} of {len(plan.checked)} kept{f'; {about}' if about else ''}"


def _writes(plan: Plan, *, unseen: bool) -> str:
    if plan.missing:
        return ALONE
    if not plan.changes:
        return "nothing: the model is as the recipe says"
    layers = plan.preview.layers
    reused = sum(layer.size for layer in layers if layer.how in {"exists", "link"})
    parts = [size_text(plan.preview.bytes_to_write) if plan.preview.changes else "the Modelfile only"]
    if reused:
        parts.append(f"{size_text(reused)} {'linked or ' if _links(layers) else ''}there already")
    if plan.downloads:
        parts.append(f"{size_text(sum(download.size for download in plan.downloads))} to download first")
    if unseen:
        parts.append("as far as the lock tells")
    return ", ".join(parts)


def _links(layers: Sequence[Any]) -> bool:
    return any(layer.how == "link" for layer in layers)


def layer_kind(media_type: str) -> str:
    """Return what a blob is, in one word."""
    return "config" if media_type == CONFIG_TYPE else media_type.rpartition(".")[2]
