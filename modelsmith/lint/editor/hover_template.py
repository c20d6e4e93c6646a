"""What an editor shows of a place in a Go template: the word there, and the prompt that the template makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.lint.editor.answers import Hover
from modelsmith.lint.editor.prompt import prompt_of
from modelsmith.lint.editor.scope import follow, of_path, scope_at
from modelsmith.lint.editor.template_docs import DOT_DOC, FIELD_DOCS, FUNCTION_DOCS, KEYWORD_DOCS, ROOT_DOCS
from modelsmith.lint.templates.types import ROOT
from modelsmith.syntax.gotemplate.lexer import lex

if TYPE_CHECKING:
    from modelsmith.lint.document import EmbeddedTemplate
    from modelsmith.syntax.gotemplate.lexer import Lexeme
    from modelsmith.template.go.values.values import GoType

_SIGNS = frozenset(("OPEN", "CLOSE", "TEXT", "COMMENT", "PIPE", "LPAR", "RPAR", "CHAR", "DECLARE", "ASSIGN"))


def hover_template(template: EmbeddedTemplate, offset: int) -> Hover | None:
    """Return what is known of a place in a template."""
    token = _token(template.text, offset)
    start, end = (token.start, token.end) if token is not None and token.kind != "TEXT" else (offset, offset)
    text = ""
    if token is not None:
        text, start, end = _described(template.text, token, offset, start, end)
    prompt = prompt_of(template.template, offset) if template.template is not None else ""
    parts = [part for part in (text, prompt) if part]
    return Hover("\n\n".join(parts), template.span(start, end)) if parts else None


def _token(text: str, offset: int) -> Lexeme | None:
    """Return the token at an offset; between a word and a sign it is the word."""
    ending: Lexeme | None = None
    for token in lex(text):
        if token.start > offset or token.kind in ("EOF", "ERROR"):
            break
        if offset < token.end:
            return token if ending is None or token.kind not in _SIGNS else ending
        ending = token if token.end == offset and token.kind not in _SIGNS else None
    return ending


def _described(text: str, token: Lexeme, offset: int, start: int, end: int) -> tuple[str, int, int]:
    word = text[token.start : token.end]
    if token.kind == "IDENTIFIER" and word in FUNCTION_DOCS:
        form, doc = FUNCTION_DOCS[word]
        return f"`{form}`\n\n{doc}", start, end
    if word in KEYWORD_DOCS and token.kind not in ("STRING", "TEXT", "COMMENT"):
        return f"**{word}**: {KEYWORD_DOCS[word]}", start, end
    if token.kind == "DOT":
        scope = scope_at(text, token.start)
        return DOT_DOC + _typed(scope.dot if scope else None), start, end
    if token.kind in ("FIELD", "VARIABLE"):
        return _path(text, token, offset)
    return "", start, end


def _path(text: str, token: Lexeme, offset: int) -> tuple[str, int, int]:
    """Describe the part of ``$x.A.B`` that the offset is in."""
    word = text[token.start : token.end]
    dot = word.find(".", offset - token.start)
    stop = len(word) if dot < 0 else dot
    if dot == offset - token.start:  # on the dot that begins a field
        dot = word.find(".", dot + 1)
        stop = len(word) if dot < 0 else dot
    path = word[:stop]
    scope = scope_at(text, token.start)
    owner_path, _, name = path.rpartition(".")
    begin = token.start + len(owner_path)
    if not path.count("."):
        value = scope.variables.get(path) if scope else None
        doc = "what the template is run with" if path == "$" else "a variable"
        return f"`{path}`: {doc}{_typed(value)}", token.start, token.start + stop
    owner = None
    if scope is not None:
        owner = of_path(scope, owner_path) if owner_path else scope.dot
    return describe_field(owner, name), begin, token.start + stop


def describe_field(owner: GoType | None, name: str) -> str:
    """Return the documentation of a field of a value, "" where nothing is known of it."""
    doc = ROOT_DOCS.get(name) if owner is ROOT else FIELD_DOCS.get(name)
    if owner is None:
        doc = doc or ROOT_DOCS.get(name)
    if doc is None:
        return ""
    return f"`.{name}`{_typed(follow(owner, [name]))}\n\n{doc}"


def type_name(value: GoType) -> str:
    """Return the name of a type without the packages of Ollama."""
    return value.name.replace("template.template", "").replace("api.", "").replace("interface {}", "any")


def _typed(value: GoType | None) -> str:
    return f" ({type_name(value)})" if value is not None and value is not ROOT else ""
