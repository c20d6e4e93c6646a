"""Modelfile: read without loss, edited by splices.

Sources: Ollama ``parser/parser.go``, ``api/types.go`` (``FormatParams``).
"""

from __future__ import annotations

import re
from dataclasses import field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from modelsmith.errors import InvalidParameter, ModelfileRefused, ModelsmithError, UnquotableValue
from modelsmith.records import dataclass
from modelsmith.source import Edit, apply_edits
from modelsmith.syntax.modelfile.arguments import ARGUMENTS, as_pairs, as_setting, as_text
from modelsmith.syntax.modelfile.nodes import Comment, Instruction, Node
from modelsmith.syntax.modelfile.parse import nodes_of
from modelsmith.syntax.modelfile.reading import OllamaReading, read_as_ollama
from modelsmith.syntax.modelfile.table import ROLES, required_version
from modelsmith.syntax.modelfile.text import Characters, Encoding, decode, encode, survives

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.syntax.modelfile.edit import Editor, Entry
    from modelsmith.syntax.modelfile.request import ResolvedRequest
    from modelsmith.versions import Version


Setting = str | int | float | bool


class Message(NamedTuple):
    """One turn of the conversation that a Modelfile starts with."""

    role: str
    content: str


@dataclass(frozen=True)
class Modelfile:
    """A Modelfile. Immutable: every edit returns a new one, in which only the bytes of the edit differ.

    ``str(modelfile)`` is the text and ``bytes(modelfile)`` the bytes it was given. After ``set_x`` exactly one x is left
    and it counts: the last one is rewritten in place, with its quotes where they can carry the value, and earlier ones,
    which Ollama ignored, are removed. ``unset_x`` removes all. Comments, layout and line ends stay as they are. A value
    that the Modelfile language cannot carry raises UnquotableValue; nothing is ever changed to make it fit. A value of another
    type than the annotations say raises TypeError, which names the argument.

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
        characters, nodes = _read(text, encoding)
        return cls(text, encoding, nodes, characters)

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
        from modelsmith.syntax.modelfile.diagnose import diagnose

        return tuple(diagnose(self.nodes))

    def as_ollama(self, version: str | Version | None = None) -> OllamaReading:
        """Return the commands that Ollama's parser makes of the file, or its error; None is the newest version known.

        Older versions know fewer instructions. Raises UsageError for a text that is no version.
        """
        if version is None:
            return read_as_ollama(self.characters.masked, self.nodes)
        from modelsmith.versions import resolve

        return read_as_ollama(self.characters.masked, self.nodes, resolve(version))

    def resolve(self, folder: str | PathLike[str], *, lenient: bool = False) -> ResolvedRequest:
        """Find the files that the Modelfile names, relative to ``folder``; raises ModelsmithError where Ollama refuses.

        ``lenient`` goes on where a file beside FROM is not there.
        """
        from modelsmith.syntax.modelfile.request import resolve

        return resolve(self.as_ollama(), folder, lenient=lenient)

    def create_request(self, folder: str | PathLike[str]) -> dict[str, Any]:
        """Return the body of ``POST /api/create`` that ``ollama create`` would send, its files hashed.

        ``model`` and ``name`` are empty: the name of the new model is not in a Modelfile. Raises ModelsmithError where
        Ollama refuses.
        """
        return self.resolve(folder).to_body()

    def find(self, keyword: str, name: str | None = None) -> tuple[Instruction, ...]:
        """Return the instructions of one keyword (in capitals), and of one parameter's name where it is given."""
        return tuple(
            instruction
            for instruction in self.instructions
            if instruction.keyword == keyword and (name is None or instruction.name == name)
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

    def text_of(self, keyword: str) -> str | None:
        """Return the value that counts of an instruction that is one text, by its keyword in capitals: the last."""
        return self._last(keyword)

    @property
    def licenses(self) -> tuple[str, ...]:
        """Every LICENSE in order; all count."""
        return tuple(instruction.value for instruction in self.find("LICENSE"))

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every MESSAGE in order; all count."""
        return tuple(Message(instruction.name, instruction.value) for instruction in self.find("MESSAGE"))

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The texts of each PARAMETER that count: the last of a scalar, all of a list; deprecated ones are ignored."""
        from modelsmith.parameters import DEPRECATED, PARAMETERS

        values: dict[str, list[str]] = {}
        for instruction in self.find("PARAMETER"):
            row = PARAMETERS.get(instruction.name)
            if row and row.is_list:
                values.setdefault(instruction.name, []).append(instruction.value)
            elif instruction.name not in DEPRECATED:
                values[instruction.name] = [instruction.value]
        return values

    def edit(self, edits: Iterable[Edit]) -> Self:
        """Return the Modelfile with all edits spliced in at once; offsets are those of ``str(self)``.

        Raises ModelfileRefused where a file that is no valid text would mean something else after the edit.
        """
        text = apply_edits(self.text, edits)
        if not survives(text, self.encoding) and survives(self.text, self.encoding):
            raise ModelfileRefused(
                f"the file is damaged {self.encoding.codec.upper()}: halves of characters would join in this edit",
                hint="save it as valid UTF-8 first",
            )
        return self.from_text(text, self.encoding)

    def set_from(self, model: str) -> Self:
        """Build from this model or path, and from nothing else."""
        return self._set("FROM", model)

    def set_text(self, keyword: str, value: str) -> Self:
        """Set an instruction that is one text, by its keyword in capitals."""
        return self._set(keyword, value)

    def set_template(self, text: str) -> Self:
        """Set the Go template."""
        return self._set("TEMPLATE", text)

    def unset_template(self) -> Self:
        """Remove every TEMPLATE; the base model's is inherited then."""
        return self._unset("TEMPLATE")

    def set_system(self, text: str) -> Self:
        """Set the system prompt."""
        return self._set("SYSTEM", text)

    def unset_system(self) -> Self:
        """Remove every SYSTEM; the base model's is inherited then."""
        return self._unset("SYSTEM")

    def set_adapter(self, path: str) -> Self:
        """Set the adapter."""
        return self._set("ADAPTER", path)

    def unset_adapter(self) -> Self:
        """Remove every ADAPTER."""
        return self._unset("ADAPTER")

    def set_draft(self, path: str) -> Self:
        """Set the draft model."""
        return self._set("DRAFT", path)

    def unset_draft(self) -> Self:
        """Remove every DRAFT."""
        return self._unset("DRAFT")

    def set_renderer(self, name: str) -> Self:
        """Set the built-in renderer."""
        return self._set("RENDERER", name)

    def unset_renderer(self) -> Self:
        """Remove every RENDERER; the base model's is inherited then."""
        return self._unset("RENDERER")

    def set_parser(self, name: str) -> Self:
        """Set the built-in parser."""
        return self._set("PARSER", name)

    def unset_parser(self) -> Self:
        """Remove every PARSER; the base model's is inherited then."""
        return self._unset("PARSER")

    def set_requires(self, version: str) -> Self:
        """Set the version of Ollama that the model needs."""
        if required_version(as_text(version, "version")) is None:
            raise ModelsmithError(f'"{version}" is not a version that REQUIRES accepts', hint="write it like 0.14.0")
        return self._set("REQUIRES", version)

    def unset_requires(self) -> Self:
        """Remove every REQUIRES."""
        return self._unset("REQUIRES")

    def set_parameter(self, name: str, *values: Setting) -> Self:
        """Set a parameter; a list such as ``stop`` takes any number of values, others one; none removes it.

        Raises InvalidParameter for a name or a value that Ollama refuses.
        """
        is_list, texts = _checked(name, values)
        found = self.find("PARAMETER", name)
        if not texts:
            return self._remove(found)
        if is_list:
            return self.edit(self._editor.set_all("PARAMETER", [(name, text) for text in texts], found))
        if len(texts) > 1:
            raise InvalidParameter(f'parameter "{name}" takes one value, not {len(texts)}', hint="give it one value")
        return self.edit(self._editor.set_last("PARAMETER", (name, texts[0]), found))

    def append_parameter(self, name: str, value: Setting) -> Self:
        """Add a value to a list such as ``stop``; raises InvalidParameter for a parameter with one value."""
        is_list, (text,) = _checked(name, (value,))
        if not is_list:
            raise InvalidParameter(f'parameter "{name}" has one value', hint="use set_parameter to replace it")
        return self._append("PARAMETER", (name, text), self.find("PARAMETER", name))

    def unset_parameter(self, name: str) -> Self:
        """Remove every line of a parameter; any name is fine, also one that Ollama refuses."""
        return self._remove(self.find("PARAMETER", as_text(name, "name")))

    def set_license(self, *texts: str) -> Self:
        """Make these the licenses, in this order; none removes all."""
        return self.edit(
            self._editor.set_all("LICENSE", [("", as_text(text, "texts")) for text in texts], self.find("LICENSE"))
        )

    def append_license(self, text: str) -> Self:
        """Add a license after the others."""
        return self._append("LICENSE", ("", as_text(text, "text")), self.find("LICENSE"))

    def unset_license(self) -> Self:
        """Remove every LICENSE."""
        return self._unset("LICENSE")

    def set_messages(self, messages: Iterable[tuple[str, str]]) -> Self:
        """Make these pairs of role and text the conversation that the model starts with."""
        entries = [_message(role, text) for role, text in as_pairs(messages)]
        return self.edit(self._editor.set_all("MESSAGE", entries, self.find("MESSAGE")))

    def append_message(self, role: str, text: str) -> Self:
        """Add a turn at the end of the conversation that the model starts with."""
        return self._append("MESSAGE", _message(role, text), self.find("MESSAGE"))

    def unset_messages(self) -> Self:
        """Remove every MESSAGE."""
        return self._unset("MESSAGE")

    @property
    def _editor(self) -> Editor:
        from modelsmith.syntax.modelfile.edit import Editor

        return Editor(self.characters.masked, self.instructions)

    def _set(self, keyword: str, value: str) -> Self:
        value = as_text(value, ARGUMENTS.get(keyword, "text"))
        return self.edit(self._editor.set_last(keyword, ("", value), self.find(keyword)))

    def _append(self, keyword: str, entry: Entry, found: tuple[Instruction, ...]) -> Self:
        return self.edit([self._editor.add(keyword, [entry], found)])

    def _unset(self, keyword: str) -> Self:
        return self._remove(self.find(keyword))

    def _remove(self, found: tuple[Instruction, ...]) -> Self:
        return self.edit(self._editor.set_all("", [], found)) if found else self


def _checked(name: str, values: Iterable[Setting]) -> tuple[bool, list[str]]:
    """Return whether the parameter is a list, and its values as they are written; raises InvalidParameter."""
    from modelsmith.parameters import DEPRECATED, PARAMETERS, typed_parameters

    name = as_text(name, "name")
    texts = [_written(as_setting(value, "value")) for value in values]
    if name in DEPRECATED:
        return False, texts
    if name not in PARAMETERS:
        typed_parameters({name: texts})
    for text in texts:
        typed_parameters({name: [text]})
    return PARAMETERS[name].is_list, texts


@lru_cache(maxsize=4)
def _read(text: str, encoding: Encoding) -> tuple[Characters, tuple[Node, ...]]:
    """Read a text; a command that looks at a file in several ways reads it once."""
    characters = Characters.of(text, encoding)
    return characters, nodes_of(text, characters)


def _written(value: Setting) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else re.sub(r"\.0$", "", repr(value))


def _message(role: str, text: str) -> Entry:
    if as_text(role, "role") not in ROLES:
        raise UnquotableValue(f'MESSAGE cannot be by "{role}"', hint=f"Ollama reads the roles {', '.join(ROLES)}")
    return role, as_text(text, "text")
