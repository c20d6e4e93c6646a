"""What Ollama makes of a GGUF by itself: a built-in template, stop strings, a renderer and a parser.

Two things in the file decide. Its architecture: a few get the names of Ollama's own renderer and parser, each where none
is given. Its Jinja template: where it is near to one that Ollama knows, the built-in Go template for it comes along.

Sources: Ollama server/create.go (createModel, by architecture, also for the weights of a stored model that FROM names)
and server/model.go (detectChatTemplate, only for files).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.template.effective.named import NamedTemplate


@dataclass(frozen=True, slots=True)
class ArchitectureDefaults:
    """What an architecture brings along: ``stop`` only where the renderer or the parser was not given."""

    renderer: str = ""
    parser: str = ""
    stop: tuple[str, ...] = ()


ARCHITECTURE_DEFAULTS: Mapping[str, ArchitectureDefaults] = MappingProxyType(
    {
        "gemma4": ArchitectureDefaults("gemma4", "gemma4", stop=("<turn|>",)),
        "laguna": ArchitectureDefaults("laguna", "laguna"),
        "nemotron_h": ArchitectureDefaults("nemotron-3-nano", "nemotron-3-nano"),
        "nemotron_h_moe": ArchitectureDefaults("nemotron-3-nano", "nemotron-3-nano"),
        "nemotron_h_omni": ArchitectureDefaults("nemotron-3-nano", "nemotron-3-nano"),
    }
)
"""``general.architecture`` of the GGUF -> what `ollama create` adds; architectures that are not here bring nothing."""

_NOTHING = ArchitectureDefaults()


@dataclass(frozen=True, slots=True)
class Imported:
    """What a model has that was made of a GGUF.

    ``named`` is the built-in template that comes along, None where the Jinja template is near to none. ``renderer`` and
    ``parser`` are the given names, else those of the architecture. ``stop`` are the architecture's stop strings: they count
    as given, so they hide those of ``named`` and of a model that FROM names.
    """

    named: NamedTemplate | None
    renderer: str
    parser: str
    stop: tuple[str, ...]

    @property
    def template(self) -> str | None:
        """The Go template that comes along."""
        return self.named.template if self.named else None

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The parameters of a model made of the file alone; what a Modelfile gives counts more."""
        stop = self.stop or (self.named.stop if self.named else ())
        return {"stop": list(stop)} if stop else {}


def imported(architecture: str, chat_template: str | None, *, renderer: str = "", parser: str = "") -> Imported:
    """Return what Ollama makes of a GGUF of this architecture with this Jinja template inside.

    ``renderer`` and ``parser`` are what the Modelfile gives, or the model that FROM names. ``chat_template`` is None
    where there is none, and where none counts: the weights of a stored model are not looked at again.
    """
    defaults = _NOTHING if renderer and parser else ARCHITECTURE_DEFAULTS.get(architecture, _NOTHING)
    return Imported(
        named=_named(chat_template),
        renderer=renderer or defaults.renderer,
        parser=parser or defaults.parser,
        stop=defaults.stop,
    )


def _named(chat_template: str | None) -> NamedTemplate | None:
    if not chat_template:
        return None
    from modelsmith.template.effective.named import detect_named

    return detect_named(chat_template)
