"""How to make another template win than the one that runs, and what each way costs.

Source: Ollama server/images.go and server/create.go, and what a live Ollama 0.33 did with each of these.
"""

from __future__ import annotations

_ROUND_TRIP = (
    'let the TEMPLATE handle tools too (.Tools, .ToolCalls and `eq .Role "tool"`) and keep a .Thinking block with plain '
    "tags: then it offers as much as the Jinja template and wins; costs nothing, if it really renders the tools"
)
_SUFFIX = (
    "let the TEMPLATE offer one capability more, such as insert (.Suffix): it wins where it then offers as many; the model "
    "must be able to fill in the middle, or `insert` is an empty promise"
)
_PARSER_SPLITS = (
    "add `PARSER qwen3.5`: Ollama renders the TEMPLATE and splits thinking from content; thinking begins with a line "
    "break, tools are accepted even if the TEMPLATE ignores them, and think false is never split"
)
_PARSER_RAW = (
    "add `PARSER passthrough`: Ollama renders the TEMPLATE, but splits nothing: reasoning stays in the content"
)
_EDIT_JINJA = (
    "edit tokenizer.chat_template inside the GGUF instead, or remove it: works for every client of the file; the weights "
    "get a new digest"
)
_ENV_ON = "start the server with OLLAMA_GO_TEMPLATE=1: the TEMPLATE wins; changes every model of that server"
_ENV_OFF = "start the server with OLLAMA_GO_TEMPLATE=0: the Jinja template wins; changes every model of that server"
_ENV_UNSET = "start the server without OLLAMA_GO_TEMPLATE: Ollama chooses by capabilities again"
_DROP_TEMPLATE = (
    "create the model from its GGUF file without TEMPLATE: the Jinja template runs, unless Ollama knows it and adds one of "
    "its built-in templates"
)
_FROM_FILE = (
    'create the model from its GGUF file, not from the model: `RENDERER ""` cannot clear what FROM inherits, and a file '
    "inherits nothing (gemma4, laguna and nemotron_h set a renderer even then)"
)
_NO_PARSER = "create the model from its GGUF file without PARSER: Ollama then chooses by capabilities"
_ADD_TEMPLATE = "add a TEMPLATE that fits the model"
_BETTER_TEMPLATE = "add a TEMPLATE that offers as much as the Jinja template (tool round trip, .Thinking block)"
_ADD_JINJA = "put a Jinja template into the GGUF (tokenizer.chat_template); the weights get a new digest"
_UPGRADE = "use Ollama 0.30 or later, where the Jinja template in the GGUF can win"


def ways_past(source: str, has_go: bool, has_jinja: bool, *, native: bool, env: bool) -> tuple[str, ...]:
    """Return the ways to make another template win than that of ``source``; the most honest one first."""
    if source == "renderer":
        return (_FROM_FILE,)
    if source == "jinja":
        if env and has_go:
            return (_ENV_UNSET, _ENV_ON, _EDIT_JINJA)
        if not has_go:
            return (_BETTER_TEMPLATE, _EDIT_JINJA)
        return (_ROUND_TRIP, _EDIT_JINJA, _PARSER_SPLITS, _PARSER_RAW, _SUFFIX, _ENV_ON)
    if source == "default":
        return (_ENV_UNSET, _ADD_JINJA) if has_go else (_ADD_TEMPLATE, _ADD_JINJA)
    if not has_jinja:
        return ()
    if not native:
        return (_UPGRADE,)
    if source == "parser":
        return (_NO_PARSER,)
    if source == "go":
        return (_ENV_UNSET,) if env else (_DROP_TEMPLATE, _ENV_OFF)
    return ()
