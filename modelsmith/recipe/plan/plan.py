"""From a recipe to a plan: everything that will happen, known before anything happens."""

from __future__ import annotations

import shutil
from dataclasses import field, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import ModelNotFound, ServerError, StoreError
from modelsmith.memo import remembering
from modelsmith.models.draft import Draft, with_parameters
from modelsmith.models.find import find_base
from modelsmith.models.reasoning import unshown_reasoning
from modelsmith.name import ModelName
from modelsmith.progress import ProgressSink, silent
from modelsmith.recipe.plan.adapters import with_adapters
from modelsmith.recipe.plan.advised import with_advised
from modelsmith.recipe.plan.already import told_of_step, with_already
from modelsmith.recipe.plan.compile import compile_request, written_modelfile
from modelsmith.recipe.plan.effects import without_effect
from modelsmith.recipe.plan.findings import new_findings
from modelsmith.recipe.plan.loads import loading_faults
from modelsmith.recipe.plan.metadata import merged_base, metadata_changes, with_metadata
from modelsmith.recipe.plan.quantization import wishes_of, with_quantization_note
from modelsmith.recipe.plan.requires import too_old
from modelsmith.recipe.prove.compare import compare_drafts, engine_changes
from modelsmith.recipe.prove.expect import check
from modelsmith.recipe.steps import STEPS
from modelsmith.records import dataclass
from modelsmith.store.model import CreatePreview
from modelsmith.template.go.template import Template
from modelsmith.versions import of_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.models.base import Base, Download
    from modelsmith.recipe.prove.checked import Checked
    from modelsmith.recipe.prove.compare import Comparison
    from modelsmith.recipe.read.load import Recipe
    from modelsmith.store import Store
    from modelsmith.store.model import BlobSource, CreateRequest, StoredModel
    from modelsmith.syntax.modelfile.modelfile import Modelfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a recipe will do: the draft before and after, the proof, and what will be written.

    ``request`` is what the store gets, ``preview`` what that costs, ``replaces`` the model that stands there now.
    ``modelfile`` and ``gguf`` are files that are written beside the model when ``--modelfile`` asks for them. ``damaged``
    says what is wrong with what stands under the name, ``free`` how many bytes are free where it is written (None: not known),
    ``findings`` what lint finds in the new Modelfile and not in the base's, ``without_effect`` which edits change nothing,
    ``overwrite`` that files which are in the way may be replaced, ``unshown`` that the model is made to reason although nothing shows
    that it can, ``unloadable`` why llama.cpp would refuse the weights.
    """

    recipe: Recipe
    name: ModelName
    store: Store
    before: Draft
    after: Draft
    comparisons: tuple[Comparison, ...]
    checked: tuple[Checked, ...]
    request: CreateRequest
    preview: CreatePreview
    replaces: StoredModel | None
    as_is: bool = False
    modelfile: Path | None = None
    damaged: str = ""
    free: int | None = None
    findings: tuple[Diagnostic, ...] = ()
    without_effect: tuple[str, ...] = ()
    unshown: str = ""
    unloadable: tuple[str, ...] = ()
    overwrite: bool = False
    again: Callable[[], Plan] | None = field(default=None, compare=False, repr=False)

    @property
    def downloads(self) -> tuple[Download, ...]:
        """The files that must come from elsewhere first."""
        return self.after.base.downloads

    def fetched(self, progress: ProgressSink = silent) -> Plan:
        """Download what is missing, and return the plan of the same recipe with the files themselves."""
        return self if self.again is None or not self.after.base.fetch(progress) else self.again()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may go wrong, is lost, or changes nothing, in sentences."""
        found = [*self.recipe.warnings, *self.without_effect]
        if self.before.base.absent:
            found.append(self.before.base.absence)
        if self.before.base.missing:
            found.append(
                f"{self.before.base.missing}; this is planned from the Modelfile alone: the parameters, the system prompt and the renderer "
                "that FROM brings along, and a Jinja template in its GGUF that may win, are not known"
            )
        if self.damaged:
            found.append(f"{self.name.short} stands there damaged and will be replaced: {self.damaged}")
        found += [
            f"{path} is there and not what would be written: "
            + ("it is replaced, and kept beside it" if self.overwrite else "apply replaces it only with --force")
            for path in self.in_the_way
        ]
        needed = self.preview.bytes_to_write if self.preview.changes else 0
        if self.free is not None and needed > self.free:
            found.append(
                f"the disk is too small: {needed:,} bytes are to be written, and {self.free:,} are free in {self.store.location}"
            )
        if outdated := too_old(self.store, self.after):
            found.append(f"{outdated}: apply refuses it")
        if self.unshown:
            found.append(self.unshown)
        found += self.unloadable
        found += [
            f"{diagnostic.message} [{diagnostic.code}]{f'; {diagnostic.hint}' if diagnostic.hint else ''}"
            for diagnostic in self.findings
        ]
        return tuple(found)

    @property
    def missing(self) -> str:
        """Which files are not here, "" where all are: no model can be created then, only a Modelfile written."""
        return self.before.base.missing or self.before.base.absence

    @property
    def holds(self) -> bool:
        """Whether every promise of the recipe is kept."""
        return all(checked.holds for checked in self.checked)

    @property
    def changes(self) -> bool:
        """Whether applying it would change the store or a file."""
        return self.preview.changes or self.modelfile_changes

    @property
    def gguf(self) -> Path | None:
        """Where the edited GGUF goes that the written Modelfile names; None when there is none to write."""
        if self.modelfile is None or not self.after.changes_weights:
            return None
        return self.modelfile.with_name(self.modelfile.name + ".gguf")

    @property
    def modelfile_text(self) -> bytes:
        """The Modelfile that ``--modelfile`` writes."""
        return bytes(written_modelfile(self.after, gguf=self.gguf))

    @property
    def modelfile_changes(self) -> bool:
        """Whether the file that ``--modelfile`` names, or the GGUF beside it, is not what would be written."""
        if self.modelfile is None:
            return False
        try:
            return self.gguf_to_write is not None or self.modelfile.read_bytes() != self.modelfile_text
        except OSError:
            return True

    @property
    def in_the_way(self) -> tuple[Path, ...]:
        """The files that ``--modelfile`` would replace though they are not what would be written: that has to be asked for."""
        if self.modelfile is None and self.gguf is None:
            return ()
        from modelsmith.files.outputs import stands_in_the_way

        found = []
        if self.modelfile is not None and stands_in_the_way(self.modelfile, self.modelfile_text):
            found.append(self.modelfile)
        if self.gguf is not None and self.gguf_to_write is not None and stands_in_the_way(self.gguf):
            found.append(self.gguf)
        return tuple(found)

    @property
    def gguf_to_write(self) -> BlobSource | None:
        """The bytes for ``gguf``; None where there is none to write, or the file holds them already."""
        if self.gguf is None:
            return None
        from modelsmith.recipe.plan.outputs import holds

        weights = self.after.inherited.weights
        for source in self.request.files.values():
            if source.path == weights and not holds(self.gguf, source):
                return source
        return None


