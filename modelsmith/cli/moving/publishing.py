"""What publishing to the Hugging Face Hub is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsmith.cli.shared.gathering import gathering
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FILE = InputFile(exists=True)


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """``card`` replaces the README that would be made, ``recipe`` is what the model was made by."""

    recipe: Path | None = None
    card: Path | None = None
    private: bool = False
    pull_request: bool = False
    message: str | None = None


def publish_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of publishing; the command gets them as one PublishOptions, ``publishing``."""
    return gathering(PublishOptions, _OPTIONS, "publishing")(command)


_OPTIONS = (
    click.option("--recipe", type=_FILE, metavar="FILE", help="Hub: the recipe that made the model, for its card."),
    click.option(
        "--card", type=_FILE, metavar="FILE", help="Hub: this README.md instead of the one that would be made."
    ),
    click.option("--private", is_flag=True, help="Hub: make a new repository private."),
    click.option("--pull-request", is_flag=True, help="Hub: open a pull request instead of writing to the branch."),
    click.option("--message", metavar="TEXT", help="Hub: the message of the commit."),
)
