"""Tokens that begin, end and separate texts, whether they are added, and the chat template.

Source: llama.cpp ``gguf-py/gguf/vocab.py`` (SpecialVocab). One thing differs: of two chat templates the one in
``chat_template.jinja`` counts, as it does for Transformers.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelsmith.weights.convert.checkpoint import Checkpoint
    from modelsmith.weights.convert.families.family import Family
    from modelsmith.weights.convert.keys import Keys

_KEYS = {"bos": "bos", "eos": "eos", "unk": "unknown", "sep": "seperator", "pad": "padding", "mask": "mask"}
"""Roles, and what their keys are called (the misspelling is llama.cpp's)."""
_ROLES = (*_KEYS, "cls")
_LETTERS = frozenset(string.ascii_letters + string.digits)


def special_keys(family: Family, keys: Keys, size: int | None = None) -> None:
    """Add the special tokens, those below ``size`` only, and the chat template."""
    checkpoint = family.checkpoint
    texts = _texts(checkpoint)
    adds = _added_by_template(checkpoint, texts)
    tokenizer_config = checkpoint.table("tokenizer_config.json")
    for role, key in _KEYS.items():
        number = _number(checkpoint, texts.get(role))
        if number is None:
            number = family.config.values.get(f"{role}_token_id")
        if type(number) is int and number >= 0 and (size is None or number < size):
            keys.whole(f"tokenizer.ggml.{key}_token_id", number)
    for role in ("bos", "eos", "sep"):
        said = tokenizer_config.get(f"add_{role}_token")
        value = said if isinstance(said, bool) else adds.get(role)
        if value is not None:
            keys.flag(f"tokenizer.ggml.add_{role}_token", value)
    _template_keys(checkpoint, keys)
    for name, value in _normalizers(checkpoint.table("tokenizer.json").get("normalizer")).items():
        keys.flag(f"tokenizer.ggml.normalizer.{name}", value)


def _texts(checkpoint: Checkpoint) -> dict[str, str]:
    """Return the special tokens that tokenizer_config.json names; BERT's take the places of missing ones."""
    config = checkpoint.table("tokenizer_config.json")
    found: dict[str, str] = {}
    for role in _ROLES:
        value = config.get(f"{role}_token")
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            found[role] = text
    for role, other in (("bos", "cls"), ("eos", "sep")):
        if role not in found and other in found and checkpoint.json("tokenizer.json") is not None:
            found[role] = found[other]
    return found


def _number(checkpoint: Checkpoint, text: str | None) -> int | None:
    listed = checkpoint.table("tokenizer.json").get("added_tokens")
    for token in listed if isinstance(listed, list) else ():
        if isinstance(token, dict) and text is not None and token.get("content") == text:
            number = token.get("id")
            return number if type(number) is int else None
    return None


def _added_by_template(checkpoint: Checkpoint, texts: dict[str, str]) -> dict[str, bool]:
    """Return what the post processor of tokenizer.json puts around one text, and between two."""
    found: dict[str, bool] = {}
    processor = checkpoint.table("tokenizer.json").get("post_processor")
    steps = processor.get("processors", [processor]) if isinstance(processor, dict) else []
    for step in steps:
        if not isinstance(step, dict):
            continue
        if step.get("type") == "RobertaProcessing":
            found |= {"bos": True, "eos": True, "sep": True}
        single, pair = step.get("single"), step.get("pair")
        if step.get("type") != "TemplateProcessing" or not isinstance(single, list):
            continue
        first, last = (_special(single[0]), _special(single[-1])) if len(single) > 1 else (None, None)
        if first is not None:
            texts.setdefault("bos", first)
            found["bos"] = first in {texts["bos"], texts.get("cls")}
        if last is not None:
            if texts.get("eos", last) == last:
                texts["eos"] = last
            found["eos"] = texts["eos"] == last
        if isinstance(pair, list):
            found |= _separators(pair, first, last, texts)
    return found


def _separators(pair: list[Any], first: str | None, last: str | None, texts: dict[str, str]) -> dict[str, bool]:
    start = 1 if first is not None and pair and _special(pair[0]) == first else 0
    stop = len(pair) - 1 if last is not None and pair and _special(pair[-1]) == last else len(pair)
    between = list(map(_special, pair[start + 1 : stop - 1]))
    if not between:
        return {}
    known = {texts.get("sep"), texts.get("eos")} - {None}
    return {"sep": (between[0] in known and last is None) or (len(between) == 2 and between[1] in known)}


def _special(entry: Any) -> str | None:
    inner = entry.get("SpecialToken") if isinstance(entry, dict) else None
    text = inner.get("id") if isinstance(inner, dict) else None
    return text if isinstance(text, str) else None


def chat_templates(checkpoint: Checkpoint) -> dict[str, str]:
    """Return the chat templates by name; the one that counts is called ``default``."""
    found: dict[str, str] = {}
    for source in (
        checkpoint.table("chat_template.json").get("chat_template"),
        checkpoint.table("tokenizer_config.json").get("chat_template"),
        checkpoint.text("chat_template.jinja"),
    ):
        if isinstance(source, str):
            found["default"] = source
        for token in source if isinstance(source, list) else ():
            name, template = (token.get("name"), token.get("template")) if isinstance(token, dict) else (None, None)
            if isinstance(name, str) and isinstance(template, str):
                found[name] = template
    for path in sorted((checkpoint.folder / "additional_chat_templates").glob("*.jinja")):
        found[path.stem] = checkpoint.text(f"additional_chat_templates/{path.name}") or ""
    return found


def _template_keys(checkpoint: Checkpoint, keys: Keys) -> None:
    names = []
    for name, template in chat_templates(checkpoint).items():
        if name == "default":
            keys.text("tokenizer.chat_template", template)
            continue
        plain = "".join(letter if letter in _LETTERS else "_" for letter in name)
        keys.text(f"tokenizer.chat_template.{plain}", template)
        names.append(plain)
    if names:
        keys.texts("tokenizer.chat_templates", sorted(names))


def _normalizers(normalizer: Any) -> dict[str, bool]:
    """Return what is done to the letters of a text before it is cut, as far as llama.cpp does it too."""
    if not isinstance(normalizer, dict):
        return {}
    kind, found = normalizer.get("type"), dict[str, bool]()
    if kind == "Lowercase":
        found["lowercase"] = True
    elif kind == "StripAccents":
        found["strip_accents"] = True
    elif kind == "BertNormalizer":
        found = {
            name: value for name in ("lowercase", "strip_accents") if isinstance(value := normalizer.get(name), bool)
        }
    elif kind == "Sequence" and isinstance(normalizer.get("normalizers"), list):
        for step in normalizer["normalizers"]:
            found |= _normalizers(step)
    return found
