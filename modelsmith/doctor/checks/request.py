"""MSD06, MSD07, MSD08: requests to Ollama's API with paths, methods or fields that it does not have or ignores, values that it refuses.

Sources: Ollama ``server/routes.go``, ``api/types.go``, ``openai/openai.go``; see ``api_fields``. Unknown fields are no error
there: they are dropped. A value of another type is refused.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity, did_you_mean
from modelsmith.doctor.api_fields import (
    FIELDS,
    KNOWN_OPTIONS,
    METHODS,
    NATIVE,
    OPEN,
    OPENAI_ONLY,
    OPTION_NAMES,
    PATHS,
    SINCE,
)
from modelsmith.doctor.findings import finding
from modelsmith.doctor.scene import published_ports
from modelsmith.doctor.values import is_duration, is_placeholder
from modelsmith.parameters import PARAMETERS, ParameterKind
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene
    from modelsmith.doctor.shell import Word

_URL = re.compile(r"(?:https?://)?(?P<host>[^/\s?#]+)(?P<path>/[^?#\s]*)?", re.IGNORECASE)
_SINGLE = re.compile(r"\{\s*'[\w-]+'\s*:")
_QUOTING = 'write \'{"model": "…"}\'; cmd of Windows wants "{\\"model\\": …}"'
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "stream": ((bool,), "true or false"), "raw": ((bool,), "true or false"), "insecure": ((bool,), "true or false"),
    "options": ((dict,), "an object"), "messages": ((list,), "a list of messages"), "tools": ((list,), "a list"), "images": ((list,), "a list"),
    "model": ((str,), "a text"), "prompt": ((str,), "a text"), "system": ((str,), "a text"), "template": ((str,), "a text"),
    "think": ((bool, str), "true, false or a level"),
}  # fmt: skip
_OPTIONS: dict[ParameterKind, tuple[tuple[type, ...], str]] = {
    ParameterKind.INT: ((int, float), "a number"), ParameterKind.FLOAT: ((int, float), "a number"),
    ParameterKind.BOOL: ((bool,), "true or false"), ParameterKind.STRINGS: ((list,), "a list of texts"),
}  # fmt: skip
_DATA = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_VALUED = _DATA | frozenset(["-X", "--request", "-H", "--header", "-o", "--output", "-u", "--user", "-m", "--max-time", "-w", "--write-out", "-A", "-T", "-F", "--form", "--retry", "--connect-timeout", "-x", "--proxy"])  # fmt: skip


def check_request(words: Sequence[Word], scene: Scene) -> Iterator[Diagnostic]:
    """Yield what is wrong with the arguments of ``curl`` where it calls an Ollama."""
    method, body, url = "", None, None
    queue = list(words)
    while queue:
        word = queue.pop(0)
        name, _, joined = word.value.partition("=")
        if word.value.startswith("-X") and len(word.value) > 2:
            method = word.value[2:]
        elif name in _VALUED and name.startswith("--") and joined:
            method = joined if name == "--request" else method
        elif word.value in _VALUED or re.fullmatch(r"-[a-zA-Z]*[dXHou]", word.value):
            value = queue.pop(0) if queue else None
            if value is not None and (word.value in _DATA or word.value.endswith("d")):
                body = value
            elif value is not None and (word.value in {"--request"} or word.value.endswith("X")):
                method = value.value
        elif word.value in {"-I", "--head"}:
            method = "HEAD"
        elif not word.value.startswith("-") and url is None:
            url = word
    match = _URL.fullmatch(url.value) if url is not None else None
    if url is None or match is None or not _is_ollama(match["host"], scene):
        return
    path = (match["path"] or "/").rstrip("/") or "/"
    method = (method or ("POST" if body is not None else "GET")).upper()
    span = url.part(match.start("path"), match.end("path")) if match["path"] else url.span
    yield from check_url(path, method, span, scene)
    if body is not None and path in FIELDS and not body.value.startswith("@"):
        yield from _body(path, body, scene)


def _is_ollama(host: str, scene: Scene) -> bool:
    if re.search(r":11434$|\$\{?OLLAMA_(?:HOST|URL|BASE_URL|API)", host) or host in {"ollama", "ollama:11434"}:
        return True
    port = re.search(r":(\d+)$", host)
    return bool(port and port[1] in published_ports(scene.whole))


def check_url(path: str, method: str, span: Span, scene: Scene) -> Iterator[Diagnostic]:
    """Yield what is wrong with the path of a request and its method."""
    if re.search(r"[<{$*\[]", path) or any(path.startswith(start) for start in OPEN):
        return
    allowed = METHODS.get(path)
    if allowed is None:
        known = PATHS.get(path, "")
        close = [] if known else difflib.get_close_matches(path, METHODS, n=1, cutoff=0.88)
        if known or close:
            guess = f'; did you mean "{close[0]}"?' if close else ""
            yield finding("MSD07", f"Ollama has no {path}{guess}", span, known and f"meant: {known}")
    elif method not in allowed and scene.is_certain:
        need = " or ".join(sorted(allowed))
        yield finding(
            "MSD07",
            f"{path} answers {need}, not {method}",
            span,
            f"add -X {need}" if method != "GET" else "",
            Severity.ERROR,
        )


def _body(path: str, body: Word, scene: Scene) -> Iterator[Diagnostic]:
    text = scene.excerpt.text[body.span.start : body.span.end]
    try:
        fields: Any = json.loads(body.value)
    except (ValueError, RecursionError):
        if _SINGLE.match(body.value):
            yield finding("MSD07", "the body is no JSON: names and texts stand in double quotes", body.span, _QUOTING)
        return
    if not isinstance(fields, dict):
        return
    spans = {str(name): _place(text, body.span.start, str(name)) for name in fields}
    yield from check_fields(path, spans, scene)
    if path.startswith("/api/"):
        yield from wrong_types(fields, spans)
        if isinstance(options := fields.get("options"), dict):
            places = {str(name): _place(text, body.span.start, str(name)) for name in options}
            yield from check_options(places)
            yield from wrong_options(options, places)


def check_fields(path: str, fields: Mapping[str, Span], scene: Scene) -> Iterator[Diagnostic]:
    """Yield the fields of a body that a path does not read; each comes with its place."""
    for name, span in fields.items():
        if name not in FIELDS.get(path, fields):
            yield _unknown(path, name, span, scene)
        elif not scene.version.has(SINCE.get((path, name), "0.0.1")):
            yield finding("MSD07", f'"{name}" is read since Ollama {SINCE[path, name]}', span)


def check_options(options: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Yield the options that Ollama does not have; each comes with its place."""
    for name, span in options.items():
        if name not in KNOWN_OPTIONS:
            meant = OPTION_NAMES.get(name, "")
            guess = "" if meant else did_you_mean(name, KNOWN_OPTIONS)
            yield finding(
                "MSD07", f'options has no "{name}": it is ignored{guess}', span, meant and f'write "{meant}"'
            )  # fmt: skip


