"""The tokens that begin and end a text, as llama-server gives them to a Jinja template and takes them off its prompts.

Where the tokenizer puts a token there by itself, llama-server takes one off that the template has written, so that the model
does not see it twice.

Source: llama.cpp common/chat.cpp (``common_chat_templates_init``, ``common_chat_template_direct_apply_impl``).
"""

from __future__ import annotations

from typing import TypedDict


class TextEnds(TypedDict):
    """Texts of the two tokens, ``""`` where there is none, and whether the tokenizer puts each around every prompt."""

    bos_token: str
    eos_token: str
    add_bos: bool
    add_eos: bool


NO_ENDS = TextEnds(bos_token="", eos_token="", add_bos=False, add_eos=False)
"""Those of a template that stands alone."""
