"""What the doctor can say: its codes, each with a name, a usual severity and a line of explanation."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.source import Span


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table of codes."""

    code: str
    name: str
    severity: Severity
    meaning: str


_ROWS = (
    Code("MSD01", "fake-env", Severity.ERROR, "a variable that Ollama does not read, or not in this version"),
    Code("MSD02", "fake-flag", Severity.ERROR, "a command, flag or argument that Ollama does not take"),
    Code("MSD03", "env-misuse", Severity.WARNING, "a variable where it has no effect, or another one than meant"),
    Code("MSD04", "data-loss-run", Severity.WARNING, "a container whose models or chats are lost with it"),
    Code("MSD05", "shared-store", Severity.WARNING, "one folder of models that several servers write to"),
    Code("MSD06", "stale-howto", Severity.INFO, "advice that was right once"),
    Code("MSD07", "fake-field", Severity.WARNING, "a path or field of the API that does not exist or is ignored there"),
    Code("MSD08", "bad-value", Severity.WARNING, "a value that Ollama reads as something else, without a word"),
    Code("MSD09", "modelfile-detour", Severity.INFO, "a Modelfile that is written in a way that damages it"),
    Code("MSD10", "not-runnable", Severity.WARNING, "a line that no shell can run as it is written"),
    Code("MSD11", "damaged-token", Severity.WARNING, "a control token or escape that typography has damaged"),
    Code("MSD12", "third-party-image", Severity.INFO, "an image of Ollama from somebody else"),
)
CODES: Mapping[str, Code] = MappingProxyType({row.code: row for row in _ROWS})
"""Every code of the doctor."""


def finding(code: str, message: str, span: Span, hint: str = "", severity: Severity | None = None) -> Diagnostic:
    """Return a diagnostic with the usual severity of its code, unless another is given."""
    return Diagnostic(code, message, span, severity or CODES[code].severity, hint)