def wrong_types(fields: Mapping[str, Any], places: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Yield values of a body that Ollama refuses: of another type, no duration, no format."""
    for name, value in fields.items():
        if value is None or (isinstance(value, str) and is_placeholder(value)):
            continue
        wanted = _TYPES.get(name)
        if wanted is not None and not isinstance(value, wanted[0]):
            message = f'"{name}" is {wanted[1]}, and {json.dumps(value)[:40]} is refused'
            yield finding("MSD08", message, places[name], severity=Severity.ERROR)
        elif name == "keep_alive" and isinstance(value, str) and not is_duration(value):
            hint = 'write "30m", or a number of seconds'
            yield finding(
                "MSD08", f'"{value}" is no duration that Go reads, and is refused', places[name], hint, Severity.ERROR
            )
        elif name == "format" and isinstance(value, str) and value not in {"", "json"}:
            message = f'"{value}" is no format: Ollama takes "json" or a JSON schema'
            yield finding("MSD08", message, places[name], severity=Severity.ERROR)


def wrong_options(options: Mapping[str, Any], places: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Yield options of another type than Ollama takes: it refuses the request."""
    for name, value in options.items():
        parameter = PARAMETERS.get(name)
        if parameter is None or value is None or (isinstance(value, str) and is_placeholder(value)):
            continue
        types, wanted = _OPTIONS[parameter.kind]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            message = f'"{name}" is {wanted}, and {json.dumps(value)[:40]} is refused'
            yield finding("MSD08", message, places[name], severity=Severity.ERROR)


def _place(text: str, start: int, name: str) -> Span:
    match = re.search(rf'(?<![\w]){re.escape(name)}(?=\\?"\s*:)', text)
    return Span(start + match.start(), start + match.end()) if match else Span(start, start + len(text))


def _unknown(path: str, name: str, span: Span, scene: Scene) -> Diagnostic:
    if path == "/api/create" and name in {"modelfile", "path"} and scene.version.has("0.5.5"):
        return finding(
            "MSD06", f'/api/create takes no "{name}" since Ollama 0.5.5, and fails without "from" or "files"', span, NATIVE[name],
            Severity.WARNING,
        )  # fmt: skip
    if path.startswith("/v1/"):
        if name in OPENAI_ONLY:
            hint = 'write "max_tokens"' if name == "max_completion_tokens" else ""
            return finding(
                "MSD07", f'Ollama ignores "{name}" in {path}', span, hint, Severity.WARNING if hint else Severity.INFO
            )
        if name == "think":
            return finding(
                "MSD07", f'{path} ignores "think"', span, '"reasoning_effort": "none", "low", "medium" or "high"'
            )
        own = name == "options" or name in OPTION_NAMES or name in {"keep_alive", "truncate"}
        hint = "set it in a Modelfile (PARAMETER), or use /api/chat with options" if own else ""
        return finding("MSD07", f'{path} ignores "{name}"', span, hint)
    if name in OPTION_NAMES:
        return finding(
            "MSD07",
            f'{path} ignores "{name}" here: it belongs into options',
            span,
            f'write "options": {{"{OPTION_NAMES[name]}": …}}',
        )
    meant = NATIVE.get(name, "")
    guess = "" if meant else did_you_mean(name, FIELDS[path])
    return finding("MSD07", f'{path} has no "{name}": it is ignored{guess}', span, meant and f"meant: {meant}")
