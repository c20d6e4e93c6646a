"""Where a template has to be told about tools: found by rendering marked texts and asking which nodes printed them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.syntax.gotemplate.nodes import Action, If, Range, Text
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.go.scope import is_messages, offset_after, offset_before, paths, scope_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.syntax.gotemplate.tree import Tree
    from modelsmith.template.edit.go.scope import Path, Step
    from modelsmith.template.edit.tools.families import Family
    from modelsmith.template.go.render import OutputPiece
    from modelsmith.template.go.template import Template

_SYSTEM, _ASKED, _ANSWER, _AGAIN, _RESULT = (
    f"\u25b8{word}\u25c2" for word in ("system", "asked", "answer", "again", "result")
)
_HINT = "add the tools by hand, or make Ollama use the template with a PARSER"


def _probe(*messages: tuple[str, str]) -> Conversation:
    return Conversation.from_dict({"messages": [{"role": role, "content": content} for role, content in messages]})


_SHORT = _probe(("user", _ASKED))
_CHAT = _probe(("system", _SYSTEM), ("user", _ASKED), ("assistant", _ANSWER), ("user", _AGAIN))
_TOOL = _probe(("user", _ASKED), ("assistant", _ANSWER), ("tool", _RESULT))


@dataclass(frozen=True, slots=True)
class Places:
    """Paths of nodes.

    ``loop`` leads to ``messages``, the range over the messages; ``user``, ``assistant`` and ``result`` print the contents of the roles (``result``
    None: tool messages are not shown), ``role`` the name of the role ``tool``, ``system`` the system text (None: not shown).
    ``answers`` are the texts that open an answer of the history, ``openings`` those of the generation prompt after a user,
    ``tool_openings`` after a tool; ``begins`` is what is printed before a user's text.
    """

    tree: Tree
    loop: Path
    messages: Range
    user: Path
    assistant: Path
    result: Path | None
    role: Path | None
    system: Path | None
    answers: tuple[Path, ...]
    openings: tuple[Path, ...]
    tool_openings: tuple[Path, ...]
    begins: tuple[Path, ...]

    def offset_before(self, path: Path) -> int:
        """Return the offset before a node: behind what prints before it, so that no trim marker loses its neighbour."""
        return offset_before(self.tree.text, path[-1])

    def offset_after(self, path: Path) -> int:
        """Return the offset behind a node."""
        return offset_after(self.tree.text, path[-1].node)

    def source(self, path: Path) -> str:
        """Return the pipeline of a node as it is written."""
        pipeline = getattr(path[-1].node, "pipeline", None)
        return self.tree.text[pipeline.start : pipeline.end].strip() if pipeline else ""


def find_places(template: Template, family: Family) -> Places:
    """Return the places of a template; raises InjectionError that says which one is missing."""
    tree = template.tree
    chat, tool = _Trace(template, _CHAT), _Trace(template, _TOOL)
    user, assistant = chat.only(_ASKED, "the user's text"), chat.only(_ANSWER, "the assistant's text")
    loop = next((user[: depth + 1] for depth, step in enumerate(user) if _is_loop(step)), None)
    messages = loop[-1].node if loop else None
    if (
        loop is None
        or not isinstance(messages, Range)
        or not all(_in(tree, messages, path) for path in (user, assistant))
    ):
        raise InjectionError("the template does not print all messages in one range over .Messages", hint=_HINT)
    system = chat.only(_SYSTEM, "the system text") if chat.shows(_SYSTEM) else None
    roles = [path for path in tool.paths(text="tool") if isinstance(path[-1].node, Action)]
    return Places(
        tree=tree,
        loop=loop,
        messages=messages,
        user=user,
        assistant=assistant,
        result=tool.only(_RESULT, "a tool's result") if tool.shows(_RESULT) else None,
        role=roles[0] if roles else None,
        system=system,
        answers=_texts(chat.between(_ASKED, _ANSWER), family.assistant),
        openings=_texts(chat.between(_AGAIN), family.assistant),
        tool_openings=_texts(tool.between(_RESULT if tool.shows(_RESULT) else _ANSWER), family.assistant),
        begins=tuple(_Trace(template, _SHORT).between("", _ASKED)),
    )


def _texts(found: Sequence[Path], marker: str) -> tuple[Path, ...]:
    """Return those that are texts with the marker, each once."""
    texts = {
        id(path[-1].node): path for path in found if isinstance(path[-1].node, Text) and marker in path[-1].node.value
    }
    return tuple(texts.values())


def _is_loop(step: Step) -> bool:
    return isinstance(step.node, Range) and is_messages(step.node)


def _in(tree: Tree, messages: Range, path: Path) -> bool:
    scope = scope_at(tree, path)
    return scope.loop is messages and scope.dot == "message"


class _Trace:
    """What was printed for a conversation, and by which nodes."""

    def __init__(self, template: Template, conversation: Conversation) -> None:
        try:
            self._pieces: tuple[OutputPiece, ...] = template.trace(conversation)
        except TemplateRenderError as error:
            raise InjectionError(
                f"the template does not render a chat: {error.message}", hint="repair the template first"
            ) from error
        self._known = paths(template.tree)

    def shows(self, mark: str) -> bool:
        return any(mark in piece.text for piece in self._pieces)

    def only(self, mark: str, what: str) -> Path:
        """Return the one node that printed the mark and nothing else."""
        found = [piece for piece in self._pieces if mark in piece.text]
        if len(found) == 1 and found[0].text == mark and id(found[0].node) in self._known:
            return self._known[id(found[0].node)]
        reason = f"prints {what} more than once" if len(found) > 1 else f"has no place of its own for {what}"
        raise InjectionError(f"the template {reason}", hint=_HINT)

    def paths(self, text: str) -> Iterator[Path]:
        """Yield the nodes that printed exactly this text."""
        yield from (
            self._known[id(piece.node)]
            for piece in self._pieces
            if piece.text == text and id(piece.node) in self._known
        )

    def between(self, start: str, end: str = "") -> list[Path]:
        """Return the nodes that printed something after the first mark and before the second; none means an end."""
        texts = [piece.text for piece in self._pieces]
        first = next((number + 1 for number, text in enumerate(texts) if start and start in text), 0)
        last = next((number for number, text in enumerate(texts) if end and end in text), len(texts))
        return [
            self._known[id(piece.node)]
            for piece in self._pieces[first:last]
            if piece.text and id(piece.node) in self._known
        ]


def enclosing_if(path: Path) -> If | None:
    """Return the ``if`` whose first branch holds the node directly."""
    step = path[-1]
    return step.owner if isinstance(step.owner, If) and step.body is step.owner.body else None
