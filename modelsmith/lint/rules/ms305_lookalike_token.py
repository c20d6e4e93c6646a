"""A control token is written with other characters than the model's: it is ordinary text then.

## What it does
Reports tokens damaged by typography (`<｜ User ｜>`, `<| im_start|>`), with bars or underscores of two kinds, and DeepSeek's tokens in
ASCII (`<|User|>` for `<｜User｜>`), in another case of letters than the family's (`<|EOT_ID|>`) or, in a `stop`, than the
template's. With the model at hand, every token of the template and of `stop` that its vocabulary does not have, while it has
one that looks the same.

## Why
A token that is not exactly the model's is cut into several pieces of text; a stop that is not exactly the model's never stops.

## Example
```modelfile
FROM deepseek-r1:8b
TEMPLATE "<｜ User ｜>{{ .Prompt }}<｜Assistant｜>"
```

## Use instead
```modelfile
FROM deepseek-r1:8b
TEMPLATE "<｜User｜>{{ .Prompt }}<｜Assistant｜>"
```

## Fix safety
Safe where the vocabulary has exactly one token that looks the same, else unsafe.

## Source
Tokenizers of the model families; a published Modelfile and a widely read course have each of these.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule, safe_fix, unsafe_fix
from modelsmith.lint.templates.template import MOST, SPECIAL, counted, literals, texts
from modelsmith.patterns import regex
from modelsmith.source import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document
    from modelsmith.lint.surroundings import Vocabulary
    from modelsmith.source import Span

_LOOSE = regex(r"<[ \u3000]?[|｜][ \u3000]{0,2}[^\s|｜<>](?:[^|｜<>\n]{0,58}[^\s|｜<>])?[ \u3000]{0,2}[|｜][ \u3000]?>")
_NAMES = frozenset(
    (
        *(
            "user",
            "assistant",
            "system",
            "tool",
            "end",
            "im_start",
            "im_end",
            "im_sep",
            "eot_id",
            "eom_id",
            "endoftext",
        ),
        *(
            "start_header_id",
            "end_header_id",
            "begin_of_text",
            "end_of_text",
            "end_of_turn",
            "python_tag",
            "eos",
            "bos",
        ),
    )
)
"""What is a token for certain when it stands between bars; other words may be code."""

_LOWER = frozenset(name for name in _NAMES if name.endswith(("_id", "text", "_tag")) or name.startswith("im_"))
"""Those that no family writes with capitals."""

_DEEPSEEK = {
    name: f"<｜{name}｜>"
    for name in ("User", "Assistant", "begin▁of▁sentence", "end▁of▁sentence", "tool▁calls▁begin", "tool▁calls▁end")
}


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield tokens that are no tokens, with those that were meant."""
    vocabulary = document.model.vocabulary if document.model else None
    by_look = _by_look(vocabulary) if vocabulary else None
    of_template = _template_tokens(document) if document.find("PARAMETER", "stop") else {}
    for token, span, is_stop in islice(_tokens(document), 10 * MOST):
        if vocabulary and by_look is not None:
            if vocabulary.id_of(token) is not None:
                continue
            meant = by_look.get(_look(token), [])
        else:
            named = of_template.get(token.lower(), []) if is_stop else []
            meant = [
                spelling
                for spelling in (*([] if token in named else named), _repaired(token), _deepseek(document, token))
                if spelling and spelling != token
            ][:1]
        if not meant:
            continue
        written = " or ".join(meant)
        message = f"{token} is not the token {written}: the model reads it as ordinary text"
        fix = None
        if len(meant) == 1:
            made = safe_fix if vocabulary else unsafe_fix
            fix = made(f"write {written}", Edit(span, meant[0]))
        yield Finding(span, message, f"write {written}", fix)


def _tokens(document: Document) -> Iterator[tuple[str, Span, bool]]:
    """Yield what looks like a token in the template that counts and in the stops, and whether it is a stop."""
    found = counted(document)
    if found is not None:
        embedded, template = found
        for words in (*texts(template), *(literal for literal in literals(template) if literal.literal)):
            start = words.start
            if words.literal is not None:
                if words.value != words.literal.quoted[1:-1]:
                    continue
                start += 1
            for found_token in _spans(words.value):
                place = embedded.span(start + found_token.start(), start + found_token.end())
                yield found_token.group(), place, False
    for stop in document.find("PARAMETER", "stop"):
        if stop.value_span.of(document.text) == stop.value and (token := _whole(stop.value)):
            yield token, stop.value_span, True


def _spans(text: str) -> Iterator[re.Match[str]]:
    if "<" in text:
        yield from _LOOSE.finditer(text)


def _whole(text: str) -> str:
    return text if _LOOSE.fullmatch(text) or SPECIAL.fullmatch(text.lower()) else ""


def _template_tokens(document: Document) -> dict[str, list[str]]:
    """Return the tokens of the template, in the file or the base's, by their texts in lower case."""
    model, found = document.model, counted(document)
    shown = [words.value for words in (*texts(found[1]), *literals(found[1]))] if found is not None else []
    if model is not None:
        shown += [text for text in (model.template, model.chat_template) if text]
    tokens: dict[str, list[str]] = {}
    for token in dict.fromkeys(match.group() for text in shown for match in SPECIAL.finditer(text)):
        tokens.setdefault(token.lower(), []).append(token)
    return tokens


def _repaired(token: str) -> str:
    """Return the token without the spaces, and with bars and underscores of one kind, that typography put in."""
    name = token.strip("<> \u3000").strip("|｜").strip(" \u3000")
    bar = "｜" if "｜" in token or "▁" in name else "|"
    if (bar == "|" and name.lower() not in _NAMES) or not _LOOSE.fullmatch(token):
        return ""
    if name.lower() in _LOWER:
        name = name.lower()
    if bar == "｜":
        name = (
            name.replace("_", "▁")
            if re.search(r"(?:of|calls?|outputs?)_|_(?:of|calls?|outputs?|begin|end)", name)
            else name
        )
    return f"<{bar}{name}{bar}>"


def _deepseek(document: Document, token: str) -> str:
    """Return DeepSeek's token for its ASCII form, in a file that is about such a model."""
    if "｜" in token or not ("｜" in document.text or "deepseek" in document.text.lower()):
        return ""
    return _DEEPSEEK.get(token[2:-2].replace("_", "▁"), "")


def _look(token: str) -> str:
    return re.sub(r"[\s\u3000_▁]", "", token.replace("｜", "|")).lower()


def _by_look(vocabulary: Vocabulary) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for token in vocabulary.controls():
        found.setdefault(_look(token), []).append(token)
    return found
