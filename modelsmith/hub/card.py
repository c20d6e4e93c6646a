"""The model card: the README of a repository, with the head by which the Hub finds and shows a model.

Source: the Hub's documentation "Model Cards" (keys of the head: license, base_model, base_model_relation, language, tags).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is known of a model; empty where it is not. ``files`` are names, sizes and SHA-256s."""

    title: str
    repo: str
    files: Sequence[tuple[str, int, str]]
    quantization: str = ""
    architecture: str = ""
    parameters: str = ""
    context: int = 0
    base_model: str = ""
    license: str = ""
    languages: Sequence[str] = ()
    chat_template: str = ""
    template: str = ""
    system: str = ""
    settings: Mapping[str, Any] | None = None
    recipe: str = ""


def model_card(facts: CardFacts) -> str:
    """Return the text of README.md."""
    parts = [_head(facts), f"# {_plain(facts.title)}\n", *_about(facts), *_run(facts)]
    if facts.settings:
        rows = "\n".join(
            f"| `{_plain(name)}` | `{_plain(json.dumps(value, ensure_ascii=False))}` |"
            for name, value in facts.settings.items()
        )
        parts.append(f"## Parameters\n\n| parameter | value |\n| --- | --- |\n{rows}\n")
    if facts.system:
        parts.append(f"## System prompt\n\n{_block(facts.system)}\n")
    if facts.template:
        parts.append(f"## Template (Ollama)\n\n{_block(facts.template, 'go-template')}\n")
    if facts.chat_template:
        parts.append(f"## Chat template (in the GGUF)\n\n{_block(facts.chat_template, 'jinja')}\n")
    if facts.recipe:
        parts.append(f"## How it was made\n\nBy modelsmith, with this recipe:\n\n{_block(facts.recipe, 'yaml')}\n")
    return "\n".join(parts)


def base_of(text: str) -> str:
    """Return the repository that a URL or a reference names; empty where it names none."""
    rest = re.sub(r"^(?:hf://|(?:https://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)", "", text.strip())
    found = re.split(r"[@:]", rest)[0]
    return "/".join(found.split("/")[:2]) if _REPO.match(found) else ""


def _head(facts: CardFacts) -> str:
    """Return the head; every value is JSON, which YAML takes as it is."""
    head: dict[str, Any] = {}
    if facts.license:
        head["license"] = facts.license
    if facts.base_model:
        head["base_model"] = facts.base_model
        if facts.quantization not in {"", "F32", "F16", "BF16"}:
            head["base_model_relation"] = "quantized"
    if facts.languages:
        head["language"] = list(facts.languages)
    head |= {"tags": ["gguf", "modelsmith"], "pipeline_tag": "text-generation"}
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    return "\n".join(["---", *lines, "---", ""])


def _about(facts: CardFacts) -> list[str]:
    rows = {
        "base model": f"[{facts.base_model}](https://huggingface.co/{facts.base_model})" if facts.base_model else "",
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "quantization": facts.quantization,
        "context": f"{facts.context:,} tokens" if facts.context else "",
        "licence": facts.license,
    }
    table = "\n".join(f"| {name} | {_plain(value)} |" for name, value in rows.items() if value)
    files = "\n".join(f"| `{_plain(name)}` | {size:,} | `{digest}` |" for name, size, digest in facts.files)
    return [
        f"| | |\n| --- | --- |\n{table}\n",
        f"## Files\n\n| file | bytes | SHA-256 |\n| --- | --- | --- |\n{files}\n",
    ]


def _run(facts: CardFacts) -> list[str]:
    tag = f":{facts.quantization}" if facts.quantization else ""
    commands = f"ollama run hf.co/{facts.repo}{tag}\nmodelsmith pull hf://{facts.repo}{tag}\nllama-server -hf {facts.repo}{tag}"
    return [f"## Run it\n\n{_block(commands, 'sh')}\n"]


def _plain(text: str) -> str:
    """Return a text for one cell of a table: no line breaks, no bars."""
    return " ".join(text.split()).replace("|", "\\|")[:400]


def _block(text: str, language: str = "") -> str:
    """Return a block of code whose fence is longer than any in the text."""
    shown = text if len(text) <= _MOST else f"{text[:_MOST]}\n…"
    longest = max((len(found) for found in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown.rstrip()}\n{fence}"
