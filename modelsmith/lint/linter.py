"""The function ``lint``: text in, diagnostics out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.lint.document import Document
from modelsmith.lint.run.engine import check
from modelsmith.lint.settings import Policy, Settings
from modelsmith.lint.surroundings import NOTHING
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.surroundings import Surroundings
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.versions import Version


def lint(
    data: str | bytes | Modelfile,
    *,
    name: str = "Modelfile",
    target: str | Version | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    policy: Policy | None = None,
    surroundings: Surroundings = NOTHING,
) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a Modelfile, or with a Go template where ``name`` ends in ``.gotmpl``.

    ``target`` is the Ollama it is for (None: the newest known); ``select`` and ``ignore`` are codes such as ``MS104`` or
    their beginnings. Spans count code points of the text. Only the text is looked at, unless ``surroundings`` tell more.
    Raises UsageError for a target that is no version.
    """
    settings = Settings(resolve(target), tuple(select), tuple(ignore), policy or Policy())
    content = data if isinstance(data, str | bytes) else bytes(data)
    return check(Document.parse(content, name, settings=settings, surroundings=surroundings))
