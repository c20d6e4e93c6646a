"""Whether the marks of the chat template are tokens of their own: of type NORMAL they are cut into pieces.

Source: llama.cpp ``src/llama-vocab.cpp`` (tokenizer_st_partition: only control, user-defined and unknown tokens are looked
for in a text before it is cut; some are taken for control tokens by their text).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.patterns import regex
from modelsmith.weights.gguf.file import CHAT_TEMPLATE
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.read.fault import Fault
from modelsmith.weights.gguf.types import ValueType
from modelsmith.weights.gguf.verify.needs import retyped

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.fault import Faults

_TYPES = "tokenizer.ggml.token_type"
_MARK = regex(r"<[|｜][^<>|｜\s]{1,40}[|｜]>|<(?:start|end)_of_turn>|\[/?[A-Z]{2,20}(?:_[A-Z]{1,20}){0,3}\]")
_NORMAL = 1
_MOST = 200


def check_special(gguf: GGUFFile, tokens: GGUFArray, faults: Faults) -> None:
    """Note the marks of the template that the vocabulary has as ordinary tokens."""
    template, kinds = gguf.metadata.get(CHAT_TEMPLATE), gguf.metadata.get(_TYPES)
    if not isinstance(template, str) or not isinstance(kinds, GGUFArray) or kinds.item_type != ValueType.INT32:
        return
    marks = list(dict.fromkeys(match[0] for match in _MARK.finditer(template)))[:_MOST]
    wanted = {mark.encode(): mark for mark in marks if mark not in retyped()}
    if not wanted or len(kinds) != len(tokens):
        return
    position = gguf.metadata.entry(_TYPES).value_at
    for number, raw in enumerate(tokens.raw_texts()):
        if raw in wanted and kinds[number] == _NORMAL:
            message = f"token {number} {wanted[raw]!r} is of type NORMAL: where the chat template writes it, it is cut into pieces"
            hint = f"make it a control token: modelsmith gguf set FILE '{_TYPES}[{number}]' 3"
            place = position + 4 * number
            faults.note(Fault("normal-special", message, place, "type 3, CONTROL", hint, Severity.WARNING))