@remembering()
def plan(
    recipe: Recipe,
    store: Store | None = None,
    *,
    folder: Path | None = None,
    version: str | None = None,
    as_is: bool = False,
    modelfile: Path | None = None,
    base: Base | None = None,
) -> Plan:
    """Work out what a recipe does to a store (the default one, see ``open_store``). Reads only.

    ``folder`` is where relative paths of the base start (default: the current folder), ``version`` the Ollama that will
    serve the model (default: the server's, else the newest known), ``base`` what the recipe starts from where that was found
    before. Raises ModelsmithError where the base is missing, an
    edit has no place, or a proof fails; kept and broken promises are in ``Plan.checked``.
    """
    if store is None:
        from modelsmith.store.open import open_store

        store = open_store()
    base_folder = (folder or Path.cwd()).resolve()
    found = base or find_base(recipe.from_, store, base_folder, alone=lambda modelfile: _is_enough(modelfile, recipe))
    base = merged_base(found, merge=recipe.merge_shards)
    name = ModelName.strict(recipe.create)
    if modelfile is not None:
        modelfile = modelfile.absolute()
    before = Draft.start(base, version or of_server(store.ollama_version()))
    after = with_already(edited(before, recipe), before, recipe)
    for note in base.notes:
        after = after.with_note(note)
    if note := engine_changes(before, after):
        after = after.with_note(note)
    comparisons = compare_drafts(before, after)
    request = compile_request(after)
    after = with_quantization_note(after, request)
    replaces, damaged = _standing(store, name)
    if base.missing or base.absent:
        preview = CreatePreview((), changes=False)
    elif base.downloads and request.fields.get("from"):
        preview = CreatePreview((), changes=True)  # of a model that has to be pulled first
    else:
        preview = store.preview(name, request, as_is=as_is)
    checked = check(recipe.expect, after, comparisons)
    without = without_effect(recipe, before, after, comparisons)
    made = Plan(
        recipe=recipe,
        name=name,
        store=store,
        before=before,
        after=after,
        comparisons=comparisons,
        checked=checked,
        request=request,
        preview=preview,
        replaces=replaces,
        as_is=as_is,
        modelfile=modelfile,
        damaged=damaged,
        free=free_bytes(store),
        findings=new_findings(before, after, without),
        without_effect=without,
        unshown=unshown_reasoning(before, after),
        unloadable=loading_faults(after),
        again=partial(plan, recipe, store, folder=base_folder, version=version, as_is=as_is, modelfile=modelfile),
    )
    if made.modelfile is not None:
        from modelsmith.recipe.plan.outputs import check_outputs

        check_outputs(made.modelfile, made.gguf, request)
    return made


