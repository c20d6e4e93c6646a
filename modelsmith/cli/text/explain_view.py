"""An explanation on the terminal, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from modelsmith.cli.recipes.plan_details import visible
from modelsmith.cli.shared.failure import printable
from modelsmith.cli.shared.terminal import Terminal
from modelsmith.explain.words import COST, SHORT, SOURCES, STATES, about_token
from modelsmith.template.conversation.think import THINK_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.explain.explanation import Explanation

_TAIL = 32
_WAYS = 3
_NAMES = 4
_WIDE = 240


def show_explanation(explanation: Explanation, console: Terminal | None = None) -> None:
    """Print an explanation."""
    console = console or _console()
    effective = explanation.effective
    heading = f"{explanation.spec} on Ollama {explanation.version}: {SOURCES[effective.source]}"
    console.print(Text(printable(heading), style="bold"))
    console.print(Text(f"  {printable(effective.reason)}"))
    console.print(Text(f"  capabilities: {_words(effective.capabilities)}; {printable(_reasoning(explanation))}"))
    for note in explanation.notes:
        console.print(Text(f"  {printable(note)}", style="yellow"))
    _show_versions(console, explanation)
    _show_thinks(console, explanation)
    _show_answers(console, explanation)
    _show_stops(console, explanation)
    _show_jinja(console, explanation)
    _show_cache(console, explanation)
    _show_ways(console, explanation)


def _console() -> Terminal:
    """Return a console that folds cells on a narrow terminal, and writes whole lines to a file or a pipe."""
    console = Terminal(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Terminal(highlight=False, soft_wrap=True, width=_WIDE)


def _reasoning(explanation: Explanation) -> str:
    if explanation.parser:
        return f"PARSER {explanation.parser} reads the answer"
    opening, closing = explanation.thinking_tags
    return f"reasoning between {opening} and {closing}" if opening and closing else "no thinking tags"


def _title(console: Terminal, title: str, more: str = "") -> None:
    console.print(Text.assemble("\n", (title, "bold"), (f"  {printable(more)}", "dim") if more else ""))


def _words(capabilities: Iterable[str]) -> str:
    return ", ".join(sorted(capabilities)) or "none beyond text"


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _show_versions(console: Terminal, explanation: Explanation) -> None:
    _title(console, "versions", "where something changes for this model")
    table = _table("  Ollama", "chat", "generate", "capabilities", "think unset", "")
    for number, row in enumerate(explanation.versions):
        name = f"{row.since} and later" if row.since and number == len(explanation.versions) - 1 else row.since
        before = explanation.versions[1].since if len(explanation.versions) > 1 else ""
        name = name or (f"before {before}" if before else "all")
        table.add_row(
            Text(f"{'→' if row.is_target else ' '} {name}"),
            SHORT[row.source],
            SHORT[row.generate],
            "–" if row.fails else _words(row.capabilities),
            row.think_unset or "–",
            Text(printable(row.fails), style="red"),
            style="bold" if row.is_target else "",
        )
    console.print(table)


def _show_thinks(console: Terminal, explanation: Explanation) -> None:
    _title(console, "who sees what", "reasoning of the answer to one message: hello")
    table = _table("  think", "the prompt ends", "ollama run", "/api/chat", "/v1/chat/completions")
    for row in explanation.thinks:
        think = f"  {THINK_WORDS[row.think]}"
        if row.error:
            refused = Text(f"refused: {printable(row.error)}", style="yellow")
            table.add_row(
                think, refused, *("–" if answer == row.error else answer for answer in (row.cli, row.chat, row.openai))
            )
        else:
            cut = len(row.prompt) > _TAIL or explanation.cache is None
            table.add_row(think, Text("…" if cut else "") + visible(row.prompt[-_TAIL:]), row.cli, row.chat, row.openai)
    console.print(table)


def _show_jinja(console: Terminal, explanation: Explanation) -> None:
    facts = explanation.jinja
    if facts is None or not (facts.variables or facts.refusals or facts.disagreements):
        return
    _title(console, "the Jinja template", "in llama-server")
    for variable in facts.variables:
        values = f": {', '.join(variable.values)}" if variable.values else ""
        console.print(Text(f"  variable {printable(variable.name)}{printable(values)}"))
    for refusal in facts.refusals:
        names = ", ".join(refusal.conversations[:_NAMES]) + (" …" if len(refusal.conversations) > _NAMES else "")
        console.print(Text(f"  refuses {names}: {printable(refusal.reason)}", style="yellow"))
    if facts.disagreements:
        first = facts.disagreements[0]
        chats = sorted({disagreement.conversation for disagreement in facts.disagreements})
        console.print(
            Text(
                f"  transformers, vLLM and SGLang make something else of {len(chats)} kinds of chats: "
                f"{', '.join(chats[:_NAMES])}{' …' if len(chats) > _NAMES else ''}",
                style="yellow",
            )
        )
        console.print(Text(f"    llama-server {printable(repr(first.llama_server))}", style="dim"))
        console.print(Text(f"    transformers {printable(repr(first.transformers))}", style="dim"))


def _show_answers(console: Terminal, explanation: Explanation) -> None:
    answers = explanation.answers
    if answers is None:
        return
    found = f"the format {answers.family}" if answers.family else "found by rendering the template"
    _title(console, "how answers are read", f"by llama-server, {found}")
    if answers.closings:
        opening = visible(answers.opening) if answers.opening else Text("nothing marked")
        ends = Text(" or ").join(visible(closing) for closing in answers.closings)
        console.print(Text.assemble("  reasoning  from ", opening, " to ", ends))
        said = ", ".join(f"{THINK_WORDS[think]} {STATES[state]}" for think, state in answers.states)
        console.print(Text(f"  the prompt {said}"))
    else:
        console.print(Text("  reasoning  none: all that the model writes arrives as the answer"))
    if answers.before_answer:
        console.print(Text.assemble("  answer     begins with ", visible(answers.before_answer)))
    calls = visible(answers.calls) if answers.calls else Text("not found: they arrive in the answer")
    console.print(Text.assemble("  calls      ", calls))


def _show_stops(console: Terminal, explanation: Explanation) -> None:
    stops = explanation.stops
    listed = " ".join(printable(text) for text in stops.configured)
    _title(console, "where answers end", f"stop strings: {listed or 'none'}")
    for token in stops.tokens:
        mark, style = (
            ("✗", "red")
            if token.missing
            else ("?", "yellow")
            if token.ends is None and not token.stop
            else ("✓", "green")
        )
        console.print(Text.assemble((f"  {mark} ", style), printable(token.text), (f"  {about_token(token)}", "dim")))
    for note in stops.notes:
        console.print(Text(f"  {printable(note)}", style="yellow"))


def _show_cache(console: Terminal, explanation: Explanation) -> None:
    cache = explanation.cache
    if cache is None:
        return
    if not cache.talks:
        _title(console, "cache")
    elif cache.holds:
        _title(
            console, "cache", f"every prompt begins with all that was read before ({len(cache.talks)} kinds of chat)"
        )
    else:
        _title(console, "cache", f"what is read again as a chat grows ({len(cache.talks)} kinds of chat)")
    for cache_break in cache.breaks:
        console.print(
            Text.assemble(
                ("  ✗ ", "yellow"),
                f"{cache_break.talk}: {printable(cache_break.cause)}",
                (f" (costs {COST[cache_break.place]})", "dim"),
            )
        )
        shown = Text("    …", style="dim") + visible(cache_break.before[-12:])
        held, now = visible(cache_break.had[:_TAIL]) or Text("(end)"), visible(cache_break.now[:_TAIL]) or Text("(end)")
        console.print(shown + Text(" │ held ", style="dim") + held + Text(" │ next ", style="dim") + now)
    for failure in cache.failures:
        console.print(Text(f"  not checked: {printable(failure)}", style="dim"))


def _show_ways(console: Terminal, explanation: Explanation) -> None:
    ways = explanation.effective.ways
    if ways:
        more = f"the cheapest {_WAYS} of {len(ways)}, all with --json" if len(ways) > _WAYS else ""
        _title(console, "to let another template run", more)
    for number, way in enumerate(ways[:_WAYS], 1):
        console.print(Text(f"  {number} {printable(way)}"))
    if explanation.commands:
        _title(console, "next")
    width = max((len(command.line) for command in explanation.commands), default=0)
    for command in explanation.commands:
        console.print(Text.assemble(f"  {printable(command.line.ljust(width))}", (f"  {command.purpose}", "dim")))
