"""What rules look at: one file, read once, with the templates in it at their places."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateSyntaxError
from modelsmith.lint.settings import Settings
from modelsmith.lint.surroundings import NOTHING, Surroundings
from modelsmith.records import dataclass
from modelsmith.source import Source, Span
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.text import BOM, Encoding, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.lint.surroundings import Model
    from modelsmith.syntax.gotemplate.nodes import Node
    from modelsmith.syntax.modelfile.nodes import Instruction
    from modelsmith.template.go.template import Template
    from modelsmith.versions import Version

TEMPLATE_ENDINGS = (".gotmpl", ".tmpl")
"""Names of files that hold a Go template alone."""


@dataclass(frozen=True)
class EmbeddedTemplate:
    """A Go template inside of a file. ``counts`` is False for a TEMPLATE that a later one replaces.

    ``places[i]`` is where character ``i`` of the template stands in the file, None where all are shifted by ``shift``.
    """

    text: str
    shift: int
    places: tuple[int, ...] | None
    instruction: Instruction | None
    counts: bool

    @cached_property
    def parsed(self) -> Template | TemplateSyntaxError:
        """The template, or why Ollama refuses it."""
        from modelsmith.template.go.template import Template

        try:
            return Template.parse(self.text)
        except TemplateSyntaxError as error:
            return error

    @property
    def template(self) -> Template | None:
        """The template where Ollama accepts it."""
        return None if isinstance(self.parsed, TemplateSyntaxError) else self.parsed

    @property
    def error(self) -> TemplateSyntaxError | None:
        """Why Ollama refuses it."""
        return self.parsed if isinstance(self.parsed, TemplateSyntaxError) else None

    def offset(self, offset: int) -> int:
        """Return where in the file a place in the template is."""
        if self.places is None:
            return offset + self.shift
        return self.places[min(offset, len(self.places) - 1)]

    def span(self, start: int, end: int) -> Span:
        """Return the place in the file of a part of the template."""
        return Span(self.offset(start), self.offset(end))

    def of(self, node: Node) -> Span:
        """Return the place in the file of a node of the template."""
        return self.span(node.start, node.end)


@dataclass(frozen=True)
class Document:
    """One file: a Modelfile, or a Go template alone (``modelfile`` is None then)."""

    source: Source
    encoding: Encoding
    modelfile: Modelfile | None
    settings: Settings = field(default_factory=Settings)
    surroundings: Surroundings = NOTHING

    @classmethod
    def parse(
        cls,
        data: str | bytes,
        name: str = "Modelfile",
        *,
        settings: Settings | None = None,
        surroundings: Surroundings = NOTHING,
    ) -> Document:
        """Read a file; never raises. Its name says whether it is a Modelfile or a template."""
        text, encoding = (data, Encoding()) if isinstance(data, str) else decode(bytes(data))
        is_template = name.endswith(TEMPLATE_ENDINGS)
        modelfile = None if is_template else Modelfile.from_text(text, encoding)
        return cls(Source(text, name), encoding, modelfile, settings or Settings(), surroundings)

    @property
    def text(self) -> str:
        """The whole text; spans of findings count its code points."""
        return self.source.text

    @property
    def target(self) -> Version:
        """The Ollama that the file is for."""
        return self.settings.target

    @property
    def model(self) -> Model | None:
        """The base model, where it is at hand."""
        return self.surroundings.model

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Every instruction that could be read; none for a template alone."""
        return self.modelfile.instructions if self.modelfile else ()

    def find(self, keyword: str, name: str | None = None) -> tuple[Instruction, ...]:
        """Return the sound instructions of one keyword (in capitals), and of one parameter's name where it is given."""
        found = self._sound.get(keyword, ())
        return found if name is None else tuple(instruction for instruction in found if instruction.name == name)

    @cached_property
    def _sound(self) -> Mapping[str, tuple[Instruction, ...]]:
        """The sound instructions by their keywords; rules ask for them all the time."""
        found: dict[str, list[Instruction]] = {}
        for instruction in self.instructions:
            if instruction.fault is None:
                found.setdefault(instruction.keyword, []).append(instruction)
        return {keyword: tuple(instructions) for keyword, instructions in found.items()}

    @cached_property
    def templates(self) -> tuple[EmbeddedTemplate, ...]:
        """Every Go template in the file, the one that counts last; an empty TEMPLATE is none."""
        if self.modelfile is None:
            start = len(BOM) if self.text.startswith(BOM) else 0
            return (EmbeddedTemplate(self.text[start:], start, None, None, counts=True),)
        found = self.find("TEMPLATE")
        return tuple(
            self._embedded(instruction, instruction is found[-1]) for instruction in found if instruction.value
        )

    @property
    def template(self) -> EmbeddedTemplate | None:
        """The template that counts: the last TEMPLATE, unless it is empty."""
        counting = [embedded for embedded in self.templates if embedded.counts]
        return counting[-1] if counting else None

    def _embedded(self, instruction: Instruction, counts: bool) -> EmbeddedTemplate:
        span = instruction.value_span
        raw = span.of(self.text)
        places = None if raw == instruction.value else self._places(span, len(instruction.value))
        return EmbeddedTemplate(instruction.value, span.start, places, instruction, counts)

    def _places(self, span: Span, length: int) -> tuple[int, ...]:
        """Map what Ollama reads of a value to where it stands: it drops some characters and merges broken ones."""
        masked = self.modelfile.characters.masked if self.modelfile else self.text
        kept = [place for place in range(span.start, span.end) if masked[place] not in "\0\1"]
        return (*kept[:length], *[span.end] * (length + 1 - len(kept[:length])))
