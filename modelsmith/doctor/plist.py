"""Property lists of launchd: the variables and the command line of a service of macOS.

Source: launchd.plist(5) (``EnvironmentVariables``, ``ProgramArguments``). Read by its tags, as texts show fragments.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from modelsmith.doctor.checks.call import check_call
from modelsmith.doctor.checks.setting import check_setting
from modelsmith.doctor.findings import finding
from modelsmith.doctor.settings import Form, Owner, Setting
from modelsmith.doctor.shell import Word
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene

_TAG = re.compile(r"<(?P<tag>key|string|integer|real|true|false|array|dict|/array|/dict)\s*/?>(?P<text>[^<]*)")
_TEXTS = frozenset({"string", "integer", "real", "true", "false"})


def check_plist(scene: Scene) -> Iterator[Diagnostic]:
    """Yield what is wrong with a service that runs Ollama."""
    text = scene.excerpt.text
    words, values = list[Word](), list[tuple[re.Match[str], re.Match[str]]]()
    inside, name, depth = "", None, 0
    for match in _TAG.finditer(text):
        tag = match["tag"]
        depth += {"dict": 1, "array": 1, "/dict": -1, "/array": -1}.get(tag, 0)
        if tag == "key":
            name = match
            inside = match["text"].strip() if depth <= 1 else inside
        elif tag in _TEXTS and inside == "EnvironmentVariables" and name is not None:
            values.append((name, match))
        elif tag == "string" and inside == "ProgramArguments":
            words.append(Word(unescape(match["text"]), Span(*match.span("text"))))
    if not words or words[0].value.rpartition("/")[2] != "ollama":
        return
    yield from check_call(words[1:], scene)
    for key, match in values:
        value = unescape(match["text"]).strip() or match["tag"]
        span = Span(*match.span("text")) if match["text"].strip() else Span(*match.span())
        if match["tag"] != "string":
            message = f"launchd takes texts for variables: {key['text']} is dropped"
            yield finding("MSD10", message, span, f"write <string>{value}</string>")
        setting = Setting(key["text"], Span(*key.span("text")), value, span, Form.UNIT, Owner.OLLAMA)
        yield from check_setting(setting, scene)
