"""The one door of the page: a request as JSON text in, an answer as JSON text out; nothing raises.

A request is ``{"do": …}`` with what its kind needs. An answer has ``ok``; where that is false, ``error`` has a ``message`` and a ``hint``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.about import __version__
from modelsmith.errors import ModelsmithError, RenderingLimitReached, UsageError
from modelsmith.playground.given import Given
from modelsmith.template.allowance import Allowance, allow
from modelsmith.versions import FACTS, NEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECONDS: Mapping[str, float] = {"check": 3.0, "mend": 6.0, "prompt": 3.0, "runs": 10.0, "think": 20.0, "convert": 30.0}
"""How long the templates of one request may render."""


def answer(request: str) -> str:
    """Answer one request of the page."""
    try:
        asked = _asked(request)
        with allow(Allowance(seconds=SECONDS.get(asked["do"], 3.0))):
            found = {"ok": True, **_ANSWERS[asked["do"]](asked)}
    except RenderingLimitReached as error:
        found = _error(f"{error.message}: the page gives up here", "look for loops within loops in the template")
    except ModelsmithError as error:
        found = _error(error.message, error.hint)
    except json.JSONDecodeError as error:
        found = _error(f"the request is not JSON: {error}", "")
    except (RecursionError, MemoryError) as error:
        found = _error(f"the text is too deep or too large to be read here ({type(error).__name__})", "make it smaller")
    except Exception as error:  # noqa: BLE001  # a bug becomes an answer: the page must go on
        found = _error(f"unexpected {type(error).__name__}: {error}"[:500], "this is a bug in modelsmith")
    return json.dumps(found, ensure_ascii=False)


def _asked(request: str) -> dict[str, Any]:
    asked = json.loads(request)
    if not isinstance(asked, dict) or not isinstance(asked.get("do"), str) or asked["do"] not in _ANSWERS:
        raise UsageError("this is no request of the page", hint=f"one of {', '.join(_ANSWERS)}")
    return asked


def _error(message: str, hint: str) -> dict[str, Any]:
    return {"ok": False, "error": {"message": message, "hint": hint}}


def _about(_asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.examples import examples
    from modelsmith.playground.prompt import THINK_STATES, conversations

    steps = sorted({fact.since for fact in FACTS.values()} | {str(NEWEST)}, key=_as_numbers, reverse=True)
    return {
        "version": __version__,
        "ollama": ["0.8.0", *reversed(steps)][::-1],
        "thinks": list(THINK_STATES),
        "conversations": conversations(),
        "examples": examples(),
    }


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _check(asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.findings import check

    return check(Given.of(asked))


def _mend(asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.findings import mend

    return mend(Given.of(asked), unsafe=bool(asked.get("unsafe")))


def _prompt(asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.prompt import render

    talk = asked.get("talk")
    return render(Given.of(asked), talk if isinstance(talk, dict) else {}, str(asked.get("think", "unset")))


def _runs(asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.runs import runs

    return runs(Given.of(asked))


def _think(asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.force_think import force_think

    return force_think(Given.of(asked))


def _convert(asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.conversion import convert

    return convert(Given.of(asked))


def _header(asked: Mapping[str, Any]) -> dict[str, Any]:
    from modelsmith.playground.header import header

    return header(Path(str(asked.get("weights", ""))))


_ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "about": _about,
    "check": _check,
    "mend": _mend,
    "prompt": _prompt,
    "runs": _runs,
    "think": _think,
    "convert": _convert,
    "header": _header,
}
