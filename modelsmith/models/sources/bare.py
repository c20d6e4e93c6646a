"""A template alone, in a ``.gotmpl`` or a ``.jinja`` file, as the start of everything that looks at models."""

from __future__ import annotations

from pathlib import Path

from modelsmith.files.paths import anchored
from modelsmith.files.text import decoded, read_template_file
from modelsmith.models.base import Base, Inherited
from modelsmith.syntax.modelfile.modelfile import Modelfile

GO_SUFFIXES = frozenset({".gotmpl", ".tmpl"})
JINJA_SUFFIXES = frozenset({".jinja", ".jinja2", ".j2"})


def is_bare(spec: str, folder: Path) -> bool:
    """Say whether ``spec`` names a file that holds a template and nothing else."""
    path = Path(anchored(spec, folder))
    return path.suffix.lower() in GO_SUFFIXES | JINJA_SUFFIXES and (path.is_file() or not spec.startswith("sample:"))


def is_jinja(spec: str) -> bool:
    """Say whether a file is a Jinja template by its name."""
    return Path(spec).suffix.lower() in JINJA_SUFFIXES


def read_template(spec: str, folder: Path) -> str:
    """Return the text of a template file; raises UnreadableFile where it cannot be read, or is no text."""
    return decoded(read_template_file(Path(anchored(spec, folder))), spec)


def template_base(spec: str, folder: Path) -> Base:
    """Return a template file as a model that has nothing else."""
    text = read_template(spec, folder)
    inherited = Inherited(chat_template=text) if is_jinja(spec) else Inherited(template=text)
    return Base(spec, Modelfile.parse(""), Path(anchored(spec, folder)).parent, inherited)
