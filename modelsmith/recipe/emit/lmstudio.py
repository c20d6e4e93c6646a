"""LM Studio's ``model.yaml``: a virtual model above the file of weights, with settings for loading and answering.

Sources: lmstudio-js ``lms-shared-types`` (VirtualModelDefinition), ``lms-kv-config/src/schema.ts`` (keys and the shapes of their
values), LM Studio's documentation "Introduction to model.yaml".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.parameters import PARAMETERS
from modelsmith.recipe.emit.subject import Emitted, Subject, Unsaid, common_unsaid
from modelsmith.recipe.emit.yaml_text import yaml_text

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft

TITLE = "a model.yaml of LM Studio"
FILE = "model.yaml"
_TOOL = "LM Studio"
_PLAIN = {"temperature": "llm.prediction.temperature", "top_k": "llm.prediction.topKSampling"}
_CHECKED = {
    "top_p": "llm.prediction.topPSampling",
    "min_p": "llm.prediction.minPSampling",
    "repeat_penalty": "llm.prediction.repeatPenalty",
    "presence_penalty": "llm.prediction.llama.presencePenalty",
    "frequency_penalty": "llm.prediction.llama.frequencyPenalty",
    "typical_p": "llm.prediction.llama.locallyTypicalSampling",
}
_OFF = {"repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0, "typical_p": 1.0}
_LOADED = {
    "num_ctx": "llm.load.contextLength",
    "num_batch": "llm.load.llama.evalBatchSize",
    "use_mmap": "llm.load.llama.tryMmap",
}
_OTHER_DEFAULTS = ("top_p", "min_p", "repeat_penalty")
"""PARAMETERs whose default is another in LM Studio: 0.95, 0.05 and 1.1 there."""


def emit(subject: Subject) -> Emitted:
    """Return the model.yaml; the weights are a repository of the Hub, or a file to import under the name it gives."""
    draft = subject.draft
    unsaid = list(common_unsaid(subject, tool=_TOOL, keeps=frozenset({"system"})))
    todo: list[str] = []
    publisher = subject.plan.name.namespace if subject.plan.name.namespace != "library" else "local"
    operation: list[dict[str, Any]] = []
    load: list[dict[str, Any]] = []
    for name, value in draft.parameters.items():
        _parameter(name, value, operation, load, unsaid)
    operation += [_checked(name, PARAMETERS[name].default) for name in _OTHER_DEFAULTS if name not in draft.parameters]
    if draft.system:
        operation.append(_field("llm.prediction.systemPrompt", draft.system))
    operation += _template(subject)
    opening, closing = _thinking_tags(draft)
    if opening and closing:
        tags = {"enabled": True, "startString": opening, "endString": closing}
        operation.append(_field("llm.prediction.reasoning.parsing", tags))
    data: dict[str, Any] = {
        "model": f"{publisher}/{subject.stem}".lower(),
        "base": _base(subject, publisher, unsaid, todo),
        "metadataOverrides": _metadata(draft),
        "config": {"operation": {"fields": operation}},
    }
    if load:
        data["config"]["load"] = {"fields": load}
    return Emitted(yaml_text(data, f"the model {subject.plan.name.short}"), tuple(unsaid), tuple(todo))


def _field(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


def _checked(name: str, value: Any) -> dict[str, Any]:
    return _field(_CHECKED[name], {"checked": value != _OFF.get(name), "value": _plain(value)})


def _plain(value: Any) -> Any:
    """Return a number without the noise of its 32 bits."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _parameter(
    name: str, value: Any, operation: list[dict[str, Any]], load: list[dict[str, Any]], unsaid: list[Unsaid]
) -> None:
    if name in _PLAIN:
        operation.append(_field(_PLAIN[name], _plain(value)))
    elif name in _CHECKED:
        operation.append(_checked(name, value))
    elif name in _LOADED:
        load.append(_field(_LOADED[name], value))
    elif name == "stop":
        operation.append(_field("llm.prediction.stopStrings", list(value)))
    elif name == "seed":
        operation.append(_field("llm.prediction.seed", {"checked": value >= 0, "value": value}))
    elif name == "num_predict":
        operation.append(
            _field("llm.prediction.maxPredictedTokens", {"checked": value > 0, "value": value if value > 0 else 1000})
        )
    elif name == "num_thread":
        if value > 0:
            operation.append(_field("llm.prediction.llama.cpuThreads", value))
    elif name == "num_gpu" and value in (-1, 0):
        if value == 0:
            load.append(_field("llm.load.llama.acceleration.offloadRatio", "off"))
    elif name == "num_gpu":
        unsaid.append(Unsaid(f"PARAMETER num_gpu {value}", f"{_TOOL} offloads a share of the layers, not a number"))
    else:
        unsaid.append(Unsaid(f"PARAMETER {name} {value}", f"{_TOOL} has no such setting"))


def _template(subject: Subject) -> list[dict[str, Any]]:
    """Return the Jinja template where the recipe changes it: the file of weights would bring the old one."""
    draft = subject.draft
    if not subject.swaps_template_alone or draft.chat_template is None:
        return []
    value = {"type": "jinja", "jinjaPromptTemplate": {"template": draft.chat_template.text}, "stopStrings": []}
    return [_field("llm.prediction.promptTemplate", value)]


def _thinking_tags(draft: Draft) -> tuple[str, str]:
    """Return where reasoning begins and ends in answers, by the template that LM Studio runs; empty where nothing tells."""
    if draft.chat_template is not None:
        chat_format = draft.chat_template.format()
        return chat_format.opening, chat_format.closings[0] if chat_format.closings else ""
    return draft.template.thinking_tags if draft.template is not None else ("", "")


def _base(subject: Subject, publisher: str, unsaid: list[Unsaid], todo: list[str]) -> list[dict[str, Any]]:
    hub = subject.hub
    if hub is not None and subject.unchanged_weights:
        user, _, repo = hub.repo.partition("/")
        for what, word in (("revision", hub.revision), ("file", hub.file), ("quantization", hub.quantization)):
            if word:
                unsaid.append(Unsaid(f"{what} {word}", f"{_TOOL} chooses among the files of a repository itself"))
        return [{"key": hub.repo.lower(), "sources": [{"type": "huggingface", "user": user, "repo": repo}]}]
    key = f"{publisher}/{subject.stem}-gguf".lower()
    path = subject.weights or (subject.draft.inherited.weights if subject.unchanged_weights else None)
    if path is None:
        unsaid.append(Unsaid("FROM (the weights)", "the recipe changes them, or they are elsewhere: --weights FILE"))
    todo.append(f"import the weights: lms import --user-repo {key} {path or 'MODEL.gguf'}")
    return [{"key": key, "sources": []}]


def _metadata(draft: Draft) -> dict[str, Any]:
    architecture = draft.inherited.architecture or draft.inherited.family
    capabilities = draft.effective.capabilities
    return {
        "domain": "llm",
        **({"architectures": [architecture]} if architecture else {}),
        "compatibilityTypes": ["gguf"],
        "reasoning": "thinking" in capabilities,
        "trainedForToolUse": "tools" in capabilities,
    }
