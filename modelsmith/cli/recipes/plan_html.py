"""A plan as one page, for whoever decides about it: the summary, every difference, every prompt before and after."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.cli.diff import markup
from modelsmith.cli.diff.markup import both_html, colours_of, filter_html, lines_html, text_html, value_html
from modelsmith.cli.recipes.plan_summary import VERDICTS, layer_kind, prompts_text, summarized, value_rows
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.html_page import html_page
from modelsmith.cli.shared.sizes import size_text
from modelsmith.compare.difference import Text
from modelsmith.recipe.plan.against import against, prompts_against
from modelsmith.recipe.plan.metadata import metadata_rows
from modelsmith.recipe.prove.compare import Verdict
from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsmith.cli.recipes.planning import Planned
    from modelsmith.recipe.plan.against import Change
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.compare import Comparison
    from modelsmith.template.outcomes import Outcome

    Colours = Mapping[str, int]

_HERE = Path(__file__).parent


def page(made: Planned) -> str:
    """Return the page; the same plan gives the same bytes."""
    plan = made.plan
    replaced = prompts_against(plan)
    prompts = [*plan.comparisons, *replaced]
    colours = colours_of(text for comparison in prompts for text in (comparison.before.prompt, comparison.after.prompt))
    folder = Path(markup.__file__).parent
    style = (folder / "report.css").read_text(encoding="utf-8") + (_HERE / "plan.css").read_text(encoding="utf-8")
    body = (
        '<a class="skip" href="#prompts">Skip to the prompts</a>',
        *_header(made),
        "<main>",
        *_promises(plan),
        *_values(plan, colours),
        *_texts(plan),
        *_prompts(plan, colours),
        *_replaced_prompts(plan, replaced, colours),
        *_writes(plan),
        "</main>",
    )
    return html_page(
        printable(f"{plan.name.short} · modelsmith plan"),
        body,
        style=style,
        script=(folder / "report.js").read_text(encoding="utf-8"),
        classes="white no-script",
        foot=f"recipe {plan.recipe.name}",
    )


def _header(made: Planned) -> Iterator[str]:
    plan = made.plan
    summary = summarized(plan, unseen=made.from_lock)
    yield "<header><div><h1>modelsmith plan</h1>"
    yield f'<p class="headline {summary.action}">{text_html(summary.headline)}</p><dl class="summary">'
    yield from (f"<dt>{label}</dt><dd>{text_html(text)}</dd>" for label, text in summary.rows)
    yield "</dl>"
    for moved in made.moved:
        word = "moved since the lock" if moved.matters else "other than in the lock"
        yield f'<p class="note {"moved" if moved.matters else "info"}">{word}: {text_html(str(moved))}</p>'
    yield from (f'<p class="note">{text_html(warning)}</p>' for warning in plan.warnings)
    yield from (f'<p class="note info">{text_html(note)}</p>' for note in plan.after.notes)
    links = [
        ("promises", "Promises"),
        ("values", "Values"),
        ("texts", "Texts"),
        ("prompts", "Prompts"),
        ("writes", "Writes"),
    ]
    yield f'<nav aria-label="Sections">{" ".join(f"""<a href="#{to}">{name}</a>""" for to, name in links)}</nav>'
    yield "</div></header>"


def _promises(plan: Plan) -> Iterator[str]:
    yield '<section aria-labelledby="promises"><h2 id="promises">Promises of the recipe</h2><div class="card">'
    if not plan.checked:
        yield '<p class="soft">The recipe makes none.</p>'
    yield '<ul class="promises">'
    for checked in plan.checked:
        mark = "✓" if checked.holds else "✗"
        yield (
            f'<li class="{"kept" if checked.holds else "broken"}"><b>{mark}</b><div><span class="what">'
            f'{text_html(checked.promise)}</span><br><span class="soft">{text_html(checked.detail)}</span></div></li>'
        )
    yield "</ul></div></section>"


def _values(plan: Plan, colours: Colours) -> Iterator[str]:
    replaced = {change.name: change.old for change in against(plan)}
    rows = [(name, old, new) for name, old, new in (*value_rows(plan), *metadata_rows(plan.after)) if old or new]
    named = {name for name, _, _ in rows}
    lost = [change for change in against(plan) if change.name not in named and not _is_text(change)]
    rows += [(change.name, None, change.new or None) for change in lost]
    yield '<section aria-labelledby="values"><h2 id="values">Values</h2>'
    if not rows:
        yield '<p class="soft">No parameters, no system prompt.</p></section>'
        return
    head = ["value", f"base {plan.recipe.from_}", *([f"replaced {plan.name.short}"] if replaced else []), "planned", ""]
    cells = "".join(f'<th scope="col">{text_html(heading)}</th>' for heading in head)
    yield f'<div class="scroll"><table class="values"><thead><tr>{cells}</tr></thead><tbody>'
    for name, old, new in sorted(rows, key=lambda row: row[1] == row[2]):
        before, after = _pair(old, new, colours)
        middle = f"<td>{value_html(replaced.get(name, new))}</td>" if replaced else ""
        state = "same" if old == new and name not in replaced else "differs"
        yield (
            f'<tr><th scope="row">{text_html(name)}</th><td>{before}</td>{middle}<td>{after}</td>'
            f'<td class="state"><span class="chip {state}">{state}</span></td></tr>'
        )
    yield "</tbody></table></div></section>"


def _pair(old: Any, new: Any, colours: Colours) -> tuple[str, str]:
    if isinstance(old, str) and isinstance(new, str):
        return both_html(old, new, colours)
    before, after = value_html(old), value_html(new)
    return (before, after) if old == new else (f"<del>{before}</del>", f"<ins>{after}</ins>")


def _texts(plan: Plan) -> Iterator[str]:
    yield '<section aria-labelledby="texts"><h2 id="texts">Texts, line by line</h2>'
    groups = [(f"base {plan.recipe.from_} → planned", _base_texts(plan))]
    groups.append((f"replaced {plan.name.short} → planned", _replaced_texts(plan)))
    if not any(texts for _, texts in groups):
        yield '<p class="soft">No template and no system prompt changes.</p>'
    for title, texts in groups:
        if texts:
            yield f'<h3 class="old-new">{text_html(title)}</h3>'
        for text in texts:
            yield f'<details class="card" open><summary>{text_html(text.name)}</summary>'
            yield f'<pre tabindex="0">{lines_html(text)}</pre></details>'
    yield "</section>"


def _base_texts(plan: Plan) -> list[Text]:
    before, after = plan.before, plan.after
    jinja = [draft.chat_template.text if draft.chat_template else None for draft in (before, after)]
    texts = [
        Text("TEMPLATE (Go)", before.template_text, after.template_text),
        Text("Jinja template in the GGUF", *jinja),
        Text("SYSTEM", before.system, after.system),
    ]
    return [text for text in texts if not text.same]


def _replaced_texts(plan: Plan) -> list[Text]:
    return [Text(change.name, change.old, change.new) for change in against(plan) if _is_text(change)]


def _is_text(change: Change) -> bool:
    """Say whether a value is shown line by line: a template, or more than one line."""
    long = "TEMPLATE" in change.name.upper() or "\n" in f"{change.old}{change.new}"
    return isinstance(change.old, str) and isinstance(change.new, str) and long


def _prompts(plan: Plan, colours: Colours) -> Iterator[str]:
    yield '<section aria-labelledby="prompts"><h2 id="prompts">Prompts: what the model reads, base → planned</h2>'
    if plan.before.base.missing and plan.after.template_text is None:
        yield '<p class="note">No template is known: its FROM is not here.</p></section>'
        return
    yield f'<p class="soft">{text_html(prompts_text(plan.comparisons))}</p>'
    yield filter_html(only_differing=any(comparison.verdict is not Verdict.SAME for comparison in plan.comparisons))
    yield from _cards(plan.comparisons, "prompt", colours)
    yield '<p id="nothing" class="soft" hidden>No prompt fits this filter.</p></section>'


def _replaced_prompts(plan: Plan, comparisons: Sequence[Comparison], colours: Colours) -> Iterator[str]:
    if not comparisons:
        return
    yield '<section aria-labelledby="replaced"><h2 id="replaced">Prompts: the model that is replaced → planned</h2>'
    yield f'<p class="soft">{text_html(plan.name.short)} {text_html(prompts_text(comparisons))}</p>'
    yield from _cards(
        [comparison for comparison in comparisons if comparison.verdict is not Verdict.SAME], "replaced", colours
    )
    yield "</section>"


def _cards(comparisons: Sequence[Comparison], kind: str, colours: Colours) -> Iterator[str]:
    for name, group in groupby(comparisons, key=lambda comparison: comparison.name):
        alike: dict[tuple[Outcome, Outcome], list[Comparison]] = {}
        for comparison in group:
            alike.setdefault((comparison.before, comparison.after), []).append(comparison)
        for number, found in enumerate(alike.values()):
            yield from _card(name, f"{kind}-{name}-{number}".replace(" ", "-"), found, colours)


def _card(name: str, anchor: str, found: Sequence[Comparison], colours: Colours) -> Iterator[str]:
    first = found[0]
    same = first.before == first.after
    thinks = [THINK_WORDS[comparison.think] for comparison in found]
    verdict = "byte-identical" if same else VERDICTS[first.verdict]
    yield (
        f'<article class="card" id="{text_html(anchor)}" tabindex="-1" data-conversation="{text_html(name)}" '
        f'data-think="{" ".join(thinks)}" data-same="{str(same).lower()}">'
    )
    chips = "".join(f'<span class="chip">think {word}</span>' for word in thinks)
    yield f'<div class="head"><h3>{text_html(name)}</h3>{chips}<span class="chip {"same" if same else "differs"}">{verdict}</span></div>'
    if same:
        yield f"{_prompt('', first.after, both_html(first.after.prompt, first.after.prompt, colours)[1], name)}</article>"
        return
    before, after = both_html(first.before.prompt, first.after.prompt, colours)
    yield f'<div class="pair">{_prompt("−", first.before, before, f"before, {name}")}'
    yield f"{_prompt('+', first.after, after, f'after, {name}')}</div></article>"


def _prompt(sign: str, side: Outcome, marked: str, label: str) -> str:
    kind = "a" if sign == "−" else "b"
    mark = f'<b class="ab ab-{kind}">{sign}</b>' if sign else ""
    if side.error:
        classes, inner = ' class="error"', f"error: {text_html(side.error)}"
    elif not side.prompt:
        classes, inner = ' class="empty"', "an empty prompt"
    else:
        classes, inner = "", marked
    return f'<div class="side">{mark}<pre{classes} role="group" aria-label="{text_html(label)}">{inner}</pre></div>'


def _writes(plan: Plan) -> Iterator[str]:
    yield '<section aria-labelledby="writes"><h2 id="writes">What is written</h2>'
    if plan.missing:
        yield (
            '<p class="soft">No model can be created: its '
            + text_html(plan.before.base.lacking)
            + " is not here.</p></section>"
        )
        return
    yield '<div class="scroll"><table class="blobs"><thead><tr>'
    yield (
        "".join(f'<th scope="col">{heading}</th>' for heading in ("how", "blob", "size", "digest"))
        + "</tr></thead><tbody>"
    )
    for layer in plan.preview.layers:
        digest = layer.digest.short if layer.digest else "known when written"
        yield (
            f'<tr><td>{layer.how}</td><td>{text_html(layer_kind(layer.media_type))}</td><td class="size">'
            f"{size_text(layer.size)}</td><td>{digest}</td></tr>"
        )
    yield "</tbody></table></div>"
    yield from (
        f'<p class="soft">{text_html(download.name)}, {size_text(download.size)} to download first</p>'
        for download in plan.downloads
    )
    yield "</section>"
