"""What each instruction of a Modelfile does, for people who hover over it.

Source: Ollama ``parser/parser.go``, ``server/create.go``; what older versions do is in ``modelsmith.versions``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class InstructionDoc(NamedTuple):
    """How an instruction is written, and what it does; ``snippet`` is what completion inserts."""

    form: str
    text: str
    snippet: str


INSTRUCTION_DOCS: Mapping[str, InstructionDoc] = MappingProxyType(
    {
        "FROM": InstructionDoc(
            "FROM model[:tag] | file.gguf | folder",
            "What the model is built from. A path that exists is a file: a GGUF, or a folder of Safetensors; everything else "
            "is the name of a model, of which template, system prompt, parameters and licences are inherited.",
            "FROM ${1:llama3.2:3b}",
        ),
        "REQUIRES": InstructionDoc(
            "REQUIRES version",
            "The oldest Ollama that may run the model, such as `0.14.0`. Older ones refuse to pull and to run it.",
            "REQUIRES ${1:0.14.0}",
        ),
        "ADAPTER": InstructionDoc(
            "ADAPTER file.gguf | folder",
            "A LoRA adapter for the base model: a GGUF, or a folder of Safetensors. It must have been made for this base.",
            "ADAPTER ${1:./adapter.gguf}",
        ),
        "DRAFT": InstructionDoc(
            "DRAFT model | file.gguf",
            "A small model with the same vocabulary that drafts tokens for the large one to check. "
            "`PARAMETER draft_num_predict` says how many.",
            "DRAFT ${1:./draft.gguf}",
        ),
        "TEMPLATE": InstructionDoc(
            'TEMPLATE """…"""',
            "The Go template that makes the prompt of a conversation. Only the last one counts. There are no escapes: `\\n` is "
            "a backslash and an n. Where the model has a RENDERER, or Ollama runs the Jinja template in the GGUF, TEMPLATE is "
            "not used; `modelsmith explain` says which one runs.",
            'TEMPLATE """${1}"""',
        ),
        "SYSTEM": InstructionDoc(
            'SYSTEM """…"""',
            "The system message for requests that bring none. Only the last one counts. The template has to print it.",
            'SYSTEM """${1}"""',
        ),
        "RENDERER": InstructionDoc(
            "RENDERER name",
            "Code inside Ollama that builds the prompt instead of TEMPLATE.",
            "RENDERER ${1}",
        ),
        "PARSER": InstructionDoc(
            "PARSER name",
            "Code inside Ollama that reads the answer: tool calls, reasoning and content.",
            "PARSER ${1}",
        ),
        "PARAMETER": InstructionDoc(
            "PARAMETER name value",
            "A default for requests that do not set it. Of several lines for one name the last counts; those of `stop` add up.",
            "PARAMETER ${1}",
        ),
        "LICENSE": InstructionDoc(
            'LICENSE """…"""',
            "The text of a licence, not the name of a file. Several add up. The first one replaces those of the base model.",
            'LICENSE """${1}"""',
        ),
        "MESSAGE": InstructionDoc(
            "MESSAGE role text",
            "A turn of the conversation that the model starts with. The role is `system`, `user` or `assistant`, in small letters.",
            "MESSAGE ${1|user,assistant,system|} ${2}",
        ),
    }
)
"""By the keyword in capitals."""

ROLE_DOCS: Mapping[str, str] = MappingProxyType(
    {
        "system": "an instruction to the model",
        "user": "what the person says",
        "assistant": "what the model answers",
    }
)
"""The roles of MESSAGE."""
