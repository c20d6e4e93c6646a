"""What a model really gets to read, which template decides it, and what would change that: everything in one value."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.explain.answers import AnswerFormat, answer_format, own_code
from modelsmith.explain.jinja_facts import JinjaFacts, jinja_facts
from modelsmith.explain.server import server_notes
from modelsmith.explain.stops import Stops, find_stops
from modelsmith.explain.thinking import CUT, SPLIT, ThinkRow, think_rows
from modelsmith.explain.versions import VersionRow, version_rows
from modelsmith.models.chat_renderer import ChatRenderer, chat_renderer_of
from modelsmith.models.draft import Draft
from modelsmith.models.find import find_base
from modelsmith.models.sources.bare import is_bare, template_base
from modelsmith.models.vocabulary import in_vocabulary
from modelsmith.template.effective.cache import CacheCheck, check_cache
from modelsmith.versions import of_server, resolve

if TYPE_CHECKING:
    from modelsmith.store import Store
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.template.effective.effective import EffectiveTemplate


BARE = "a template alone: its model's weights, parameters and other templates are not known"
_BARE_REASONS = {
    "go": "as TEMPLATE of a model it runs, unless the Jinja template in the GGUF offers more (Ollama 0.30 and later)",
    "jinja": "inside a GGUF it runs from Ollama 0.30 on, unless a TEMPLATE of the model offers as much",
}


@dataclass(frozen=True, slots=True)
class SuggestedCommand:
    """A command to run next, and what for; ``recipe`` is the bundled recipe that it plans ("": none)."""

    line: str
    purpose: str
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer of ``modelsmith explain``.

    ``renderer`` and ``parser`` are those of the model (``""``: none), ``detected`` names the built-in TEMPLATE that Ollama
    chose for it. ``thinking_tags`` are those that split reasoning from the answer (``""``: none found); ``versions`` the versions of
    Ollama that change something; ``cache`` is None where code inside Ollama renders, ``answers`` where
    llama-server does not read them; ``notes`` are findings in sentences; ``jinja`` is None where no Jinja template runs.
    """

    spec: str
    version: str
    effective: EffectiveTemplate
    renderer: str
    parser: str
    thinking_tags: tuple[str, str]
    detected: str
    versions: tuple[VersionRow, ...]
    stops: Stops
    thinks: tuple[ThinkRow, ...]
    cache: CacheCheck | None
    answers: AnswerFormat | None
    commands: tuple[SuggestedCommand, ...]
    notes: tuple[str, ...]
    jinja: JinjaFacts | None = None


def explain_model(spec: str, store: Store, *, folder: Path | None = None, version: str | None = None) -> Explanation:
    """Explain a model's name, a ``.gguf``, a Modelfile, a ``.gotmpl``, a ``.jinja`` or ``sample:NAME``. Reads only.

    ``version`` is the Ollama that serves it (default: the server's, else the newest known). Raises ModelsmithError where
    nothing can be found; of a Modelfile whose FROM is not here, what it says itself is explained, with a note.
    """
    folder = folder or Path.cwd()
    if is_bare(spec, folder):
        base, missing = template_base(spec, folder), BARE
    else:
        base = find_base(spec, store, folder, alone=_tells_prompt)
        missing = base.missing
    return explain_draft(Draft.start(base, version or of_server(store.ollama_version())), missing)


def explain_draft(draft: Draft, missing: str = "") -> Explanation:
    """Explain a model in the making; ``missing`` says why nothing is known of what FROM brings along.

    Raises TemplateSyntaxError where the template that runs cannot be read.
    """
    engine = chat_renderer_of(draft)
    effective = _effective(draft, missing)
    thinks = think_rows(draft, engine)
    return Explanation(
        spec=draft.base.spec,
        version=str(resolve(draft.version)),
        effective=effective,
        renderer=draft.renderer,
        parser=draft.parser,
        thinking_tags=engine.tags,
        detected="" if draft.modelfile.template else draft.inherited.detected,
        versions=version_rows(draft),
        stops=find_stops(draft, engine),
        thinks=thinks,
        cache=_cache(draft, engine),
        answers=answer_format(engine.jinja) if engine.jinja is not None else None,
        commands=tuple(_commands(draft, engine, thinks, missing)),
        notes=(*_notes(draft, engine, thinks, missing), *server_notes(draft)),
        jinja=jinja_facts(engine) if draft.chat_template is not None else None,
    )


