"""The messages that a model starts with are not a conversation.

## What it does
Reports a MESSAGE history that ends with the user, and a MESSAGE by system beside SYSTEM.

## Why
The messages stand before each request's own. After a last MESSAGE by the user the request's follows as a second one by the user,
with no answer between them, which templates and models are not made for.

## Example
```modelfile
FROM llama3.2:3b
MESSAGE user Is Toronto in Canada?
```

## Use instead
```modelfile
FROM llama3.2:3b
MESSAGE user Is Toronto in Canada?
MESSAGE assistant yes
```

## Fix safety
There is no fix: the answer is the author's.

## Source
Ollama server/routes.go (ChatHandler puts the model's messages before the request's).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.rule import Finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.lint.document import Document


@rule(Severity.WARNING)
def check(document: Document) -> Iterator[Finding]:
    """Yield messages in an odd order."""
    messages = document.find("MESSAGE")
    if messages and messages[-1].name == "user" and messages[-1].name_span:
        message = "the last MESSAGE is by the user, and the request's own follows without an answer between them"
        yield Finding(messages[-1].name_span, message, "add the answer as MESSAGE assistant, or remove the question")
    systems = [instruction for instruction in messages if instruction.name == "system"]
    if systems and any(instruction.value for instruction in document.find("SYSTEM")) and systems[0].name_span:
        message = "the model gets two system prompts: this MESSAGE and SYSTEM"
        yield Finding(systems[0].name_span, message, "write both into SYSTEM", severity=Severity.INFO)
