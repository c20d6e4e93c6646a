"""Options of commands that run a model: on what, with which key and parameters, for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.gathering import gathering
from modelsmith.cli.shared.options import store_option
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.engines.choose import Wish
    from modelsmith.engines.known import KnownModel
    from modelsmith.progress import ProgressSink
    from modelsmith.store import Store


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a model is to be run."""

    on: str
    api_key: str
    seconds: float
    parameters: tuple[str, ...]
    where: str | None

    def wish(
        self, model: str, store: Callable[[], Store], progress: ProgressSink, known: KnownModel | None = None
    ) -> Wish:
        """Return what is to be run; raises InvalidParameter, UsageError."""
        from modelsmith.engines.choose import Wish

        return Wish(
            model,
            store,
            self.on,
            options=self.options,
            api_key=self.api_key,
            seconds=self.seconds,
            progress=progress,
            known=known,
        )

    @property
    def options(self) -> dict[str, Any]:
        """The PARAMETERs that were given, typed as Ollama types them; raises InvalidParameter, UsageError."""
        from modelsmith.diagnostic import did_you_mean
        from modelsmith.parameters import PARAMETERS, typed_parameters

        values: dict[str, list[str]] = {}
        for parameter in self.parameters:
            name, equals, value = parameter.partition("=")
            if not equals:
                raise UsageError(f"-p {parameter}: that is no NAME=VALUE", hint="write it so: -p temperature=0")
            if name not in PARAMETERS:
                raise UsageError(
                    f'-p {parameter}: unknown parameter "{name}"{did_you_mean(name, PARAMETERS)}',
                    hint="the names are those of PARAMETER in a Modelfile, such as num_ctx, num_predict, temperature, seed",
                )
            values.setdefault(name, []).append(value)
        return typed_parameters(values)


def run_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options; the command gets them as one RunOptions."""
    return gathering(RunOptions, _OPTIONS)(command)


_OPTIONS = (
    click.option(
        "--on",
        default="",
        metavar="ENGINE|URL|FILE",
        help="What runs it: ollama, embedded (llama.cpp here, extra [run]), the URL of an Ollama or an OpenAI-compatible server, or a "
        "recording. Default: the server whose store has the model, else embedded.",
    ),
    click.option(
        "--parameter",
        "-p",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="A PARAMETER instead of the model's own, such as num_ctx=8192; repeatable.",
    ),
    click.option(
        "--timeout",
        "seconds",
        type=click.FloatRange(min=0, min_open=True, max=86_400),
        default=300.0,
        show_default=True,
        metavar="SECONDS",
        help="The longest that an answer may take, loading the model included.",
    ),
    click.option(
        "--api-key",
        default="",
        envvar="MODELSMITH_API_KEY",
        metavar="KEY",
        help="The key of the server. Better in the variable MODELSMITH_API_KEY: others can see a command line.",
    ),
    store_option,
)