def _effective(draft: Draft, missing: str) -> EffectiveTemplate:
    effective = draft.effective
    for keyword in ("renderer", "parser"):
        if effective.source == keyword and (name := getattr(draft.modelfile, keyword)):
            effective = replace(
                effective, ways=(f"take {keyword.upper()} {name} out of the Modelfile", *effective.ways)
            )
    chat_template = draft.chat_template
    if effective.source == "jinja" and chat_template is not None and missing != BARE:
        way = own_code(chat_template.format(), draft.version)
        effective = replace(effective, ways=(*effective.ways, way)) if way else effective
    if draft.inherited.format == "safetensors":
        effective = replace(effective, ways=tuple(way for way in effective.ways if "GGUF" not in way))
    if missing == BARE:
        return replace(effective, reason=_BARE_REASONS.get(effective.source, effective.reason))
    if effective.source != "go" or not (missing or not draft.inherited.chat_template_known):
        return effective
    if missing:
        return replace(
            effective, reason="the Modelfile has a TEMPLATE, which runs unless the GGUF has a Jinja template that wins"
        )
    return replace(effective, reason="the server runs this model's TEMPLATE (its GGUF cannot be read from here)")


def _tells_prompt(modelfile: Modelfile) -> bool:
    """Say whether a Modelfile says anything about the prompt itself."""
    return bool(modelfile.template or modelfile.renderer or modelfile.parser)


def _cache(draft: Draft, engine: ChatRenderer) -> CacheCheck | None:
    if not engine.renders or draft.effective.source == "harmony":
        return None  # code inside Ollama builds the prompt, or rebuilds the answer
    can = "thinking" in draft.effective.capabilities
    return check_cache(
        engine.render,
        thinking_tags=engine.tags if can else ("", ""),
        think=False if can else None,
        tools="tools" in draft.effective.capabilities,
    )


def _commands(draft: Draft, engine: ChatRenderer, thinks: tuple[ThinkRow, ...], missing: str) -> list[SuggestedCommand]:
    base = draft.base.spec
    spec, setting = shlex.quote(base), shlex.quote(f"base={base}")
    found = []
    if engine.renders:
        found.append(SuggestedCommand(f"modelsmith render {spec} --user hello", "the whole prompt of any chat"))
    reasons = (
        "thinking" in draft.effective.capabilities
        or any("think>" in text for text in (engine.text, *_texts(draft)))
        or bool(in_vocabulary(draft, {"<think>"}))  # trained to reason, whatever its templates say
    )
    if missing == BARE or not reasons or draft.effective.source in {"renderer", "harmony"}:
        return found
    if not all(row.arrives == SPLIT and row.prompt.rstrip().endswith("<think>") for row in thinks[:2]):
        found.append(
            SuggestedCommand(
                f"modelsmith plan force-think --set {setting}", "make it reason, split from the answer", "force-think"
            )
        )
    found.append(SuggestedCommand(f"modelsmith plan no-think --set {setting}", "let it answer at once", "no-think"))
    return found


def _texts(draft: Draft) -> tuple[str, ...]:
    chat_template = draft.chat_template
    return draft.template_text or "", chat_template.text if chat_template else ""


def _notes(draft: Draft, engine: ChatRenderer, thinks: tuple[ThinkRow, ...], missing: str) -> list[str]:
    notes = []
    inherited = draft.inherited
    if missing:
        notes.append(BARE if missing == BARE else f"{missing}; what follows is from the Modelfile alone")
    if draft.base.absent:
        notes.append(draft.base.absence)
    if engine.jinja is not None and "thinking" in draft.effective.capabilities and not engine.jinja.reasoning.found:
        notes.append(
            "Ollama takes this for a model that thinks, but llama-server finds no reasoning in the template: nothing is split"
        )
    if inherited.detected and not draft.modelfile.template:
        notes.append(
            f"the TEMPLATE is Ollama's built-in {inherited.detected}, chosen at `ollama create` because the Jinja template "
            "in the GGUF is close to one it knows"
        )
    if inherited.format == "safetensors":
        notes.append(
            "the weights are Safetensors: there is no GGUF, and no Jinja template in one that could run or be edited; what is said "
            "of llama-server does not hold, as Ollama runs such models in an engine of its own"
        )
    elif not inherited.chat_template_known:
        notes.append("the GGUF cannot be read from here: its Jinja template and its tokens are not known")
    unset, on, off = thinks
    if not on.error and not off.error and engine.renders and on.prompt == off.prompt:
        notes.append("think false is not obeyed: the prompt is the same as for think true")
    elif off.arrives == CUT:
        notes.append("think false does not switch it off: the prompt opens the reasoning all the same")
    if unset.arrives == CUT:
        notes.append(
            "the prompt opens the reasoning, and nothing splits it from the answer: clients see a lone </think>"
        )
    return notes
