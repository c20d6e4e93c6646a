"""What a server's ``/api/show`` says about a model, read as exactly as the answer allows.

The answer is made for people: the Modelfile text in it is quoted without escapes, numbers are printed with Go's ``%v``
(``1e+06``), ``{{ .Prompt }}`` stands for "no template" too, and ``template`` is the Jinja text where the server would run
that. The other fields (``system``, ``messages``, ``parameters``) are exact, so they are used first, and what they
explain is cut out of the Modelfile text before the rest is parsed.
Sources: Ollama ``server/routes.go`` (GetModelInfo), ``server/images.go`` (Model.String), ``parser/parser.go`` (quote).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from modelsmith.manifest import Digest
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.store.foreign import read_parameters
from modelsmith.store.model import ServerSays
from modelsmith.syntax.modelfile.table import NOTED, HasNoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.fields import Fields
    from modelsmith.store.model import StoredModel

DEFAULT_TEMPLATE = "{{ .Prompt }}"  # what Ollama runs and shows for a model that has no template
_LISTS = {"stop"}
_ESCAPE = regex(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BLOB = regex(r"(?:^|[/\\])sha256-([0-9a-f]{64})$")


@dataclass(frozen=True, slots=True)
class Shown(HasNoted):
    """A model as ``/api/show`` describes it; ``files`` are the blobs it names: (instruction, path) in order.

    ``chat_template`` is None where the answer does not tell (it tells only when the server runs it natively).
    """

    template: str | None
    chat_template: str | None
    system: str
    parameters: Mapping[str, Any]
    messages: tuple[Mapping[str, Any], ...]
    licenses: tuple[str, ...]
    noted: Mapping[str, str]
    family: str
    format: str
    parent: str
    capabilities: frozenset[str]
    files: tuple[tuple[str, str], ...]
    remote_model: str
    remote_host: str
    said: ServerSays | None = None

    @property
    def weights_path(self) -> str:
        """Where the server keeps the weights; an empty text where it does not say."""
        return next((path for kind, path in self.files if kind == "model" and _BLOB.search(path)), "")

    @property
    def extra(self) -> tuple[str, ...]:
        """The kinds of weights beside the model itself: a second FROM is a projector."""
        kinds = ["projector" if kind == "model" else kind for kind, _ in self.files]
        main = next((number for number, (kind, _) in enumerate(self.files) if kind == "model"), len(kinds))
        return (*kinds[:main], *kinds[main + 1 :])

    @property
    def digests(self) -> tuple[tuple[str, Digest | None], ...]:
        """The blobs by digest instead of path."""
        return tuple((kind, digest_of_path(path)) for kind, path in self.files)


class Described(NamedTuple):
    """A model: what the server says, and what could be made of that."""

    shown: Shown
    model: StoredModel


def says(shown: Shown, model: StoredModel, version: str) -> ServerSays | None:
    """Return what a server says about how it runs a model: in words, or by the template that it shows for it.

    Of a model with two templates Ollama shows the one that runs since 0.30, long before it had words for it. Nothing follows from it
    where a renderer or parser of its own is at work.
    Source: Ollama ``server/routes.go`` (selectedModelTemplate).
    """
    found = shown.said
    if (
        (found and found.template_source)
        or model.renderer
        or model.parser
        or not (model.template and model.chat_template)
    ):
        return found and replace(found, version=version)
    source = "go_template" if shown.chat_template is None else "gguf_chat_template"
    return replace(found or ServerSays(), template_source=source, is_shown=True, version=version)


def digest_of_path(path: str) -> Digest | None:
    """Return the digest that the path of a blob names, written for whatever system the server runs on."""
    found = _BLOB.search(path)
    return Digest(found[1]) if found else None


def read_show(body: Fields) -> Shown:
    """Read the answer of ``/api/show``; raises the error of ``body`` where a field is of another type than it should be."""
    text, template = body.text("modelfile"), body.text("template")
    system, license_text = body.text("system"), body.text("license")
    details = body.object("details")
    messages = tuple({"role": item.text("role"), "content": item.text("content")} for item in body.objects("messages"))
    printed = tuple(_printed_parameters(body.text("parameters")))

    rest = _cut(text, f"TEMPLATE {_quoted(template)}")
    go_template, text = (None if rest == text else template), rest
    if system:
        text = _cut(text, f"SYSTEM {_quoted(system)}")
    for name, value in printed:
        text = _cut(text, f"PARAMETER {name} {_quoted(_unquoted(value) if value.startswith(chr(34)) else value)}")
    for message in messages:
        text = _cut(text, f"MESSAGE {message['role']} {_quoted(message['content'])}")
    one_license = _cut(text, f"LICENSE {_quoted(license_text)}") if license_text else text
    commands = _commands(one_license)
    last = dict(commands)
    if go_template is None and "template" in last and _survivors(last["template"]) == _survivors(template):
        go_template = template  # printed by an older server, which quotes otherwise
    shown_template = last.get("template") if go_template is None else go_template
    licenses = tuple(value for kind, value in commands if kind == "license")
    if one_license != text or "\n".join(licenses) != license_text:
        licenses = (license_text,) if license_text else ()
    return Shown(
        template=None if shown_template == DEFAULT_TEMPLATE else shown_template,
        chat_template=template if go_template is None and template else None,
        system=system,
        parameters=read_parameters(_typed(printed), "the parameters that the server shows"),
        messages=messages,
        licenses=licenses,
        noted={command: body.text(command) or last.get(command, "") for command in NOTED},
        family=details.text("family"),
        format=details.text("format"),
        parent=details.text("parent_model"),
        capabilities=frozenset(body.texts("capabilities")),
        files=tuple((kind, value) for kind, value in commands if kind in {"model", "adapter", "draft"}),
        remote_model=body.text("remote_model"),
        remote_host=body.text("remote_host"),
        said=_said(body),
    )


def _said(body: Fields) -> ServerSays | None:
    """Read what newer servers add about how they run a model; None where the answer has nothing of it.

    Source: Ollama's documentation of ``/api/show`` from 0.34.3 (``thinking``) and 0.40 (``template_source``) on, second hand: what
    is of another type than that says counts as absent, for it may be we who are wrong.
    """
    thinking = body.values.get("thinking")
    thinking = thinking if isinstance(thinking, dict) else {}
    values = thinking.get("values")
    words = tuple(_word(value) for value in values) if isinstance(values, list) else ()
    source = body.values.get("template_source")
    source = source if isinstance(source, str) else ""
    if not source and not words:
        return None
    default = _word(thinking.get("default"))
    return ServerSays(source, body.text("renderer"), body.text("parser"), tuple(filter(None, words)), default)


def _word(value: Any) -> str:
    """Return a value of ``think`` as a person writes it; empty for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 40 else ""


