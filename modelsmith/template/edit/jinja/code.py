"""The Jinja code that an injection adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.template.edit.addition import Addition

OFF = "enable_thinking is defined and enable_thinking is false"
"""The condition that a request says to do without thinking."""


def code_of(addition: Addition) -> str:
    """Return the code that prints the addition where the request says about thinking what it is for."""
    on, off = (f"{{{{ {literal(text)} }}}}" if text else "" for text in (addition.on, addition.off))
    if addition.on == addition.off:
        return on
    if not off:
        return f"{{% if not ({OFF}) %}}{on}{{% endif %}}"
    return f"{{% if {OFF} %}}{off}{f'{{% else %}}{on}' if on else ''}{{% endif %}}"


def literal(text: str) -> str:
    """Return the text as a Jinja string literal."""
    escaped = (
        text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f"'{escaped}'"
