"""A text of the model holds what looks like a key or a password.

## What it does
Looks for tokens of well-known services and for private keys in SYSTEM, TEMPLATE, MESSAGE and LICENSE.

## Why
These texts become layers of the model. Whoever pulls it reads them, and whoever chats with it can ask for them.

## Example
```modelfile
FROM llama3.2:3b
SYSTEM Call the service with the key ghp_q9Xb2Lm4Vt7Rk1Ws8Yc3Zd6Hf5Jg0NpAeUoi.
```

## Use instead
```modelfile
FROM llama3.2:3b
SYSTEM Call the service; the program adds the key.
```

## Fix safety
There is no fix. Revoke the key: it was written down.

## Source
The formats that the services document (GitHub, GitLab, Hugging Face, OpenAI, Anthropic, AWS, Google, Slack, PEM).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule
from modelsmith.patterns import regex
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


_SECRETS = {
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "an Anthropic key": r"\bsk-ant-[A-Za-z0-9_-]{30,}",
    "an OpenAI key": r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
}
_PATTERN = regex("|".join(f"(?P<k{number}>{text})" for number, text in enumerate(_SECRETS.values())))
_NAMES = tuple(_SECRETS)
_BEGINNINGS = (
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "hf_",
    "sk-",
    "AKIA",
    "ASIA",
    "AIza",
    "xox",
    "-----BEGIN",
)  # cheap to look for
_FEW = 8  # different characters; fewer are a placeholder


@rule(Severity.ERROR)
def check(document: Document) -> Iterator[Finding]:
    """Yield what has the form of a secret; placeholders of one repeated character do not."""
    for keyword in ("SYSTEM", "TEMPLATE", "MESSAGE", "LICENSE"):
        for instruction in document.find(keyword):
            raw = instruction.value_span.of(document.text)
            if not any(beginning in raw for beginning in _BEGINNINGS):
                continue
            for match in _PATTERN.finditer(raw):
                kind = _NAMES[int((match.lastgroup or "k0")[1:])]
                if len(set(match[0])) < _FEW or "EXAMPLE" in match[0].upper():
                    continue
                start = instruction.value_span.start + match.start()
                yield Finding(
                    Span(start, start + len(match[0])),
                    f"this looks like {kind}, and {keyword} becomes a layer that everybody can read who has the model",
                    "take it out and revoke it; programs get keys from their own surroundings",
                )
