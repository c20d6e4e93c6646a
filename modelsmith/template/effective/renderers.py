"""The names that RENDERER and PARSER accept: since when, what they can do, and what ``think`` changes.

Source: Ollama model/renderers/renderer.go and model/parsers/parsers.go, each name looked up in every release tag.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Renderer:
    """Code inside Ollama that builds the prompt instead of TEMPLATE.

    ``opened`` and ``closed`` are what ends the prompt when thinking is on and off; ``default_on`` says which of the
    two a request gets that leaves ``think`` unset (the server itself turns unset into true for models that can think).
    """

    name: str
    since: str
    opened: str = ""
    closed: str = ""
    default_on: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parser:
    """Code inside Ollama that reads the answer: tool calls, reasoning, content.

    ``unset``, ``on`` and ``off`` say whether an answer that begins inside the reasoning block is split for that value
    of ``think``; where it is not, everything arrives as content.
    """

    name: str
    since: str
    tools: bool = False
    thinking: bool = False
    unset: bool = False
    on: bool = False
    off: bool = False
    note: str = ""

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities that a model gets from this parser alone."""
        return frozenset({"tools"} if self.tools else ()) | frozenset({"thinking"} if self.thinking else ())


_THINK, _CLOSED = "<think>\n", "<think>\n\n</think>\n\n"

RENDERERS: Mapping[str, Renderer] = MappingProxyType(
    {
        renderer.name: renderer
        for renderer in (
            Renderer("qwen3-coder", "0.12.0"),
            Renderer("qwen3-vl-instruct", "0.12.6", opened=_THINK),
            Renderer("qwen3-vl-thinking", "0.12.7", opened=_THINK, default_on=True),
            Renderer("cogito", "0.13.0", opened=_THINK, note="thinking also adds a system sentence"),
            Renderer("olmo3", "0.13.3"),
            Renderer(
                "olmo3-think", "0.13.3", opened="<think>", closed="<think>", default_on=True, note="always thinks"
            ),
            Renderer("olmo3.1", "0.13.4"),
            Renderer(
                "olmo3-32b-think", "0.13.4", opened="<think>", closed="<think>", default_on=True, note="always thinks"
            ),
            Renderer(
                "nemotron-3-nano", "0.13.4", _THINK, "<think></think>", True, "/think and /no_think in a text switch it"
            ),
            Renderer("deepseek3.1", "0.13.5", opened="<think>", closed="</think>"),
            Renderer("functiongemma", "0.13.5"),
            Renderer("glm-4.7", "0.14.3", opened="<think>", closed="</think>", default_on=True),
            Renderer("lfm2", "0.14.3"),
            Renderer("lfm2-thinking", "0.14.3"),
            Renderer("glm-ocr", "0.15.5", closed="<think></think>\n", default_on=True),
            Renderer("qwen3.5", "0.17.1", opened=_THINK, closed=_CLOSED, default_on=True),
            Renderer(
                "gemma4", "0.20.0", note="thinking is announced in the system turn; small or large is chosen by size"
            ),
            Renderer("gemma4-small", "0.21.0", note="thinking is announced in the system turn"),
            Renderer(
                "gemma4-large", "0.21.0", note="thinking is announced in the system turn; off ends in an empty block"
            ),
            Renderer("laguna", "0.22.0", opened="<think>", closed="</think>"),
            Renderer("cohere", "0.30.10", "<|START_THINKING|>", "<|START_THINKING|><|END_THINKING|>", True),
            Renderer("ornith", "0.30.11", opened=_THINK, closed=_CLOSED, default_on=True),
            Renderer("poolside-v1", "0.32.3", opened="<think>", closed="</think>"),
            Renderer("glimmer", "0.32.7", note="thinking is a strength in the system turn"),
            Renderer("nemotron-3.5-nano", "0.32.9", _THINK, "<think></think>", True),
            Renderer("qwen3.8", "0.32.12", opened=_THINK, closed=_CLOSED, default_on=True),
        )
    }
)

PARSERS: Mapping[str, Parser] = MappingProxyType(
    {
        parser.name: parser
        for parser in (
            Parser("passthrough", "0.12.0", note="nothing is split: reasoning stays in the content"),
            Parser("qwen3-coder", "0.12.0", tools=True),
            Parser("harmony", "0.12.1", tools=True, thinking=True, note="gpt-oss's own format"),
            Parser("qwen3-vl-instruct", "0.12.6", tools=True),
            Parser("qwen3-vl-thinking", "0.12.7", True, True, True, True, True, "splits even when think is false"),
            Parser("ministral", "0.13.1", tools=True),
            Parser("cogito", "0.13.1", tools=True, thinking=True, on=True),
            Parser("olmo3", "0.13.3", tools=True),
            Parser("olmo3-think", "0.13.3", False, True, True, True, True, "leaves the blank lines before the answer"),
            Parser("nemotron-3-nano", "0.13.4", True, True, True, True),
            Parser("deepseek3", "0.13.5", tools=True, thinking=True, on=True, note="think unset means off"),
            Parser("functiongemma", "0.13.5", tools=True),
            Parser("glm-4.7", "0.14.3", True, True, True, True),
            Parser("lfm2", "0.14.3", tools=True),
            Parser(
                "lfm2-thinking", "0.14.3", tools=True, thinking=True, note="splits only where the answer opens the tag"
            ),
            Parser("glm-ocr", "0.15.5", tools=True),
            Parser("qwen3", "0.16.3", tools=True),
            Parser("qwen3-thinking", "0.16.3", True, True, True, True),
            Parser("qwen3.5", "0.17.1", True, True, True, True, note="drops one repeated opening tag"),
            Parser("gemma4", "0.20.0", tools=True, thinking=True, note="gemma's own channels"),
            Parser("gemma4-no-thinking", "0.20.0", tools=True),
            Parser("laguna", "0.22.0", tools=True, thinking=True, on=True, note="think unset means off"),
            Parser("cohere", "0.30.10", tools=True, thinking=True, note="cohere's own tags"),
            Parser("ornith", "0.30.11", True, True, True, True, note="drops one repeated opening tag"),
            Parser("poolside-v1", "0.32.3", tools=True, thinking=True, on=True, note="think unset means off"),
            Parser("glimmer", "0.32.7", tools=True, thinking=True, note="glimmer's own messages"),
            Parser("nemotron-3.5-nano", "0.32.9", True, True, True, True),
        )
    }
)
