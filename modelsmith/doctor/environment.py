"""``doctor env``: the OLLAMA_* variables of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.doctor.checks.setting import check_setting
from modelsmith.doctor.excerpt import Excerpt, Language
from modelsmith.doctor.ollama_variables import VARIABLES
from modelsmith.doctor.scene import Scene
from modelsmith.doctor.settings import Form, Owner, Setting
from modelsmith.source import Span
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.versions import Version


def environment_text(environ: Mapping[str, str]) -> str:
    """Return the variables that concern Ollama as ``NAME=value`` lines, by name; line ends in names and values become blanks."""
    rows = (
        f"{' '.join(name.splitlines())}={' '.join(value.split())}"
        for name, value in sorted(environ.items())
        if _concerns(name)
    )
    return "".join(f"{row}\n" for row in rows)


def _concerns(name: str) -> bool:
    return name.upper().startswith("OLLAMA_") or name in VARIABLES


def check_environment(environ: Mapping[str, str], version: str | Version | None = None) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the variables of an environment; spans are those of ``environment_text``.

    Names that Ollama never read are warnings: another program may read them.
    """
    text = environment_text(environ)
    scene = Scene(Excerpt.whole(text, Language.SETTINGS), text, resolve(version))
    found: list[Diagnostic] = []
    start = 0
    for line in text.splitlines():
        name, _, value = line.partition("=")
        span = Span(start, start + len(name))
        place = Span(span.end + 1, start + len(line))
        setting = Setting(name, span, value, place, Form.SESSION, Owner.UNKNOWN)
        found += check_setting(setting, scene)
        start += len(line) + 1
    return tuple(found)