def _quoted(value: str) -> str:
    """Quote as Ollama's printer does."""
    if "\n" not in value and not value.startswith(" ") and not value.endswith(" "):
        return value
    return f'"""{value}"""' if '"' in value else f'"{value}"'


def _cut(text: str, line: str) -> str:
    """Return ``text`` without the last occurrence of ``line``, which may span several."""
    before, found, after = text.rpartition(f"\n{line}\n")
    return f"{before}\n{after}" if found else text


def _survivors(text: str) -> str:
    """Return what Ollama's parser leaves of a text."""
    return "".join(char for char in text.strip() if char.isprintable() or char in "\t\r\n")


def _commands(text: str) -> tuple[tuple[str, str], ...]:
    from modelsmith.syntax.modelfile.modelfile import Modelfile

    commands = Modelfile.parse(text).as_ollama().commands
    if commands is not None:
        return tuple((name, value) for name, value in commands)
    lines = re.findall(r"^(FROM|ADAPTER|DRAFT|RENDERER|PARSER) (.*)$", text, re.MULTILINE)
    return tuple(("model" if name == "FROM" else name.lower(), value) for name, value in lines)


def _printed_parameters(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        name, _, value = line.partition(" ")
        if name:
            yield name, value.strip()


def _typed(printed: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    values: dict[str, list[Any]] = {}
    for name, text in printed:
        values.setdefault(name, []).append(_value(text))
    lists = {name for name, items in values.items() if name in _LISTS or len(items) > 1}
    return {name: values[name] if name in lists else values[name][0] for name in sorted(values)}


def _value(text: str) -> Any:
    """Read one value printed with Go's ``%#v``: a quoted string, a bool, or a number (always a float64 on the server)."""
    if text.startswith('"'):
        return _unquoted(text)
    if text in {"true", "false"}:
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 1e21 else number


def _unquoted(text: str) -> str:
    """Undo Go's ``strconv.Quote``."""

    def char(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else _LETTERS.get(match[4], match[4])

    return _ESCAPE.sub(char, text[1:-1] if len(text) > 1 else text)
