"""What a GGUF says of a model in words: name, size, licence, languages, base models, and the sampling that its makers advise.

Sources: ggml ``docs/gguf.md`` (keys); llama.cpp ``gguf-py/gguf/metadata.py`` (which keys of a model card count). Basename, finetune
and version are written where the card says them and not guessed from the name of the folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.keys import Keys
    from modelsmith.weights.convert.rows import Rows

_CARD = "README.md"
_TEXTS = (
    ("name", ("name", "model_name")),
    ("author", ("author", "model_author", "model_creator")),
    ("version", ("version", "model_version")),
    ("organization", ("organization", "model_organization")),
    ("description", ("description", "model_description")),
    ("finetune", ("finetune", "model_finetune")),
    ("basename", ("basename", "model_basename", "model_type")),
    ("license", ("license",)),
    ("license.name", ("license_name",)),
    ("license.link", ("license_link",)),
)
_SAMPLING = (
    ("top_k", "top_k", int),
    ("top_p", "top_p", float),
    ("min_p", "min_p", float),
    ("temp", "temperature", float),
    ("penalty_last_n", "penalty_last_n", int),
    ("penalty_repeat", "penalty_repeat", float),
    ("mirostat", "mirostat", int),
    ("mirostat_tau", "mirostat_tau", float),
    ("mirostat_eta", "mirostat_eta", float),
)
_HUB = "https://huggingface.co/"
_LINE = re.compile(r"(?P<key>[\w-]+):(?:\s+(?P<value>.*))?$")
_MAX_ITEMS = 1000


def general_keys(
    checkpoint: Checkpoint, keys: Keys, tensors: Sequence[tuple[str, Rows]], name: str | None = None
) -> None:
    """Add the keys of ``general``."""
    card = front_matter(checkpoint.text(_CARD) or "")
    keys.text("general.type", "model")
    _sampling(checkpoint.table("generation_config.json"), keys)
    for key, names in _TEXTS:
        value = next((card[key] for key in names if card.get(key)), None)
        if value is not None:
            keys.text(f"general.{key}", value if isinstance(value, str) else ",".join(value))
    called = name or _name_in(checkpoint.config)
    if called is not None and (name or "general.name" not in keys):
        keys.text("general.name", called)
    if "general.name" not in keys:
        keys.text("general.name", title(checkpoint.folder.resolve().name))
    keys.text("general.size_label", size_label(tensors))
    _listed("base_model", card.get("base_model") or card.get("base_models"), keys)
    _listed("dataset", card.get("datasets") or card.get("dataset"), keys)
    tags = _items(card.get("tags")) + _items(card.get("pipeline_tag"))
    if tags:
        keys.texts("general.tags", tags)
    languages = _items(card.get("language") or card.get("languages"))
    if languages:
        keys.texts("general.languages", languages)


def title(name: str) -> str:
    """Return a name in words: hyphens become spaces, small words a capital; versions and sizes stay."""
    words = name.strip().replace("-", " ").split()
    return " ".join(
        word.title() if word.islower() and not word[0].isdigit() and not re.fullmatch(r"v\d+(\.\d+)*", word) else word
        for word in words
    )


def size_label(tensors: Sequence[tuple[str, Rows]]) -> str:
    """Return the number of parameters as people say it: 135M, 8.0B, 8x7B (experts, and the size with one of each)."""
    total = shared = expert = experts = stacks = 0
    for name, rows in tensors:
        size = rows.count * rows.length
        total += size
        if "_exps." in name and len(rows.shape) >= (2 if ".bias" in name else 3):
            count = rows.shape[-2 if ".bias" in name else -3]
            expert += size // count
            experts += count
            stacks += 1
        else:
            shared += size
    return f"{experts // stacks}x{_short(shared + expert)}" if stacks else _short(total)


def _short(count: int) -> str:
    sizes = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))
    limit, letter = next((size for size in sizes if count > size[0]), sizes[-1])
    number = count * (1 / limit)
    digits = max(2 - len(str(round(number)).lstrip("0")), 0)
    return f"{number:.{digits}f}{letter}"


def front_matter(text: str) -> dict[str, str | list[str]]:
    """Return the table at the beginning of a model card: texts and lists of texts; what is more complicated is left out."""
    lines = text.splitlines()
    found: dict[str, str | list[str]] = {}
    if not lines or lines[0] != "---":
        return found
    key = ""
    for line in lines[1:]:
        if line.rstrip() == "---":
            return found
        item = re.match(r"\s*-\s+(.*)$", line)
        if item and key and isinstance(items := found.setdefault(key, []), list) and len(items) < _MAX_ITEMS:
            value = _plain(item[1])
            if not re.match(r"[\w-]+:(\s|$)", value):
                items.append(value)
        elif match := _LINE.match(line):
            key, value = match["key"], _plain(match["value"] or "")
            if value.startswith("[") and value.endswith("]"):
                found[key] = [_plain(part) for part in value[1:-1].split(",") if part.strip()][:_MAX_ITEMS]
            elif value and value not in {"|", ">", "|-", ">-", "null", "~"}:
                found[key] = value
        elif not line.startswith((" ", "\t", "#")) and line.strip():
            key = ""
    return {}


def _plain(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()


def _name_in(config: Mapping[str, Any]) -> str | None:
    """Return the name in ``_name_or_path``, where that is one of the Hub and not a path of somebody's computer."""
    found = config.get("_name_or_path")
    if not isinstance(found, str) or found.count("/") > 1 or not found.strip(" /."):
        return None
    return title(found.rpartition("/")[2]) or None


def _items(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _listed(kind: str, value: str | list[str] | None, keys: Keys) -> None:
    names = _items(value)
    if not names:
        return
    keys.whole(f"general.{kind}.count", len(names))
    for number, name in enumerate(names):
        start = f"general.{kind}.{number}"
        is_url = name.startswith(("http://", "https://", "ssh://"))
        called = name.removeprefix(_HUB)
        if is_url:
            keys.text(f"{start}.repo_url", name)
            if called.count("/") != 1 or ":" in called:
                continue
        organization, _, model = called.rpartition("/")
        keys.text(f"{start}.name", title(model))
        if organization:
            keys.text(f"{start}.organization", title(organization))
            keys.text(f"{start}.repo_url", f"{_HUB}{organization}/{model}")


def _sampling(config: Mapping[str, Any], keys: Keys) -> None:
    for name, source, kind in _SAMPLING:
        value = config.get(source)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if kind is int:
            keys.signed(f"general.sampling.{name}", int(value))
        else:
            keys.real(f"general.sampling.{name}", float(value))
