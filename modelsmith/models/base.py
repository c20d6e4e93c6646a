"""Where a recipe starts: a model's name, a ``.gguf``, a Modelfile, or the built-in sample.

A Base holds what the new model would inherit if nothing were changed, by Ollama's rules for FROM
(server/create.go): the layers of a named model, or what Ollama detects in a GGUF.
"""

from __future__ import annotations

from dataclasses import field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from modelsmith.progress import ProgressSink, silent
from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.table import HasNoted
from modelsmith.template.effective.imported import Imported, imported
from modelsmith.template.jinja.ends import NO_ENDS, TextEnds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelsmith.store.model import ServerSays
    from modelsmith.syntax.modelfile.modelfile import Modelfile


@dataclass(frozen=True, slots=True)
class Inherited(HasNoted):
    """What FROM brings along, before the Modelfile's own instructions.

    ``template`` is None where FROM brings no template layer; ``detected`` names the built-in one that Ollama picked.
    ``noted`` are the texts of its config by command. ``architecture`` is the GGUF's, "" where there is none or it is not known; ``family`` what Ollama notes of it.
    ``weights`` is the GGUF's path where it can be read here, ``ends`` the tokens that begin and end a text,
    ``extra_layers`` the kinds of further weights, such as projectors. ``stored`` says that FROM names a model of a store,
    ``imported`` that it names a GGUF (``checkpoint``: a folder of Safetensors that becomes one); both are False for a template that stands alone. ``format`` is that of a stored
    model's weights: ``safetensors`` has no GGUF to look into, or to edit. ``said`` is what a server says about how it runs
    the model, ``parent`` the name of the model that a stored one was made from, "" where that is not noted.
    """

    template: str | None = None
    detected: str = ""
    chat_template: str | None = None
    chat_template_known: bool = True
    system: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Mapping[str, Any], ...] = ()
    licenses: tuple[str, ...] = ()
    noted: Mapping[str, str] = field(default_factory=dict)
    family: str = ""
    architecture: str = ""
    weights: Path | None = None
    digest: str = ""
    ends: TextEnds = field(default_factory=lambda: NO_ENDS)
    stored: bool = False
    imported: bool = False
    checkpoint: bool = False
    extra_layers: tuple[str, ...] = ()
    format: str = ""
    said: ServerSays | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that must come from elsewhere before the weights can be used; until then one with its header stands in for it."""

    name: str
    size: int
    fetch: Callable[[ProgressSink], object] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Base:
    """The start of a recipe: a Modelfile, the folder its paths are relative to, and what its FROM brings along.

    ``missing`` says why FROM could not be followed, "" where it was: then nothing is known of what it brings along.
    ``absent`` are the instructions beside it whose file is not there (``ADAPTER ./x.gguf``): then no model can be created.
    ``notes`` say where it was found, ``downloads`` what is not here yet.
    """

    spec: str
    modelfile: Modelfile
    folder: Path
    inherited: Inherited
    missing: str = ""
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    downloads: tuple[Download, ...] = ()

    @property
    def absence(self) -> str:
        """Which instructions name files that are not there, and what is unknown for that; "" where all are."""
        if not self.absent:
            return ""
        named = " and ".join(self.absent)
        return f"{self.spec}: {named} {'is' if len(self.absent) == 1 else 'are'} not here; no prompt depends on that, what else it does is not known"

    @property
    def lacking(self) -> str:
        """What of the Modelfile is not here: FROM, or the instructions beside it; "" where all is."""
        return "FROM" if self.missing else " and ".join(self.absent)

    def fetch(self, progress: ProgressSink = silent) -> bool:
        """Download what is not here yet, and say whether there was anything: then find the base again, now with the files themselves."""
        for download in self.downloads:
            download.fetch(progress)
        return bool(self.downloads)


def brought_along(
    inherited: Inherited, modelfile: Modelfile, chat_template: str | None, *, rewritten: bool = False
) -> Inherited:
    """Return what comes along when this Modelfile is created and the GGUF has this Jinja template then.

    Of a stored model everything comes along, and what its architecture adds. It is ``rewritten`` where its weights become
    a new file, which the model is made of with all that came along written out.
    """
    if not (inherited.stored or inherited.imported):
        return replace(inherited, chat_template=chat_template)
    renderer, parser = (inherited.renderer, inherited.parser) if inherited.stored else ("", "")
    brought = _imported(
        inherited.architecture,
        chat_template if inherited.imported or rewritten else None,
        modelfile.renderer or renderer,
        modelfile.parser or parser,
    )
    kept = inherited.stored and inherited.template is not None
    if inherited.imported or rewritten:
        parameters = {**brought.parameters, **(inherited.parameters if inherited.stored else {})}
    else:
        parameters = {**inherited.parameters, **brought.parameters}
    return replace(
        inherited,
        chat_template=chat_template,
        template=inherited.template if kept else brought.template,
        detected=brought.named.name if brought.named and not kept else "",
        parameters=parameters,
        noted={**inherited.noted, "renderer": brought.renderer, "parser": brought.parser},
    )


@lru_cache(maxsize=32)
def _imported(architecture: str, chat_template: str | None, renderer: str, parser: str) -> Imported:
    return imported(architecture, chat_template, renderer=renderer, parser=parser)
