"""What Ollama makes of the value of a variable that it cannot read.

Sources: Ollama ``envconfig/config.go`` (``Bool``, ``Uint``, ``KeepAlive``, ``LogLevel``, ``Host``, ``Var``); gin-contrib/cors ``config.go`` (``Validate``); Go ``time.ParseDuration``.
"""

from __future__ import annotations

import re

from modelsmith.doctor.ollama_variables import CACHE_TYPES, Variable, VariableKind
from modelsmith.gonumber import read_bool, read_int

_DURATION = re.compile(r"[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_PLACEHOLDER = re.compile(r"[$<>{}%*…]|\.\.\.|\b(?:your|xxx+|value|path|number|n)\b|[^\x00-\x7f]", re.IGNORECASE)
_SCHEMES = (
    "http://", "https://", "chrome-extension://", "safari-extension://", "moz-extension://", "ms-browser-extension://", "file://",
    "app://", "tauri://", "vscode-webview://", "vscode-file://",
)  # fmt: skip
_NEGATIVE = frozenset({"off", "no", "n", "none", "disable", "disabled", "never"})


def is_duration(text: str) -> bool:
    """Say whether Go's ``time.ParseDuration`` reads it."""
    return bool(_DURATION.fullmatch(text))


def is_placeholder(text: str) -> bool:
    """Say whether a value stands for another one: ``<n>``, ``$N``, ``...``."""
    return bool(_PLACEHOLDER.search(text))


def misread(variable: Variable, text: str) -> tuple[str, str] | None:
    """Return what happens instead and what to write, None where the value means what it says."""
    value = text.strip().strip("\"'")
    if not value or is_placeholder(value):
        return None
    match variable.kind:
        case VariableKind.UINT:
            return _number(variable, value)
        case VariableKind.BOOL:
            if read_bool(value) is None and value.lower() in _NEGATIVE:
                return "Ollama reads every word that is no truth value as true: this switches it on", "write 0 or false"
        case VariableKind.DURATION:
            if not is_duration(value) and read_int(value) is None:
                return (
                    f"is no duration that Go reads, so {variable.default} counts",
                    "write it like 90s, 30m, 24h, a number of seconds, or -1 for ever",
                )
        case VariableKind.LEVEL:
            if not read_bool(value) and not read_int(value) and value.lower() not in {"0", "false", "f"} | {"info"}:
                return (
                    "is neither a number nor a truth value, so the level stays INFO",
                    "write 1 for debug, 2 for trace",
                )
        case VariableKind.CACHE_TYPE:
            if value.lower() not in CACHE_TYPES:
                return "is no type that llama-server knows, so models fail to load", "write f16, q8_0 or q4_0"
        case VariableKind.HOST:
            return _host(value)
        case VariableKind.ORIGINS:
            return _origins(value)
        case VariableKind.TEXT:
            return None
    return None


def _number(variable: Variable, value: str) -> tuple[str, str] | None:
    if re.fullmatch(r"\+?\d{1,20}", value):
        return None
    default = {"0": "the built-in choice"}.get(variable.default, variable.default)
    return f"is no whole number, so {default} counts", "write digits only, such as 4"


def _host(value: str) -> tuple[str, str] | None:
    if odd := re.search(r"[,;\s]", value):
        return f'is no address: "{odd[0]}" is no part of one', "write ADDRESS:PORT, such as 127.0.0.1:11434"
    return _port(value)


def _origins(value: str) -> tuple[str, str] | None:
    wrong = next((item for item in value.split(",") if "*" not in item and not item.startswith(_SCHEMES)), None)
    if wrong is None:
        return None
    right = ",".join(
        item.strip() if "://" in item else f"http://{item.strip()}" for item in value.split(",") if item.strip()
    )
    return (
        f'"{wrong}" begins with no scheme such as http://, and the server does not start',
        f"write {right}, without blanks",
    )


def _port(value: str) -> tuple[str, str] | None:
    match = re.search(r":([^:/\]]+)/?$", value.partition("://")[2] or value)
    if match is None or value.count(":") > 2:
        return None
    port = read_int(match[1])
    if port is None or not 0 <= port <= 65535:
        return f'"{match[1]}" is no port, so 11434 counts', "write ADDRESS:PORT, such as 127.0.0.1:11434"
    return None
