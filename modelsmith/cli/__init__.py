"""The command line: one module a command, loaded when it is called.

Exit codes: 0 fine; 1 findings, a failed check or a question answered with no; 2 wrong words on the command line, or in a recipe; 3 failed (a file
that is missing or cannot be read, a server that does not answer, …); 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import click

from modelsmith.about import __version__
from modelsmith.cli.shared.help import WIDTH, with_help
from modelsmith.errors import ModelsmithError, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Row(NamedTuple):
    """A command: the module below ``modelsmith.cli`` that holds it as ``command``, its line in ``--help``, its section there."""

    module: str
    summary: str
    section: str = "Commands"


TEXT, RECIPES, MODELS, WEIGHTS, MOVING, STORE, HELP = (
    "Modelfiles and templates",
    "Recipes",
    "Models",
    "Weights",
    "Moving models",
    "Stores",
    "Help",
)

# A new command is one row here and the module that it names.
COMMANDS: dict[str, Row] = {
    "lint": Row("lint", "Say what will not work in Modelfiles and templates, and mend it.", TEXT),
    "fmt": Row("text.fmt", "Give Modelfiles and templates one layout; what they mean stays the same.", TEXT),
    "parse": Row("text.parse", "Read Modelfiles exactly as Ollama does.", TEXT),
    "rules": Row("text.rules", "List and explain the rules of lint.", TEXT),
    "render": Row("text.render", "Show the prompt that a model really gets to read.", TEXT),
    "explain": Row("text.explain", "Say which template of a model runs, and what follows from it.", TEXT),
    "diff": Row("diff", "Compare two models, Modelfiles, GGUFs or templates: texts, values, prompts.", TEXT),
    "convert": Row("text.convert", "Put a Jinja chat template into Ollama's language, proven equal.", TEXT),
    "plan": Row("recipes.plan", "Show what a recipe would do. Changes nothing.", RECIPES),
    "apply": Row("recipes.apply", "Carry out a recipe: plan, create the model, verify it.", RECIPES),
    "lock": Row("recipes.lock", "Pin what recipes depend on, so that others make the same of it.", RECIPES),
    "verify": Row("running.verify", "Check a recipe's promises, those about answers too, or any model.", RECIPES),
    "outdated": Row("recipes.outdated", "Say what is newer than the lock: bases, commits, tools.", RECIPES),
    "recipes": Row("recipes.recipes", "List, show, start and check recipes; write them for other tools.", RECIPES),
    "create": Row("models.create", "Create a model from a Modelfile, with or without a server.", MODELS),
    "show": Row("models.show", "Print a model as a Modelfile that works elsewhere.", MODELS),
    "edit": Row("models.edit", "Change a Modelfile or a model: set, unset, or in your editor.", MODELS),
    "list": Row("models.list", "List the models, their sizes and what they share.", MODELS),
    "cp": Row("models.cp", "Give a model a second name.", MODELS),
    "mv": Row("models.mv", "Give a model another name.", MODELS),
    "tag": Row("models.tag", "Give a model further tags.", MODELS),
    "rm": Row("models.rm", "Remove models, and the bytes that only they used.", MODELS),
    "try": Row("running.try_model", "Ask a model something, here or on a server: thinking apart, with speed.", MODELS),
    "gguf": Row("gguf", "Work on GGUF files: quantize and more.", WEIGHTS),
    "lora": Row("lora", "Work on LoRA adapters: inspect, merge into their base, convert to GGUF.", WEIGHTS),
    "fit": Row(
        "weights.fit", "Say whether a model fits into memory, with which context, and where its layers go.", WEIGHTS
    ),
    "import": Row(
        "weights.import_checkpoint",
        "Turn a folder of Safetensors into a GGUF, quantized on the way if you like.",
        WEIGHTS,
    ),
    "inspect": Row(
        "weights.inspect", "Say what a folder of Safetensors is, what it lacks, and what it would become.", WEIGHTS
    ),
    "pull": Row("moving.pull", "Bring a model from a registry or a folder here, resumable and verified.", MOVING),
    "push": Row("moving.push", "Send a model to a registry or into a folder.", MOVING),
    "copy": Row("moving.copy", "Copy a model from any store, registry or folder to any other.", MOVING),
    "export": Row("moving.export", "Write models into one file, for machines without a network.", MOVING),
    "load": Row("moving.load", "Bring the models of such a file into a store, a server or a registry.", MOVING),
    "materialize": Row("moving.materialize", "Write a store with just these models, for an image.", MOVING),
    "login": Row("moving.login", "Log in to a registry.", MOVING),
    "logout": Row("moving.logout", "Forget the login of a registry.", MOVING),
    "registry": Row("moving.registry", "Serve the models of a store, or of another registry, to Ollama.", MOVING),
    "store": Row("store", "List the models of a store; check, clean and mend its folder.", STORE),
    "doctor": Row("doctor", "Find what is wrong with commands, variables and how-tos about Ollama.", HELP),
    "playground": Row("playground", "Try Modelfiles and templates on a page in the browser.", HELP),
    "completion": Row("completion", "Complete commands and names at the Tab key.", HELP),
    "lsp": Row("lsp", "Serve editors: findings as you type, hover, completion, fixes, formatting.", HELP),
}


OTHER_WORDS = {
    "ls": "list",
    "images": "list",
    "tags": "list",
    "rename": "mv",
    "move": "mv",
    "delete": "rm",
    "del": "rm",
    "remove": "rm",
    "rmi": "rm",
    "duplicate": "cp",
    "build": "create",
    "cat": "show",
    "get": "show",
    "format": "fmt",
    "check": "lint",
    "validate": "lint",
    "template": "render",
    "quantize": "gguf quantize",
    "serve": "registry serve",
    "download": "pull",
    "run": "try",
    "chat": "try",
    "ask": "try",
    "test": "verify",
    "eval": "verify",
    "upload": "push",
    "gc": "store gc",
    "prune": "store gc",
    "fsck": "store fsck",
    "help": "--help",
    "version": "--version",
}
"""What other tools call these commands, and what they are called here."""

OLLAMAS_OWN = frozenset({"ps", "stop", "launch", "signin", "signout"})
"""Commands of ``ollama`` that have no counterpart here."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs, so that the start stays fast.

    ``table`` maps the names of commands to their rows.
    """

    table: ClassVar[Mapping[str, Row]] = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of ``--help``."""
        del ctx
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None when there is none of this name."""
        del ctx
        if cmd_name not in self.table:
            return None
        command: click.Command = import_module(f"modelsmith.cli.{self.table[cmd_name].module}").command
        return with_help(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the closest known."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            from modelsmith.cli.shared.failure import printable
            from modelsmith.cli.shared.instead import command_instead
            from modelsmith.diagnostic import did_you_mean
            from modelsmith.recipe.read.bundled import bundled_recipes

            if self.table is COMMANDS and (meant := OTHER_WORDS.get(args[0].lower())):
                ctx.fail(printable(f'no command "{args[0]}": it is called {ctx.command_path} {meant}'))
            if self.table is COMMANDS and args[0].lower() in OLLAMAS_OWN:
                ctx.fail(f'no command "{args[0]}": that is Ollama\'s own, `ollama {args[0].lower()}`')
            if self.table is COMMANDS and args[0] in bundled_recipes():
                ctx.fail(f'no command "{args[0]}": it is a recipe: {ctx.command_path} apply {args[0]} --set base=MODEL')
            meant = (
                command_instead(ctx, args) or did_you_mean(args[0], self.table) or f"; see {ctx.command_path} --help"
            )
            ctx.fail(printable(f'no command "{args[0]}"{meant}'))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        for section in dict.fromkeys(row.section for row in self.table.values()):
            with formatter.section(section):
                formatter.write_dl([(name, row.summary) for name, row in self.table.items() if row.section == section])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH + 2})
@click.version_option(__version__, prog_name="modelsmith", message="%(prog)s %(version)s")
def group() -> None:
    r"""Read, edit, build and ship Ollama models.

    \b
    Examples:
      modelsmith plan force-think --set base=sample:deepseek-r1
      modelsmith apply force-think --set base=deepseek-r1:8b
      modelsmith render deepseek-r1:8b --user hello
      modelsmith lint Modelfile
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with its code; expected errors become one message, never a traceback."""
    from modelsmith.cli.shared.streams import prepare_streams

    prepare_streams()
    # it would look through all installed packages for some
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = run(arguments)
    gc.freeze()  # the memory goes back as a whole: nothing in it needs to be looked at any more
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    from modelsmith.cli.shared.streams import has_colour, unseeing

    colour = None if has_colour() else False
    # errors are shown when the command's own context is gone
    with unseeing(), click.Context(group, color=colour).scope(cleanup=False):
        return _run(None if arguments is None else list(arguments), colour)


def _run(arguments: list[str] | None, colour: bool | None) -> int:
    from modelsmith.template.allowance import allow

    try:
        with allow():
            result: Any = group.main(args=arguments, standalone_mode=False, color=colour)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one boundary: a bug becomes a report, not a traceback
        code = _show(error)
        words = sys.argv[1:] if arguments is None else arguments
        if "--json" in words:
            from modelsmith.cli.shared.json_errors import print_json_error, wants_json

            if wants_json(group, words):
                print_json_error(refused(error) if isinstance(error, OSError) else error, code)
        return code
    return result if isinstance(result, int) else 0


def _show(error: BaseException) -> int:
    """Say in words what went wrong, and return the exit code."""
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    from modelsmith.cli.shared.failure import report_bug, show_error, show_usage_error

    if isinstance(error, click.ClickException):
        show_usage_error(error)
        return error.exit_code
    if isinstance(error, OSError):
        error = refused(error)
    if isinstance(error, ModelsmithError):
        if not error.is_shown:
            show_error(error)
        return error.exit_code
    report_bug(error)
    return 3


with_help(group)
