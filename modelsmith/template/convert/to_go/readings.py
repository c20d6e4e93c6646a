"""What Ollama reads out of a Go template's text, made what llama-server finds in the Jinja template.

Ollama takes the texts around ``.Thinking`` in a range over ``.Messages`` for the tags around reasoning, and the first text in the
first ``if .ToolCalls`` for the beginning of a call. Where a template that prints the right prompts says something else there,
code that never runs says it: it prints nothing, and Ollama reads it all the same.

Sources: Ollama thinking/template.go (InferTags), tools/template.go (parseTag).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.go.template import Template
from modelsmith.template.go.tool_tag import tool_call_tag

if TYPE_CHECKING:
    from modelsmith.template.jinja.template import ChatTemplate

ANY_OBJECT = "{"
"""The tag of a template that names none: any JSON object is a call."""


def with_readings(template: Template, chat_template: ChatTemplate) -> Template:
    """Return the template from which Ollama infers the Jinja template's thinking tags and the beginning of its calls."""
    text = template.text
    tags = thinking_tags(chat_template)
    if all(tags) and template.thinking_tags != tags:
        opening, closing = tags
        loop = f"{{{{ range .Messages }}}}{opening}{{{{ .Thinking }}}}{closing}{{{{ end }}}}"
        text += f"{{{{ if false }}}}{loop}{{{{ end }}}}"  # the last one counts
    tag = call_tag(chat_template)
    if tag is not None and "toolcalls" in template.variables and not _begins(tool_call_tag(template.tree), tag):
        # the first one counts; the space parts a tag that is a brace from the braces behind it, and Ollama drops it
        text = f"{{{{ if and false .ToolCalls }}}}{tag} {{{{ end }}}}{text}"
    return template if text == template.text else Template.parse(text)


def thinking_tags(chat_template: ChatTemplate) -> tuple[str, str]:
    """Return the tags around reasoning as llama-server finds them; "" for none, and for what no Go template can declare."""
    found = chat_template.reasoning
    tags = found.opening.strip(), found.closing.strip()
    sayable = all(tags) and tags[0] != tags[1] and not any("{" in tag for tag in tags)
    return tags if sayable else ("", "")


def call_tag(chat_template: ChatTemplate) -> str | None:
    """Return what begins a call in an answer, as Ollama's tag; None where it has no JSON, which Ollama cannot read anyhow."""
    chat_format = chat_template.format()
    if "{" not in chat_format.calls and "[…]" not in chat_format.calls:
        return None
    marks = chat_format.analysis.calls
    found = next(filter(None, (marks.section[0], marks.call[0], marks.function[0])), "[" if marks.in_array else "")
    if chat_format.family:
        found = chat_format.calls.partition("NAME")[0].partition("…")[0]
    return found.partition("{")[0].strip() or ANY_OBJECT


def _begins(there: str, wanted: str) -> bool:
    """Say whether Ollama finds the call by the tag that is there too: it begins with the wanted one, white space aside."""
    if ANY_OBJECT in (there, wanted):
        return there == wanted
    return "".join(there.split()).startswith("".join(wanted.split()))