def _is_enough(modelfile: Modelfile, recipe: Recipe) -> bool:
    """Say whether a Modelfile whose FROM is not here is enough for a recipe: it edits no weights, and no template unseen."""
    weights = (recipe.gguf, recipe.quantize, recipe.merge_shards, recipe.adapters, recipe.advised_parameters)
    steps = recipe.template is not None and not isinstance(recipe.template, str)
    return not any(weights) and (bool(modelfile.template) or not steps)


def stored(store: Store, name: ModelName) -> StoredModel | None:
    """Return the model of this name; None where there is none, or a damaged one, which creating it again repairs."""
    return _standing(store, name)[0]


def _standing(store: Store, name: ModelName) -> tuple[StoredModel | None, str]:
    """Return the model of this name, and what is damaged about it (then there is no model)."""
    try:
        return store.show(name), ""
    except (ServerError, ModelNotFound) as error:
        if isinstance(error, ServerError):
            raise
        return None, ""
    except StoreError as error:
        return None, error.message


def free_bytes(store: Store) -> int | None:
    """Return how much room is left where a store in a folder writes; None for a server, or where it cannot be told."""
    from modelsmith.store.local.local import LocalStore

    if not isinstance(store, LocalStore):
        return None
    folder = store.layout.folder.absolute()
    try:
        return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.is_dir())).free
    except (OSError, StopIteration):
        return None


def edited(draft: Draft, recipe: Recipe) -> Draft:
    """Return the draft after everything the recipe says, in the order of the recipe format."""
    if isinstance(recipe.template, str):
        draft = draft.with_template(Template.parse(recipe.template))
    else:
        for kind, steps in groupby(recipe.template or (), key=attrgetter("kind")):
            draft = told_of_step(kind, draft, STEPS[kind].edit(draft, *(step.options for step in steps)))
    draft = with_advised(draft, wanted=recipe.advised_parameters)
    draft = with_parameters(draft, recipe.parameters)
    modelfile = draft.modelfile
    if recipe.system is not None:
        modelfile = modelfile.set_system(recipe.system)
    if recipe.messages is not None:
        modelfile = modelfile.set_messages([(message.role, message.content) for message in recipe.messages])
    if recipe.license_ is not None:
        modelfile = modelfile.set_license(*recipe.license_)
    if recipe.requires is not None:
        modelfile = modelfile.set_requires(recipe.requires)
    draft = with_metadata(draft, metadata_changes(recipe.gguf))
    draft = with_adapters(replace(draft, modelfile=modelfile), recipe.adapters)
    return replace(draft, quantize=wishes_of(recipe.quantize), merge_shards=recipe.merge_shards)
