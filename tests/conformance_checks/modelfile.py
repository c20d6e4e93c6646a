"""Compare with the recorded answers of the real Ollama: pure functions that count, for tests and for a table.

Each returns how many rows agree, how many there are, and the differences (what was asked, the answer, ours).
"""

from __future__ import annotations

import base64
import json
import math
import os
import pwd
import re
import tempfile
from collections.abc import Callable
from typing import Any

from shared import conformance, corpus

from modelsmith.errors import ModelsmithError
from modelsmith.name import ModelName, parse_host, split_name
from modelsmith.parameters import typed_parameters
from modelsmith.syntax.modelfile.modelfile import Modelfile

Difference = tuple[Any, Any, Any]
Outcome = tuple[int, int, list[Difference]]
RECORDED_HOME = "/root"
"""The home of who recorded the answers; it stands in a few of them."""
_BELOW_CWD = re.compile(r"^stat /.*?/(?=\\)")
"""A path that starts with a backslash is below the working directory, wherever that was."""


def names() -> Outcome:
    """Names of models: parts, validity, long and short form, path, and the parts before defaults."""
    return _compare("names.jsonl.gz", lambda row: row["text"], _name)


def hosts() -> Outcome:
    """Values of OLLAMA_HOST."""
    return _compare("hosts.jsonl.gz", lambda row: row["text"], lambda text: {"url": parse_host(text)})


def params() -> Outcome:
    """PARAMETER texts: typed values as JSON writes them, or the error's text."""
    return _compare("params.jsonl.gz", lambda row: row["params"], _params)


def modelfiles() -> Outcome:
    """Modelfiles: commands or error with line and message, the create request or its refusal, Ollama's
    own print of it, and no byte lost."""
    with tempfile.TemporaryDirectory() as folder:
        real = os.path.realpath(folder)
        return _compare("modelfiles.jsonl.gz", _bytes, lambda data: _modelfile(data, real))


CHECKS: dict[str, Callable[[], Outcome]] = {
    "names.jsonl.gz": names,
    "hosts.jsonl.gz": hosts,
    "params.jsonl.gz": params,
    "modelfiles.jsonl.gz": modelfiles,
}


def _compare(
    file: str,
    question: Callable[[dict[str, Any]], Any],
    answer: Callable[[Any], Any],
) -> Outcome:
    total, differences = 0, []
    for row in conformance(file):
        total += 1
        asked = question(row)
        ours, theirs = _as_json(answer(asked)), _as_json(_anywhere(row["answer"]))
        if json.dumps(ours, sort_keys=True) != json.dumps(theirs, sort_keys=True):
            differences.append((asked, theirs, ours))
    return total - len(differences), total, differences


def _as_json(value: Any) -> Any:
    """Make whole numbers whole: JSON does not tell 1.0 from 1."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _anywhere(answer: dict[str, Any]) -> dict[str, Any]:
    if "request_error" not in answer:
        return answer
    return answer | {"request_error": _BELOW_CWD.sub("stat <cwd>/", answer["request_error"])}


def _name(text: str) -> dict[str, Any]:
    name = ModelName.parse(text)
    answer: dict[str, Any] = {
        "host": name.host,
        "namespace": name.namespace,
        "model": name.model,
        "tag": name.tag,
        "valid": name.is_valid,
        "fully": name.is_fully_qualified,
        "string": str(name),
        "short": name.short,
        "bare": list(split_name(text)[1:]),
    }
    return answer | ({"filepath": name.path} if name.is_valid else {})


def _params(texts: dict[str, list[str]]) -> dict[str, Any]:
    try:
        values = typed_parameters(texts)
    except ModelsmithError as error:
        return {"error": str(error)}
    if any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
        return {"accepted": "not representable in JSON (NaN or infinity)"}
    return {"params": values}


def _bytes(row: dict[str, Any]) -> bytes:
    return base64.b64decode(row["b64"]) if "b64" in row else corpus("modelfiles", row["corpus"]).read_bytes()


def _modelfile(data: bytes, folder: str) -> dict[str, Any]:
    modelfile = Modelfile.parse(data)
    if bytes(modelfile) != data:
        return {"lost": "bytes"}
    reading = modelfile.as_ollama()
    if reading.error is not None:
        located = {"line": reading.error.line, "msg": reading.error.message} if reading.error.line else {}
        return {"error": str(reading.error), **located}
    again = Modelfile.parse(reading.printed).as_ollama()
    answer: dict[str, Any] = {
        "commands": [command._asdict() for command in reading.commands or ()],
        "string": reading.printed,
        "string_survives": again.commands == reading.commands,
    }
    try:
        request = modelfile.create_request(folder)
    except ModelsmithError as error:
        return answer | {"request_error": _elsewhere(str(error), folder)}
    return answer | {"request": request}


def _elsewhere(text: str, folder: str) -> str:
    home = pwd.getpwuid(os.getuid()).pw_dir
    text = _BELOW_CWD.sub("stat <cwd>/", text)
    for ours, theirs in ((folder, "<dir>"), (home, RECORDED_HOME)):
        text = text.replace(f"stat {ours}/", f"stat {theirs}/")
    return text
