"""What the fields, functions and keywords of Ollama's Go templates are.

Source: Ollama ``template/template.go``; Go ``text/template/doc.go``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT_DOCS: Mapping[str, str] = MappingProxyType(
    {
        "Messages": "The messages of the conversation. A template that names them is rendered once, for all of them; one "
        "that does not is rendered once a turn, with `.System`, `.Prompt` and `.Response`.",
        "System": "The system message. Where the template names `.Messages`, all system messages joined by empty lines.",
        "Prompt": "What the user says in this turn; only for templates without `.Messages`, and for `/api/generate`.",
        "Response": "What the assistant said in this turn; only for templates without `.Messages`. The prompt ends before "
        "it in the last turn. A template that names neither this nor `.Messages` gets it at its end.",
        "Suffix": "The text behind the gap that the model shall fill. A template that names it can insert.",
        "Tools": "The tools that the request offers. A template that names them makes the model one with tools.",
        "Think": "Whether the request asks for thinking (since 0.9.0). False too where it does not say: see `.IsThinkSet`.",
        "ThinkLevel": "The level of thinking, `low`, `medium`, `high` or `max`, where one is asked for (since 0.11.0).",
        "IsThinkSet": "Whether the request says anything of thinking (since 0.9.0).",
    }
)
"""Fields of the data that a template is run with."""

FIELD_DOCS: Mapping[str, str] = MappingProxyType(
    {
        "Role": "Who speaks: `system`, `user`, `assistant` or `tool`.",
        "Content": "What is said. Messages of one role that follow each other are one message.",
        "Thinking": "The reasoning of an earlier answer. A template that prints it between tags tells Ollama those tags.",
        "Images": "The images of the message, as bytes; the text has its place marks already.",
        "ToolCalls": "The tools that the assistant called.",
        "ToolName": "The tool whose result this message is.",
        "ToolCallID": "Which call the message answers.",
        "Function": "The function of a tool or of a call.",
        "Name": "The function's name.",
        "Description": "What it is for.",
        "Parameters": "The arguments that the function takes, as JSON Schema.",
        "Arguments": "The arguments of the call; `json` prints them as JSON.",
        "Index": "Which call of the message it is, from 0.",
        "ID": "The call's id.",
        "Type": "The type; of a tool `function`, of parameters `object`.",
        "Properties": "The parameters by name.",
        "Required": "The names of parameters that must be there.",
        "Enum": "The values that are allowed.",
        "AnyOf": "The types that are allowed.",
        "Items": "What the items of a list are.",
        "Defs": "Definitions that the schema refers to.",
    }
)
"""Fields of messages, tools and calls."""

FUNCTION_DOCS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "and": ("and x y …", "The first argument that is empty, else the last one."),
        "or": ("or x y …", "The first argument that is not empty, else the last one."),
        "not": ("not x", "Whether it is empty: false, 0, nil, or a text, list or map of length 0."),
        "eq": ("eq x y …", "Whether the first equals one of the others."),
        "ne": ("ne x y", "Whether they differ."),
        "lt": ("lt x y", "Whether the first is less."),
        "le": ("le x y", "Whether the first is less or equal."),
        "gt": ("gt x y", "Whether the first is greater."),
        "ge": ("ge x y", "Whether the first is greater or equal."),
        "len": ("len x", "The length of a text (in bytes), list or map."),
        "index": ("index x 1 …", "An element of a list, or the value of a map's key."),
        "slice": ("slice x 1 2", "A part of a list or text: `slice .Messages 1` is all but the first."),
        "print": ("print x …", "The arguments as one text."),
        "printf": ('printf "%s" x …', "The arguments as the format says."),
        "println": ("println x …", "The arguments with blanks between them and a line break."),
        "html": ("html x", "The text with HTML's characters escaped."),
        "js": ("js x", "The text as part of a JavaScript string."),
        "urlquery": ("urlquery x", "The text as part of a URL's query."),
        "call": ("call f x …", "The result of a function value; Ollama's data holds none that works."),
        "json": ("json x", "The value as JSON. The way to print tools and arguments."),
        "currentDate": ("currentDate", "Today as `2006-01-02` (since 0.11.0)."),
        "yesterdayDate": ("yesterdayDate", "Yesterday as `2006-01-02` (since 0.13.3)."),
        "toTypeScriptType": (
            "toTypeScriptType x",
            "The type of a tool's property in TypeScript's words (since 0.11.3).",
        ),
    }
)
"""How a function is called, and what it gives."""

KEYWORD_DOCS: Mapping[str, str] = MappingProxyType(
    {
        "if": "Print what follows, up to `else` or `end`, where the value is not empty.",
        "else": "What is printed otherwise; `else if` and `else with` ask again.",
        "end": "The end of `if`, `with`, `range`, `define` or `block`.",
        "range": "Print what follows for each element; the dot is the element: `range .Messages`, or "
        "`range $i, $m := .Messages` with the number and the element.",
        "with": "Print what follows where the value is not empty; the dot is the value.",
        "define": "A template of its own, run by `template`.",
        "template": 'Run a template: `template "name" .` with the dot that it gets.',
        "block": "A definition and its call in one.",
        "break": "Leave the innermost `range`.",
        "continue": "Go on with the next element of the innermost `range`.",
        "nil": "No value.",
        "true": "True.",
        "false": "False.",
    }
)
"""The words of the language."""

DOT_DOC = "The dot: what the innermost `range` or `with` is at, else everything that the template is given; that is `$`, everywhere."
