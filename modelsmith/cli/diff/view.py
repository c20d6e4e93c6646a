"""A difference on the terminal: the verdict, values, texts, and prompts word by word."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.text import Text

from modelsmith.cli.recipes.plan_details import visible
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.terminal import Terminal
from modelsmith.template.conversation.think import THINK_WORDS
from modelsmith.template.effective.prompt_tokens import difference as pieces_of
from modelsmith.template.effective.prompt_tokens import pieces, window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelsmith.compare.difference import Difference, Prompts
    from modelsmith.compare.values import Value
    from modelsmith.template.effective.prompt_tokens import PromptPiece

_AROUND = 16
_STYLES = {"removed": "bold red", "added": "bold green"}
_MARKS = {"removed": ("[-", "-]"), "added": ("{+", "+}"), "same": ("", "")}
_KINDS = {"special": "magenta", "break": "cyan"}
_STATES = {"same": "  (same)", "differs": "", "not compared": "  (not compared)"}
_LINES = 60
_LONGEST = 300
_WINDOW = 6_000


def verdict(found: Difference) -> str:
    """Say in one line whether the two are equal, and what differs."""
    if found.equal:
        return _prompts_verdict(found)
    values = len(found.different_values)
    told = f"{values} value{'s' if values > 1 else ''}; " if values else ""
    return f"different: {told}{'' if found.unrendered else 'prompts '}{_prompts_verdict(found)}"


def _prompts_verdict(found: Difference) -> str:
    if found.unrendered:
        return ("equal: " if found.equal else "") + found.unrendered
    count = len(found.conversations) - len(found.incomparable_names)
    all_of_them = f"all {count} conversations" if count != 1 else f"the conversation {next(iter(found.conversations))}"
    apart = f"; {' and '.join(found.incomparable_names)} cannot be compared between Go and Jinja"
    ending = apart if found.incomparable_names else ""
    if not found.different_prompts:
        fail = sum(pair.both_fail for pair in found.prompts)
        failing = f" ({fail} of {len(found.prompts)} prompts fail on both sides)" if fail else ""
        return f"equal for {all_of_them}{failing}{ending}"
    if len(found.different_names) == count:
        return f"differ for {all_of_them}{ending}"
    return (
        f"differ for {len(found.different_names)} of {count} conversations: {', '.join(found.different_names)}{ending}"
    )


def show_difference(found: Difference, *, everything: bool = False, console: Terminal | None = None) -> None:
    """Print a difference; ``everything`` shows every prompt that differs (all, where there is one conversation)."""
    console = console or Terminal(highlight=False, soft_wrap=True)
    style = "bold green" if found.equal else "bold yellow"
    console.print(Text(printable(verdict(found)), style=style))
    for sign, side in (("A", found.a), ("B", found.b)):
        runs = f"  {side.effective.source}: {side.reason}" if side.reason else ""
        console.print(
            Text.assemble((f"  {sign} ", "bold"), printable(side.spec), (printable(f"  ({side.kind}){runs}"), "dim"))
        )
    for note in found.notes:
        console.print(Text(f"  {printable(note)}", style="yellow"))
    if found.smallest is not None and not everything:
        console.print(Text("\nprompts", style="bold") + Text("  the smallest that differs"))
        _show_pair(console, found.smallest, _thinks(found.smallest, found.prompts))
    _show_values(console, "values", found.values)
    _show_values(console, "GGUF", found.metadata)
    _show_texts(console, found, whole=everything)
    if everything:
        _show_prompts(console, found)
    elif len(found.different_prompts) > 1:
        console.print(
            Text("\n--all shows every prompt that differs, --html report.html all of them on a page", style="dim")
        )


def _show_values(console: Terminal, title: str, values: Sequence[Value]) -> None:
    changed = [value for value in values if not value.same]
    if not changed:
        return
    console.print(f"\n[bold]{title}[/]")
    for value in changed:
        line = Text(f"  {printable(value.name)}: ", style="" if value.decides else "dim")
        if isinstance(value.a, list) and isinstance(value.b, list) and (value.removed or value.added):
            changes = [*(("removed", item) for item in value.removed), *(("added", item) for item in value.added)]
            for number, (change, item) in enumerate(changes):
                line.append(" " if number else "").append(_marked(console, change, visible(_short(item))))
        else:
            line.append(visible(_short(value.a))).append(" -> ", style="dim").append(visible(_short(value.b)))
        console.print(line)


def _short(value: Any) -> str:
    if value is None:
        return "not set"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _show_texts(console: Terminal, found: Difference, *, whole: bool) -> None:
    for text in found.texts:
        if text.same:
            continue
        lines = list(text.lines())
        only = "  only A has one" if text.b is None else "  only B has one" if text.a is None else ""
        alike = "  (the text differs; what the model reads does not)" if found.equal else ""
        console.print(Text(f"\n{text.name}", style="bold") + Text(only + alike, style="dim"))
        for line in () if only and not whole else lines if whole else lines[:_LINES]:
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            console.print(Text(f"  {printable(line)}", style=style))
        if not whole and not only and len(lines) > _LINES:
            console.print(Text(f"  … {len(lines) - _LINES} more lines", style="dim"))


def _show_prompts(console: Terminal, found: Difference) -> None:
    one = len(found.conversations) == 1
    console.print("\n[bold]prompts[/]")
    for name, pairs in groupby(found.prompts if one else found.different_prompts, key=lambda pair: pair.name):
        known: dict[tuple[object, object], Prompts] = {}
        mine = list(pairs)
        for pair in mine:
            known.setdefault((pair.a, pair.b), pair)
        for pair in known.values():
            _show_pair(console, pair, _thinks(pair, mine))
        del name


def _thinks(pair: Prompts, pairs: Iterable[Prompts]) -> str:
    alike = [other for other in pairs if other.name == pair.name and (other.a, other.b) == (pair.a, pair.b)]
    return ", ".join(THINK_WORDS[other.think] for other in alike)


def _show_pair(console: Terminal, pair: Prompts, thinks: str) -> None:
    console.print(Text(f"  {printable(pair.name)}, think {thinks}", style="bold") + Text(_STATES[state(pair)]))
    if pair.a.error or pair.b.error:
        for sign, side in (("A", pair.a), ("B", pair.b)):
            told = Text(f"error: {printable(side.error)}", style="red") if side.error else _text(console, side.prompt)
            console.print(Text(f"    {sign} ") + told)
        return
    start, before, after = window(pair.a.prompt, pair.b.prompt, _WINDOW)
    shown = pieces(before) if pair.a == pair.b else pieces_of(before, after)
    text = Text(f"    {'…' if start else ''}") + (_line(console, shown) if shown else _text(console, ""))
    console.print(text + Text("…" if max(len(before), len(after)) == _WINDOW else "", style="dim"))


def state(pair: Prompts) -> str:
    """Return ``same``, ``differs`` or ``not compared``."""
    return "not compared" if not pair.comparable else "same" if pair.same else "differs"


def _text(console: Terminal, prompt: str) -> Text:
    return _line(console, pieces(prompt[:_WINDOW])) if prompt else Text("(an empty prompt)", style="dim")


def _line(console: Terminal, shown: Sequence[PromptPiece]) -> Text:
    """Return pieces as text with what changed marked; what is far from a change is left out."""
    text = Text()
    near = _near(shown)
    for change, group in groupby(enumerate(shown), key=lambda placed: placed[1].change if near[placed[0]] else "far"):
        if change == "far":
            text.append("…", style="dim")
            continue
        inner = Text()
        for _, piece in group:
            inner.append(_piece(piece))
        text.append(_marked(console, change, inner))
    return text


def _near(shown: Sequence[PromptPiece]) -> list[bool]:
    changed = [number for number, piece in enumerate(shown) if piece.change != "same"]
    near = [not changed] * len(shown)
    for number in changed:
        for place in range(max(0, number - _AROUND), min(len(shown), number + _AROUND + 1)):
            near[place] = True
    return near


def _piece(piece: PromptPiece) -> Text:
    if piece.change != "same" and piece.kind == "blank":
        return Text(visible(piece.text).plain.replace(" ", "·"), style=_STYLES[piece.change])
    text = visible(piece.text)
    if piece.kind == "break":
        text.append("\n    ")
    text.stylize(_STYLES.get(piece.change) or _KINDS.get(piece.kind, ""))
    return text


def _marked(console: Terminal, change: str, text: Text) -> Text:
    """Mark a change by colour, or by signs as ``git diff --word-diff`` does where there is none."""
    if console.color_system is not None:
        return Text.assemble(text, style=_STYLES.get(change, ""))
    opening, closing = _MARKS[change]
    return Text.assemble(opening, text, closing)
