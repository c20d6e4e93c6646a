"""Which rule reports which place at which Ollama would stop reading: each is somebody's, none is reported twice.

A value that goes on below its line makes many unreadable lines; they are one fault. Source: Ollama ``parser/parser.go``
(``ParseFile``), read at its release tags for what older versions know.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidParameter
from modelsmith.lint.facts.once_a_document import once_a_document
from modelsmith.lint.facts.thinking_names import is_thinking_name
from modelsmith.parameters import PARAMETERS, typed_parameters
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.nodes import Comment, Flaw, Instruction, Unreadable
from modelsmith.syntax.modelfile.table import DOCUMENTED, INSTRUCTIONS
from modelsmith.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.lint.document import Document
    from modelsmith.syntax.modelfile.nodes import Node

_TEXTS = frozenset({"SYSTEM", "TEMPLATE", "LICENSE", "MESSAGE"})
_WORD = regex(r"[A-Za-z]+")
_CLEAR_LEFTOVER = regex(
    r"(?:`{3,}|~{3,})[\w{}. -]*|'?EOF'?|<{7} .*|={7}|>{7} .*|failed to get console mode.*|@@ .* @@.*|PS [A-Z]:\\.*|\$ .*",
    re.IGNORECASE,
)
_COMMAND = regex(r"(?:sudo|ollama|docker|curl|wget|export|chmod|mkdir|pip3?)[ \t].*")
_SHELL = regex(r"(?:cd|cat|echo|python3?|git|set|setx)[ \t].*|---+|</?\w+>")
_PARAMETER = regex(r"([A-Za-z_]+)(?:[ \t]*[=:][ \t]*|[ \t]+)(\S+)[ \t]*")
_LONGEST_WORD = 12
_SHORTEST_UTF16 = 6
_SHORTEST_WORD = 3


@dataclass(frozen=True, slots=True)
class Blame:
    """A fault and the rule that reports it.

    ``block`` are all nodes that the fault takes along, ``node`` the first of them; ``opener`` is the instruction whose
    value goes on there (MS103).
    """

    code: str
    node: Instruction | Unreadable
    block: tuple[Node, ...]
    opener: Instruction | Unreadable | None = None


def blamed(document: Document, code: str) -> Iterator[Blame]:
    """Yield the faults that one rule has to report."""
    return (blame for blame in blames(document) if blame.code == code)


@once_a_document
def blames(document: Document) -> tuple[Blame, ...]:
    """Return every fault of a Modelfile with the rule that reports it."""
    if document.modelfile is None:
        return ()
    nodes = document.modelfile.nodes
    if is_utf16_without_mark(document.text):
        faulty = (node for node in nodes if not isinstance(node, Comment) and node.fault)
        return tuple(Blame("MS107", first, nodes) for first in islice(faulty, 1))
    return tuple(_blames(document, nodes))


@once_a_document
def lines_of_text(document: Document) -> frozenset[Node]:
    """Return the sound instructions that are lines of a text which goes on below its line ("From now on …")."""
    return frozenset(node for blame in blamed(document, "MS103") for node in blame.block if node is not blame.node)


def is_utf16_without_mark(text: str) -> bool:
    """Say whether every other character is NUL, as in UTF-16 that nothing marks as such."""
    start = text[:40]
    return (
        len(start) >= _SHORTEST_UTF16
        and start.strip("\0") != ""
        and "\0" * (len(start) // 2) in (start[::2], start[1::2])
    )


def _blames(document: Document, nodes: Sequence[Node]) -> Iterator[Blame]:
    opener: Instruction | None = None
    place = 0
    while place < len(nodes):
        node = nodes[place]
        if isinstance(node, Comment):
            place += 1
            continue
        code = _owner(document, node)
        if code is not None:
            size = 1
            if code:
                yield Blame(code, node, (node,))
            opener = node if isinstance(node, Instruction) and not code else None
        else:
            found = _junk(document, nodes, place, node, opener)
            yield found
            size, opener = len(found.block), None
        place += size


def _owner(document: Document, node: Instruction | Unreadable) -> str | None:
    """Return the rule for a node that speaks for itself, "" for a sound one, None for text of any kind."""
    if isinstance(node, Unreadable):
        return None
    if node.row and node.row.since and not document.target.has(node.row.since):
        return "MS507"
    match node.fault.flaw if node.fault else None:
        case None:
            return ""
        case Flaw.UNCLOSED_QUOTE:
            return "MS102"
        case Flaw.BROKEN_NAME:
            return "MS401" if node.keyword == "PARAMETER" and is_thinking_name(node.name) else "MS111"
        case Flaw.INVALID_ROLE:
            return "MS110" if node.name else "MS111"
        case Flaw.UNKNOWN_INSTRUCTION if _is_unchecked(document, node):
            return "MS119"
        case _:
            return "MS401" if is_thinking_name(node.keyword) and _is_shouted(document, node) else None


def _is_unchecked(document: Document, node: Instruction) -> bool:
    """Say whether a word is an instruction that is documented for versions after those that were read."""
    return is_documented(document, node) and document.target >= NEWEST


def is_documented(document: Document, node: Instruction) -> bool:
    """Say whether a word is an instruction that only the documentation of newer versions has."""
    return node.keyword in DOCUMENTED and _is_shouted(document, node)


def _junk(
    document: Document, nodes: Sequence[Node], place: int, node: Instruction | Unreadable, opener: Instruction | None
) -> Blame:
    """Blame text that is no instruction on what stands before it, or on itself."""
    first_line = document.text[node.span.start : node.span.end].splitlines()[0].strip(" \t")
    if _COMMAND.fullmatch(first_line) or _CLEAR_LEFTOVER.fullmatch(first_line):
        return Blame("MS114", node, (node,))
    word = _WORD.match(first_line)
    known = isinstance(node, Unreadable) and word is not None and word[0].upper() in {*INSTRUCTIONS, *DOCUMENTED}
    if known and word and isinstance(node, Unreadable):
        block = _run(document, nodes, place + 1) if word[0] == node.text.strip("\0 \t") else ()
        if block and word[0].upper() in _TEXTS:
            return Blame("MS103", node, (node, *block), node)
        if word[0].isupper() or opener is None:
            return Blame("MS111", node, (node,))
    is_word = isinstance(node, Instruction) and _is_shouted(document, node)
    if (
        opener
        and opener.keyword in _TEXTS
        and not _stands_alone(document, node)
        and not (is_word and opener.keyword == "LICENSE")
    ):
        block = _run(document, nodes, place)
        if block and (not opener.quote or _closes(document, block, opener.quote)):
            return Blame("MS103", node, block, opener)
    if isinstance(node, Instruction) and is_thinking_name(node.keyword):
        return Blame("MS401", node, (node,))
    if _SHELL.fullmatch(first_line):
        return Blame("MS114", node, (node,))
    block = _run(document, nodes, place)
    are_words = all(isinstance(line, Instruction) and _is_shouted(document, line) for line in block)
    if _stands_alone(document, node) or (document.target > NEWEST and are_words):
        return Blame("MS101", node, (node,))
    return Blame("MS101", node, block or (node,))


def _run(document: Document, nodes: Sequence[Node], place: int) -> tuple[Node, ...]:
    """Return the nodes from a place on that read like text: no sound instruction, nothing that speaks for itself."""
    end = last = place
    while end < len(nodes):
        node = nodes[end]
        if isinstance(node, Unreadable):
            if end > place and _stands_alone(document, node):
                break
            text = node.text.rstrip()
            word = _WORD.match(text)
            if (word and word[0].isupper() and word[0] in INSTRUCTIONS) or _CLEAR_LEFTOVER.fullmatch(text):
                break
        elif isinstance(node, Instruction):
            unknown = node.fault is not None and node.fault.flaw is Flaw.UNKNOWN_INSTRUCTION
            if unknown and _stands_alone(document, node) and end > place:
                break
            if not unknown and not node.keyword_span.of(document.text).istitle():
                break
        end += 1
        if _is_faulty(node):
            last = end
    return tuple(nodes[place:last])


def _stands_alone(document: Document, node: Instruction | Unreadable) -> bool:
    """Say whether an unknown word is surely meant as an instruction: in capitals, and close to one or with a block."""
    if bare_parameter(document.text[node.span.start : node.span.end]):
        return True
    if not isinstance(node, Instruction) or not _is_shouted(document, node):
        return False
    if is_documented(document, node):
        return True
    close = meant(node.keyword)
    # "FOR A PARTICULAR PURPOSE" is a line of a licence: a model's name has no blanks
    return bool(node.quote) or (close != "" and not (close == "FROM" and " " in node.value))


def bare_parameter(line: str) -> tuple[str, str] | None:
    """Return name and value where a line is a sound PARAMETER that lacks the word PARAMETER."""
    found = _PARAMETER.fullmatch(line)
    if found is None or found[1] not in PARAMETERS or PARAMETERS[found[1]].is_list:
        return None
    try:
        typed_parameters({found[1]: [found[2]]})
    except InvalidParameter:
        return None
    return found[1], found[2]


def _is_shouted(document: Document, node: Instruction) -> bool:
    return node.keyword_span.of(document.text).isupper()


@lru_cache(maxsize=1024)
def meant(word: str) -> str:
    """Return the instruction that a word is a misspelling or a part of, "" for none."""
    word = word.upper()
    if not _SHORTEST_WORD <= len(word) <= _LONGEST_WORD or word in INSTRUCTIONS:
        return ""
    for keyword in INSTRUCTIONS:
        if len(word) > _SHORTEST_WORD and (keyword.startswith(word) or word.startswith(keyword)):
            return keyword
    import difflib

    alike = [keyword for keyword in INSTRUCTIONS if abs(len(keyword) - len(word)) <= 1]
    close = difflib.get_close_matches(word, alike, n=1, cutoff=0.75)
    return close[0] if close else ""


def _closes(document: Document, block: Sequence[Node], quote: str) -> bool:
    """Say whether one of these lines ends with the quote that an earlier line had already closed."""
    text = document.text[block[0].span.start : block[-1].span.end]
    return any(line.rstrip().endswith(quote) for line in text.splitlines())


def _is_faulty(node: Node) -> bool:
    return not isinstance(node, Comment) and node.fault is not None
