"""The command line: one module a command, loaded when it is called.

Exit codes: 0 fine, 1 findings or a failed check, 2 wrong usage, 3 failed, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import click

from modelsmith import __version__
from modelsmith.errors import ModelsmithError, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# command -> the line that `modelsmith --help` prints; the module of the same name holds `command`.
COMMANDS = {
    "apply": "Carry out a recipe: plan, create the model, verify it.",
    "convert": "Put a Jinja chat template into Ollama's language, proven equal.",
    "diff": "Compare two models, Modelfiles, GGUFs or templates: texts, values, prompts.",
    "doctor": "Find what is wrong with commands, variables and how-tos about Ollama.",
    "explain": "Say which template of a model runs, and what follows from it.",
    "fit": "Say whether a model fits into memory, with which context, and where its layers go.",
    "fmt": "Give Modelfiles and templates one layout; what they mean stays the same.",
    "gguf": "Work on GGUF files: quantize and more.",
    "lint": "Say what will not work in Modelfiles and templates, and mend it.",
    "lsp": "Serve editors: findings as you type, hover, completion, fixes, formatting.",
    "parse": "Read Modelfiles exactly as Ollama does.",
    "plan": "Show what a recipe would do. Changes nothing.",
    "recipes": "List, show and start recipes; print their JSON Schema.",
    "render": "Show the prompt that a model really gets to read.",
    "rules": "List and explain the rules of lint.",
    "store": "List the models of a store.",
}


def _with_examples(command: click.Command) -> click.Command:
    r"""Turn the ``\b`` of raw docstrings into the character by which click knows lines that must not be rewrapped."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    for inner in getattr(command, "commands", {}).values():
        _with_examples(inner)
    return command


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs, so that the start stays fast.

    ``table`` maps commands to their lines in ``--help``; the module of a command is its name after ``prefix``.
    """

    table: ClassVar[Mapping[str, str]] = COMMANDS
    prefix: ClassVar[str] = ""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of ``--help``."""
        del ctx
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None when there is none of this name."""
        del ctx
        if cmd_name not in self.table:
            return None
        command: click.Command = import_module(f"modelsmith.cli.{self.prefix}{cmd_name}").command
        return _with_examples(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the closest known."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            from modelsmith.diagnostic import did_you_mean

            ctx.fail(f'no command "{args[0]}"{did_you_mean(args[0], self.table) or f"; see {ctx.command_path} --help"}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self.table.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="modelsmith", message="%(prog)s %(version)s")
def group() -> None:
    r"""Read, edit, build and ship Ollama models.

    \b
    Examples:
      modelsmith apply recipes/force-think.yaml --set base=deepseek-r1:8b
      modelsmith plan force-think --set base=./model.gguf
      modelsmith render deepseek-r1:8b --user hello
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with its code; expected errors become one message, never a traceback."""
    from modelsmith.cli.streams import prepare_streams

    prepare_streams()
    # imports and parsers make many small objects and few circles: to look for those as often as usual takes its time
    gc.set_threshold(100_000, 20, 20)
    code = run(arguments)
    gc.freeze()  # the memory goes back as a whole: nothing in it needs to be looked at any more
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    try:
        result: Any = group.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except ModelsmithError as error:
        from modelsmith.cli.failure import show_error

        show_error(error)
        return error.exit_code
    except BrokenPipeError:
        # The reader (`head`) went away: stop quietly, and keep the interpreter from flushing into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        from modelsmith.cli.failure import show_error

        show_error(refused(error))
        return 3
    except Exception as error:  # noqa: BLE001  # the one boundary: a bug becomes a report, not a traceback
        from modelsmith.cli.failure import report_bug

        report_bug(error)
        return 3
    return result if isinstance(result, int) else 0


_with_examples(group)
