"""Let Ollama know a template's thinking tags: it infers them from the texts around ``.Thinking`` in a range over ``.Messages``.

Without them Ollama neither splits the reasoning from the answer nor accepts ``think``. The block that is added shows the
reasoning of a message that the model shall go on with, and of no other: history stays as it was. Where no such place is
found, the block stands in code that never runs; Ollama reads it all the same.

Source: Ollama thinking/template.go (InferTags).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateSyntaxError
from modelsmith.memo import remembering
from modelsmith.source import Edit, apply_edits
from modelsmith.syntax.gotemplate.nodes import Field, If, Range
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.edit.addition import expression
from modelsmith.template.edit.go.places import number_loop
from modelsmith.template.edit.go.scope import is_messages, offset_before_tag, paths, scope_at
from modelsmith.template.edit.go.scope import offset_before as before_child
from modelsmith.template.edit.prove import Renderings, check_renders, prove, prove_same_reading
from modelsmith.template.outcomes import TooSlow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.template.conversation.think import Think
    from modelsmith.template.edit.go.scope import Path, Step
    from modelsmith.template.edit.prove import Expectation
    from modelsmith.template.go.template import Template

_CONTENT, _THOUGHT = "xq7zAnAnswerz7qx", "xq7zAThoughtz7qx"
_PROBE = Conversation.from_dict(
    {
        "messages": [
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": _CONTENT, "thinking": _THOUGHT},
        ]
    }
)


@remembering()
def declare_thinking(template: Template, opening: str = "<think>", closing: str = "</think>") -> Template:
    """Return the template from which Ollama infers these tags; the same one where it does so already.

    Only conversations that end with an assistant message with thinking may render differently: that thinking is shown
    between the tags. Raises InjectionError for a legacy template, for other tags that are declared already, and where no
    edit could be proven.
    """
    _check_tags(opening, closing)
    if template.thinking_tags == (opening, closing):
        return template
    if template.is_legacy:
        raise InjectionError(
            "the template is of the old style (.Prompt and .Response): Ollama infers no thinking tags from it",
            hint="use a template that ranges over .Messages, or set PARSER in the Modelfile, e.g. PARSER qwen3.5",
        )
    if all(template.thinking_tags):
        first, last = template.thinking_tags
        raise InjectionError(
            f"the template declares other thinking tags, {first} and {last}",
            hint="use these tags, or edit the template",
        )
    before = Renderings(template)
    check_renders(before)
    reason = "nothing in it ranges over the messages"
    for edit in _candidates(before, opening, closing):
        try:
            edited = type(template).parse(apply_edits(template.text, edit))
            if edited.thinking_tags != (opening, closing):
                continue
            prove_same_reading(template, edited, thinking_may_change=True)
            prove(before, Renderings(edited), _expectation(opening, closing))
        except TooSlow:
            raise
        except (InjectionError, TemplateSyntaxError) as error:
            reason = error.message
        else:
            return edited
    raise InjectionError(f"no place was found for a block that declares the thinking tags: {reason}")


def _check_tags(opening: str, closing: str) -> None:
    for tag in (opening, closing):
        if not tag or tag != tag.strip() or "{{" in tag:
            raise InjectionError(
                f"{tag!r} is no thinking tag", hint="a tag is a text without white space around it, e.g. <think>"
            )
    if opening == closing:
        raise InjectionError(
            f"{opening!r} opens and closes the reasoning: Ollama would take its first sight in an answer for both",
            hint="give two different tags, e.g. <think> and </think>",
        )


def _candidates(before: Renderings, opening: str, closing: str) -> Iterator[tuple[Edit, ...]]:
    tree = before.template.tree
    block = f"{opening}\n{{{{ .Thinking }}}}\n{closing}\n\n{{{{ end }}}}"
    for path in _places(before):
        scope = scope_at(tree, path)
        offset, loop = before_child(tree.text, path[-1]), scope.loop
        if scope.dot != "message" or loop is None:
            continue
        if scope.last or scope.index:
            last = scope.last or f"eq (len (slice $.Messages {scope.index})) 1"
            yield (Edit.insert(offset, f"{{{{ if {expression((last, '.Thinking'))} }}}}{block}"),)
        else:
            name, edit = number_loop(tree.text, loop)
            condition = expression((".Thinking", f"eq (len (slice $.Messages {name})) 1"))
            yield (edit, Edit.insert(offset, f"{{{{ if {condition} }}}}{block}"))
    never = f"{{{{ if false }}}}{opening}{{{{ .Thinking }}}}{closing}{{{{ end }}}}"
    for path in paths(tree).values():
        node = path[-1].node
        if isinstance(node, Range) and is_messages(node) and isinstance(node.pipeline.commands[0].operands[0], Field):
            yield (Edit.insert(offset_before_tag(tree.text, node.body), never),)
    loop_text = f"{{{{ range .Messages }}}}{opening}{{{{ .Thinking }}}}{closing}{{{{ end }}}}"
    yield (Edit.insert(offset_before_tag(tree.text, tree.root), f"{{{{ if false }}}}{loop_text}{{{{ end }}}}"),)


def _places(before: Renderings) -> Iterator[Path]:
    """Yield where a block could stand before the last answer: in the assistant's branch, else from the loop inwards."""
    template = before.template
    known = paths(template.tree)
    ends: list[Path] = []
    for think in THINKS:
        outcome = before(_PROBE, think)
        if outcome.error:
            continue
        if _THOUGHT in outcome.prompt:
            return
        for piece in template.trace(_PROBE, think):
            if _CONTENT in piece.text and known[id(piece.node)] not in ends:
                ends.append(known[id(piece.node)])
    for end in ends[:1]:
        depths = range(1, len(end))
        branch = [depth for depth in depths if _is_assistant_branch(template.text, end[depth])]
        for depth in (*branch, *(depth for depth in depths if depth not in branch)):
            yield end[: depth + 1]


def _is_assistant_branch(text: str, step: Step) -> bool:
    owner = step.owner
    if not isinstance(owner, If) or step.body is not owner.body:
        return False
    return '"assistant"' in text[owner.pipeline.start : owner.pipeline.end]


def _expectation(opening: str, closing: str) -> Expectation:
    def wrong(conversation: Conversation, _think: Think, before: str, after: str) -> str:
        if before == after:
            return ""
        messages = conversation.collated[1]
        if not messages or messages[-1].role != "assistant" or not messages[-1].thinking:
            return "only a conversation that ends with the assistant's thinking may change"
        block = f"{opening}\n{messages[-1].thinking}\n{closing}\n\n"
        place = after.find(block)
        while place >= 0:
            if after[:place] + after[place + len(block) :] == before:
                return ""
            place = after.find(block, place + 1)
        return "nothing but the block may be added"

    return wrong
