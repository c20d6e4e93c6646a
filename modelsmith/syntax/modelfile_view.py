"""A Modelfile as a value to look at: its text and bytes, its nodes, and what counts of them.

Source: Ollama ``parser/parser.go`` (``ParseFile``, ``CreateRequest``).
"""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from modelsmith.records import dataclass
from modelsmith.syntax.modelfile_nodes import Comment, Instruction, Node
from modelsmith.syntax.modelfile_parse import nodes_of
from modelsmith.syntax.modelfile_reading import OllamaReading, read_as_ollama
from modelsmith.syntax.modelfile_text import Characters, Encoding, decode, encode

if TYPE_CHECKING:
    from os import PathLike

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.syntax.request import ResolvedRequest
    from modelsmith.versions import Version


class Message(NamedTuple):
    """One turn of the conversation that a Modelfile starts with."""

    role: str
    content: str


@dataclass(frozen=True)
class ModelfileView:
    """The reading half of Modelfile; use that.

    ``text`` is the whole file, a byte order mark included; spans count its code points. ``nodes`` are its instructions,
    comments and unreadable lines in order.
    """

    text: str
    encoding: Encoding
    nodes: tuple[Node, ...] = field(repr=False, compare=False)
    characters: Characters = field(repr=False, compare=False)

    @classmethod
    def parse(cls, data: str | bytes) -> Self:
        """Read a Modelfile; never raises, see ``diagnostics`` for what could not be read."""
        text, encoding = (data, Encoding()) if isinstance(data, str) else decode(bytes(data))
        return cls.from_text(text, encoding)

    @classmethod
    def from_text(cls, text: str, encoding: Encoding) -> Self:
        """Read text that will be written in ``encoding``."""
        characters = Characters.of(text, encoding)
        return cls(text, encoding, nodes_of(text, characters), characters)

    def __str__(self) -> str:
        return self.text

    def __bytes__(self) -> bytes:
        return encode(self.text, self.encoding)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """Every instruction in order, those that Ollama refuses too (see ``Instruction.fault``)."""
        return tuple(node for node in self.nodes if isinstance(node, Instruction))

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        """Every comment in order."""
        return tuple(node for node in self.nodes if isinstance(node, Comment))

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What could not be read, one for each place at which Ollama would stop if it came so far."""
        from modelsmith.syntax.modelfile_diagnose import diagnose

        return tuple(diagnose(self.nodes))

    def as_ollama(self, version: str | Version | None = None) -> OllamaReading:
        """Return the commands that Ollama's parser makes of the file, or its error; None is the newest version known.

        Older versions know fewer instructions. Raises UsageError for a text that is no version.
        """
        if version is None:
            return read_as_ollama(self.characters.masked, self.nodes)
        from modelsmith.versions import resolve

        return read_as_ollama(self.characters.masked, self.nodes, resolve(version))

    def resolve(self, folder: str | PathLike[str]) -> ResolvedRequest:
        """Find the files that the Modelfile names, relative to ``folder``; raises ModelsmithError where Ollama refuses."""
        from modelsmith.syntax.request import resolve

        return resolve(self.as_ollama(), folder)

    def create_request(self, folder: str | PathLike[str]) -> dict[str, Any]:
        """Return the body of ``POST /api/create`` that ``ollama create`` would send, its files hashed.

        ``model`` and ``name`` are empty: the name of the new model is not in a Modelfile. Raises ModelsmithError where
        Ollama refuses.
        """
        return self.resolve(folder).to_body()

    def find(self, keyword: str, name: str | None = None) -> tuple[Instruction, ...]:
        """Return the instructions of one keyword (in capitals), and of one parameter's name where it is given."""
        return tuple(
            each for each in self.instructions if each.keyword == keyword and (name is None or each.name == name)
        )

    def _last(self, keyword: str) -> str | None:
        found = self.find(keyword)
        return found[-1].value if found else None

    @property
    def from_(self) -> str | None:
        """The last FROM: a model's name or a path."""
        return self._last("FROM")

    @property
    def adapter(self) -> str | None:
        """The ADAPTER that counts: the last."""
        return self._last("ADAPTER")

    @property
    def adapters(self) -> tuple[str, ...]:
        """The ADAPTER that counts, none or one."""
        return () if self.adapter is None else (self.adapter,)

    @property
    def draft(self) -> str | None:
        """The last DRAFT."""
        return self._last("DRAFT")

    @property
    def template(self) -> str | None:
        """The TEMPLATE that counts: the last. Ollama takes "" as not given."""
        return self._last("TEMPLATE")

    @property
    def system(self) -> str | None:
        """The SYSTEM that counts: the last. Ollama takes "" as not given."""
        return self._last("SYSTEM")

    @property
    def renderer(self) -> str | None:
        """The RENDERER that counts: the last."""
        return self._last("RENDERER")

    @property
    def parser(self) -> str | None:
        """The PARSER that counts: the last."""
        return self._last("PARSER")

    @property
    def requires(self) -> str | None:
        """The REQUIRES that counts: the last, as it is written."""
        return self._last("REQUIRES")

    @property
    def licenses(self) -> tuple[str, ...]:
        """Every LICENSE in order; all count."""
        return tuple(each.value for each in self.find("LICENSE"))

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every MESSAGE in order; all count."""
        return tuple(Message(each.name, each.value) for each in self.find("MESSAGE"))

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The texts of each PARAMETER that count: the last of a scalar, all of a list; deprecated ones are ignored."""
        from modelsmith.parameters import DEPRECATED, PARAMETERS

        values: dict[str, list[str]] = {}
        for each in self.find("PARAMETER"):
            row = PARAMETERS.get(each.name)
            if row and row.is_list:
                values.setdefault(each.name, []).append(each.value)
            elif each.name not in DEPRECATED:
                values[each.name] = [each.value]
        return values
