"""How ``--help`` looks: at most 80 columns, no word broken, every command with its whole sentence."""

from __future__ import annotations

from textwrap import TextWrapper
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 80
_INDENT = 2
_WIDEST_FIRST = 24  # columns of options and commands; a longer one has a line of its own


class Formatter(click.HelpFormatter):
    """Writes help as click does, but breaks lines at blanks only: never at a hyphen, never inside of a word."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the first line."""
        start = f"{prefix or 'Usage: '}{prog} "
        self.write(f"{_filled(args, self.width, start, ' ' * len('Usage: ') + ' ' * _INDENT)}\n")

    def write_text(self, text: str) -> None:
        r"""Write paragraphs; one that begins with ``\b`` keeps its lines."""
        indent = " " * self.current_indent
        paragraphs = []
        for paragraph in text.split("\n\n"):
            if paragraph.startswith("\b\n"):
                lines = paragraph.removeprefix("\b\n").split("\n")
                paragraphs.append("\n".join(f"{indent}{line}".rstrip() for line in lines))
            else:
                paragraphs.append(_filled(" ".join(paragraph.split()), self.width, indent, indent))
        self.write("\n\n".join(paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = _WIDEST_FIRST, col_spacing: int = 2) -> None:
        """Write options or commands and what they do in two columns."""
        indent = " " * self.current_indent
        rows = [*rows]
        first = min(max((len(name) for name, _ in rows), default=0), col_max) + col_spacing
        for name, text in rows:
            start = f"{indent}{name}".ljust(len(indent) + first)
            if len(name) > first - col_spacing:
                self.write(f"{indent}{name}\n")
                start = " " * (len(indent) + first)
            self.write(f"{_filled(text, self.width, start, ' ' * (len(indent) + first)).rstrip()}\n")


class Context(click.Context):
    """The context of every command: its help has this look."""

    formatter_class = Formatter


def with_help(command: click.Command) -> click.Command:
    r"""Give a command, and those in it, this help; turn the ``\b`` of raw docstrings into what click knows by it."""
    command.context_class = Context
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    for inner in getattr(command, "commands", {}).values():
        with_help(inner)
    return command


class Group(click.Group):
    """A group whose list of commands says the whole sentence of each, and that answers an unknown command with what was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            from modelsmith.cli.shared.failure import printable
            from modelsmith.cli.shared.instead import command_instead
            from modelsmith.diagnostic import did_you_mean

            meant = (
                command_instead(ctx, args) or did_you_mean(args[0], self.commands) or f"; see {ctx.command_path} --help"
            )
            ctx.fail(printable(f'no command "{args[0]}"{meant}'))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, first_sentence(self.commands[name])) for name in sorted(self.commands)])


def first_sentence(command: click.Command) -> str:
    """Return what a list of commands says of one: all of its first paragraph."""
    return " ".join((command.short_help or command.help or "").split("\n\n")[0].split())


def _filled(text: str, width: int, first: str, other: str) -> str:
    wrapper = TextWrapper(
        width,
        initial_indent=first,
        subsequent_indent=other,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return wrapper.fill(text) or first.rstrip()
