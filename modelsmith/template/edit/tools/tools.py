"""Give a Go template an honest tool round trip: the tools in the system turn, the calls, their results.

Since 0.30 the Jinja template inside a GGUF replaces a Go template that has fewer capabilities. A Go template that really
handles tools wins, at no cost for the weights, and begun answers stay untouched. The edit is made for families whose tool
format is known (``tools_families.py``), at places found by rendering (``tools_places.py``), and returned only when proven
(``tools_proof.py``).

Source of the rules: Ollama server/images.go (shouldPreferChatTemplate) and tools/template.go (parseTag).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateRenderError, TemplateSyntaxError
from modelsmith.memo import remembering
from modelsmith.source import apply_edits
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.prove import Renderings
from modelsmith.template.edit.tools.candidates import tool_candidates
from modelsmith.template.edit.tools.families import FAMILIES
from modelsmith.template.edit.tools.places import find_places
from modelsmith.template.edit.tools.proof import check_tool_format, prove_tools
from modelsmith.template.effective.capabilities import chat_tool_round_trip, go_tool_round_trip

if TYPE_CHECKING:
    from modelsmith.template.edit.tools.families import Family
    from modelsmith.template.go.template import Template
    from modelsmith.template.jinja.template import ChatTemplate

_MARK = "\u25b8a question\u25c2"
_PROBE = Conversation.from_dict({"messages": [{"role": "user", "content": _MARK}]})


@remembering()
def add_tools(template: Template, chat_template: ChatTemplate | None = None) -> Template:
    """Return the template that shows tools, calls and results; the same one where it handles them already.

    Conversations without tools render as before, to the byte, and Ollama sees one capability more: ``tools``. With a
    ``chat_template`` that handles tools, the format is compared: each format token that it prints for a conversation with
    tools stands in the Go template's prompt too, in the same order; the words of the tool list and white space may differ.
    Without one, the family's own format is used; whether the model was trained on it is for the caller to know.
    Raises InjectionError for a family that is not known, a template without a place for tools, and a failed proof.
    """
    if go_tool_round_trip(template):
        return template
    if template.is_legacy:
        raise InjectionError(
            "the template is of the old style (.Prompt and .Response): Ollama shows it neither tools nor their results",
            hint="use a template that ranges over .Messages, or set PARSER in the Modelfile",
        )
    if {"tools", "toolcalls"} & set(template.variables):
        raise InjectionError(
            "the template handles tools in part: it has no whole round trip of .Tools, .ToolCalls and the role tool",
            hint="complete it by hand: what is there would be printed twice",
        )
    family = _family(template)
    before = Renderings(template)
    reason: InjectionError | None = None
    for edits in tool_candidates(find_places(template, family), family):
        try:
            edited = type(template).parse(apply_edits(template.text, edits))
            prove_tools(before, edited, family)
            if chat_template is not None and chat_tool_round_trip(chat_template):
                check_tool_format(edited, chat_template, family)
        except (TemplateSyntaxError, TemplateRenderError) as error:
            reason = reason or InjectionError(error.message, hint=error.hint)
        except InjectionError as error:
            reason = error
        else:
            return edited
    raise InjectionError(
        f"the template could not be given the tools of {family.name}: {reason or 'it has no place for their results'}",
        hint=(reason and reason.hint) or "add the tools by hand, and compare with `modelsmith render`",
    )


def _family(template: Template) -> Family:
    """Return the family by what stands before a user's text."""
    try:
        opening = template.render(_PROBE).partition(_MARK)[0]
    except TemplateRenderError as error:
        raise InjectionError(
            f"the template does not render a chat: {error.message}", hint="repair the template first"
        ) from error
    for family in FAMILIES:
        if opening.endswith(family.user) and not any(text in template.text for text in family.strangers):
            return family
    known = ", ".join(family.name for family in FAMILIES)
    raise InjectionError(
        f"the tool format of this template is not known: its user's turn opens with {opening[-30:]!r}",
        hint=f"known families: {known}. For others add the tools by hand, or set a PARSER",
    )
