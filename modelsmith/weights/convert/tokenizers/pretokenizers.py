"""How a tokenizer cuts a text into words before it merges bytes, by the name that llama.cpp has for it.

A way of cutting is told by what ``pre_tokenizer`` in tokenizer.json does, step by step, not by the vocabulary, so that tokens a
finetune added change nothing. Several models cut alike; where llama.cpp treats them differently in another respect, a token that
only one of them has decides.
Source: llama.cpp ``src/llama-vocab.cpp`` (names, expressions, and what follows from a name besides).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.errors import Unsupported

if TYPE_CHECKING:
    from modelsmith.weights.convert.checkpoint import Checkpoint

_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_WORDS = _ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _SPACES
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CASED = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+%s|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*%s|%s"
    rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACES}"
)
_CJK = "[一-龥ࠀ-一가-퟿]+"
_DIGITS, _BYTES, _BYTES_BY_WORDS = "digits", "bytes", "bytes by words"
_DEEPSEEK_V3 = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|" + _SPACES
)

STEPS: dict[tuple[str, ...], str] = {
    (_BYTES_BY_WORDS,): "gpt-2",
    (_DIGITS, _BYTES_BY_WORDS): "starcoder",
    (_WORDS % r"\p{N}{1,3}", _BYTES): "dbrx",
    (_WORDS % r"\p{N}", _BYTES): "qwen2",
    (
        _WORDS.replace(r"\p{L}+|%s", r"[\p{L}\p{M}]+|%s").replace(r"[^\s\p{L}\p{N}]+", r"[^\s\p{L}\p{M}\p{N}]+")
        % r"\p{N}",
        _BYTES,
    ): "qwen35",
    (_CASED % (_ENDINGS + "?", _ENDINGS + "?", r"\p{N}{1,3}"), _BYTES): "gpt-4o",
    (_CASED % ("", "", r"\p{N}"), _BYTES): "tekken",
    (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _CJK, _DIGITS, _BYTES): "deepseek-coder",
    (r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", _DEEPSEEK_V3, _BYTES): "deepseek-v3",
}
"""What a tokenizer does, one step after the other, and the name of that."""

_DEEPSEEK_LLM = ("[\r\n]", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", _CJK, _DIGITS, _BYTES)
_TOKENS: dict[str, tuple[tuple[str, str], ...]] = {
    "starcoder": (
        ("<BOS_TOKEN>", "command-r"),
        ("<pr_status>", "starcoder"),
        ("<file_sep>", "smollm"),
        ("<reponame>", "refact"),
    ),
    "dbrx": (("[gMASK]", "glm4"),),
    "qwen2": (("<｜begin▁of▁sentence｜>", "deepseek-r1-qwen"),),
}
"""Of models that cut alike: a token that only the vocabulary of one has, and its name."""

_CLASSES = {
    "Qwen2Tokenizer": "qwen2",
    "Qwen2TokenizerFast": "qwen2",
    "GPT2Tokenizer": "gpt-2",
    "GPT2TokenizerFast": "gpt-2",
}


def find_pretokenizer(checkpoint: Checkpoint, tokens: frozenset[str]) -> str:
    """Return the name of the way in which a checkpoint's tokenizer cuts words; raises Unsupported for one without a name."""
    tokenizer = checkpoint.json("tokenizer.json")
    if not isinstance(tokenizer, dict):
        name = checkpoint.table("tokenizer_config.json").get("tokenizer_class")
        found = _CLASSES.get(name) if isinstance(name, str) else None
    else:
        steps = tuple(_steps(tokenizer.get("pre_tokenizer")))
        found = STEPS.get(tuple(_plain(step) for step in steps))
        # the second step of DeepSeek LLM lists some thousand letters; the others are enough to know it
        if found is None and tuple(_plain(step) for step in (*steps[:1], *steps[2:])) == tuple(
            map(_plain, _DEEPSEEK_LLM)
        ):
            found = "deepseek-llm"
    if found is None:
        raise Unsupported(
            f"{checkpoint.folder / 'tokenizer.json'}: llama.cpp has no name for the way in which this tokenizer cuts words",
            hint="with a wrong one the model would read other tokens than it was trained on; "
            "where you know the right one, name it: --pretokenizer NAME",
        )
    model = tokenizer.get("model") if isinstance(tokenizer, dict) else None
    if found == "dbrx" and isinstance(model, dict) and model.get("ignore_merges") is True:
        return "llama-bpe"
    return next((name for token, name in _TOKENS.get(found, ()) if token in tokens), found)


def _steps(cutter: Any) -> list[str]:
    if not isinstance(cutter, dict):
        return ["nothing"]
    kind = cutter.get("type")
    if kind == "Sequence":
        inner = cutter.get("pretokenizers")
        return [step for part in inner for step in _steps(part)] if isinstance(inner, list) else ["nothing"]
    if kind == "ByteLevel":
        if cutter.get("add_prefix_space"):
            return ["bytes after a space"]
        return [_BYTES_BY_WORDS if cutter.get("use_regex", True) else _BYTES]
    if kind == "Digits":
        return [_DIGITS if cutter.get("individual_digits") else "numbers"]
    pattern = cutter.get("pattern")
    if kind == "Split" and isinstance(pattern, dict):
        expression = pattern.get("Regex")
        kept = (cutter.get("behavior"), bool(cutter.get("invert"))) in {
            ("Isolated", False),
            ("Removed", True),
            ("Isolated", True),
        }
        if isinstance(expression, str) and kept:
            return [expression]
    return [f"{kind}"]


def _plain(step: str) -> str:
    """Return an expression with its line ends spelt in one way: some files hold the characters themselves."""
    return step.replace("\r", r"\r").replace("\n", r"\n")
