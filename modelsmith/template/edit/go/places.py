"""Candidates for an injection into a template of the messages style, from traced renderings.

The node that printed the end of the prompt marks the place. From it come candidates: right behind it, behind what encloses
it, in the else of a block for ``think: false`` that follows, with no condition or with the loop's own; at last a small loop
of its own that looks who spoke last. Each is only an offer: the proof decides.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.source import Edit
from modelsmith.syntax.gotemplate.nodes import If, Range
from modelsmith.template.edit.addition import Addition, code, expression, role_is
from modelsmith.template.edit.go.scope import is_blank, offset_after, offset_before_tag, paths, scope_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.syntax.gotemplate.nodes import ListItem
    from modelsmith.syntax.gotemplate.tree import Tree
    from modelsmith.template.edit.addition import Conjunction
    from modelsmith.template.edit.go.scope import EditScope, Path

_INDEX_NAMES = ("$i", "$index", "$n")
_VARIABLE = regex(r"\$\w*")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Edits that may do; ``natural`` when they stand where the generation prompt is, not in a loop of their own."""

    edits: tuple[Edit, ...]
    natural: bool

    @property
    def size(self) -> tuple[int, int]:
        """How much a reader has to read: the shortest edit is the best."""
        return sum(len(edit.text) for edit in self.edits), len(self.edits)


def chat_candidates(tree: Tree, tails: Iterable[ListItem], addition: Addition, roles: Conjunction) -> list[Candidate]:
    """Return the candidates, the shortest first; ``tails`` are the nodes that ended the prompts of open turns."""
    known = paths(tree)
    ends = {id(node): known[id(node)] for node in tails}
    offers = _Offers(tree, addition, roles)
    found = list(offers.single(list(ends.values())))
    if len(ends) > 1:
        found += offers.each(list(ends.values()))
    found += offers.at_the_end()
    return sorted(dict.fromkeys(found), key=lambda offer: offer.size)


@dataclass(frozen=True, slots=True)
class _Offers:
    tree: Tree
    addition: Addition
    roles: Conjunction

    def single(self, ends: list[Path]) -> Iterator[Candidate]:
        """Offer one place for all: behind the last of the nodes that hold an end, from the innermost body outwards."""
        shared = 0
        while all(len(path) > shared for path in ends) and len({id(path[shared].body) for path in ends}) == 1:
            shared += 1
        for depth in range(shared - 1, -1, -1):
            last = max((path for path in ends), key=lambda path: path[depth].index)[: depth + 1]
            yield from self._behind(last)
            yield from self._else_behind(last)

    def each(self, ends: list[Path]) -> Iterator[Candidate]:
        """Offer a place behind every end, with the same kind of condition at each."""
        ladders = [list(self._conditions(path)) for path in ends]
        for level in range(min(len(ladder) for ladder in ladders)):
            edits = [self._insert(path, ladder[level]) for path, ladder in zip(ends, ladders, strict=True)]
            yield Candidate(tuple(sorted(edits, key=lambda edit: edit.span)), natural=True)

    def at_the_end(self) -> Iterator[Candidate]:
        """Offer the end of the template."""
        offset = offset_before_tag(self.tree.text, self.tree.root)
        for text in self._loops(""):
            yield Candidate((Edit.insert(offset, text),), natural=False)

    def _behind(self, path: Path) -> Iterator[Candidate]:
        for conditions in self._conditions(path):
            yield Candidate((self._insert(path, conditions),), natural=True)
        scope = scope_at(self.tree, path)
        if scope.loop is None:
            offset = offset_after(self.tree.text, path[-1].node)
            for text in self._loops("" if scope.dot == "root" else "$"):
                yield Candidate((Edit.insert(offset, text),), natural=False)
        elif not scope.index:
            yield from self._numbered(path, scope, scope.loop)

    def _conditions(self, path: Path) -> Iterator[Conjunction]:
        """Yield what can be asked at a place: nothing, who speaks, whether it is the loop's last turn, both."""
        scope = scope_at(self.tree, path)
        yield ()
        if scope.loop is None:
            return
        role = self._role(scope)
        yield (role,)
        if scope.index:
            last = scope.last or f"eq (len (slice $.Messages {scope.index})) 1"
            yield (last,)
            yield (last, role)

    def _role(self, scope: EditScope) -> str:
        return role_is(self.roles, "" if scope.dot == "message" else scope.message)

    def _insert(self, path: Path, conditions: Conjunction) -> Edit:
        root = "" if scope_at(self.tree, path).dot == "root" else "$"
        return Edit.insert(offset_after(self.tree.text, path[-1].node), code(self.addition, conditions, root=root))

    def _numbered(self, path: Path, scope: EditScope, loop: Range) -> Iterator[Candidate]:
        """Offer to give a loop without an index one, so that it can tell its last turn."""
        name, edit = number_loop(self.tree.text, loop)
        last = f"eq (len (slice $.Messages {name})) 1"
        for conditions in ((last,), (last, self._role(scope))):
            yield Candidate((edit, self._insert(path, conditions)), natural=True)

    def _else_behind(self, path: Path) -> Iterator[Candidate]:
        """Offer the else of a block for ``think: false`` that follows, where only other requests get the text."""
        if self.addition.off or self.addition.unset != self.addition.on:
            return
        *_, step = path
        following = [node for node in step.body.nodes[step.index + 1 :] if not is_blank(node)]
        block = following[0] if following else None
        if not isinstance(block, If) or block.otherwise or not _asks_for_silence(self.tree.text, block):
            return
        offset = offset_before_tag(self.tree.text, block.body)
        for conditions in self._conditions(path):
            word = f"else if {expression(conditions)}" if conditions else "else"
            text = f"{{{{ {word} }}}}" + code(Addition(*[self.addition.on] * 3))
            yield Candidate((Edit.insert(offset, text),), natural=True)

    def _loops(self, root: str) -> Iterator[str]:
        """Yield code of its own that looks who spoke last; the second bears a request without messages."""
        turn = (role_is(self.roles), "eq (len (slice $.Messages $i)) 1")
        loop = f"{{{{ range $i, $_ := {root}.Messages }}}}{code(self.addition, turn)}{{{{ end }}}}"
        yield loop
        yield f"{{{{ if {root}.Messages }}}}{loop}{{{{ end }}}}"


def number_loop(text: str, loop: Range) -> tuple[str, Edit]:
    """Return a variable for the index of a loop that has none, and the edit that declares it."""
    taken = {*_VARIABLE.findall(loop.span.of(text))}
    names = itertools.chain(_INDEX_NAMES, (f"$n{number}" for number in itertools.count()))
    name = next(name for name in names if name not in taken)
    declare = f"{name}, " if loop.pipeline.declared else f"{name}, $_ := "
    return name, Edit.insert(loop.pipeline.start, declare)


def _asks_for_silence(text: str, block: If) -> bool:
    source = "".join(text[block.pipeline.start : block.pipeline.end].replace("$", "").split())
    return source in {"and.IsThinkSet(not.Think)", "and(.IsThinkSet)(not.Think)"}
