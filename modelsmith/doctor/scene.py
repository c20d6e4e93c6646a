"""What is known around a block: the version meant, what the whole text speaks of, and how sure a reading can be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from modelsmith.doctor.excerpt import BlockKind, Excerpt
from modelsmith.doctor.inventions import OTHER_PROGRAMS
from modelsmith.doctor.invocation import IMAGE
from modelsmith.source import Span

if TYPE_CHECKING:
    from modelsmith.versions import Version

_PROTECTION = re.compile(
    r"\b(?:auth|authenticat\w+|login|password|firewall\w*|ufw|iptables|vpn|wireguard|tailscale|reverse proxy|nginx|caddy"
    r"|traefik|untrusted|trusted|expos(?:e|es|ed|ing)|ssh tunnel)\b|认证|認證|鉴权|鑑權|防火墙|防火牆|暴露|内网|內網|密码|密碼",
    re.IGNORECASE,
)
_INTEL = re.compile(r"ipex|\bsycl|ZES_ENABLE_SYSMAN|oneapi", re.IGNORECASE)
_SERVER = re.compile(
    r"\bollama(?:\.exe|-serve\w*)?[\"']?\s+(?:serve|start)\b|\b(?:re)?start\s+[\"']?ollama\b|\bollama\.service\b"
)
_PROGRAM = re.compile(
    r"(?m)^[ \t$>]*(?:python3?|node|npm|npx|pnpm|yarn|uvicorn|streamlit|flask|uv run|cargo run|go run|docker[ -]compose up|make)\b"
)


_EXPANSION = re.compile(r"\$\{?([A-Za-z_]\w*)")
_IMAGE_OF_OLLAMA = re.compile(rf"(?m)^FROM\s+{IMAGE.pattern}\s*(?:AS|$)", re.IGNORECASE)
_PORT = re.compile(r"\b(\d{1,5}):11434\b")


@lru_cache(maxsize=32)
def found(what: re.Pattern[str], whole: str) -> bool:
    """Look a text through once, however many blocks it has."""
    return bool(what.search(whole))


@lru_cache(maxsize=4)
def published_ports(whole: str) -> frozenset[str]:
    """Return the ports that a text maps to Ollama's."""
    return frozenset(_PORT.findall(whole))


@lru_cache(maxsize=64)
def foreign_flags(flag: str, whole: str) -> tuple[int, ...]:
    """Return where the lines begin that give a flag to another program than Ollama."""
    call, starts, place = re.compile(rf"(?!.*ollama).*\w.* {re.escape(flag)}\b"), [], whole.find(f" {flag}")
    while place >= 0:
        start, end = whole.rfind("\n", 0, place) + 1, whole.find("\n", place)
        end = end if end >= 0 else len(whole)
        if call.match(whole, start, end):
            starts.append(start)
        place = whole.find(f" {flag}", end)
    return tuple(starts)


@dataclass(frozen=True)
class Scene:
    """The block that is read, the text it stands in, and the Ollama meant."""

    excerpt: Excerpt
    whole: str
    version: Version

    @property
    def is_certain(self) -> bool:
        """Whether the block is meant to be run as it stands: a fenced block or a given command."""
        return self.excerpt.kind in {BlockKind.FENCE, BlockKind.COMMAND}

    @cached_property
    def runs_server(self) -> bool:
        """Whether the block starts the Ollama server."""
        return bool(_SERVER.search(self.excerpt.text))

    @cached_property
    def runs_program(self) -> bool:
        """Whether the block starts, or sets variables of, another program, which may read more of them."""
        text = self.excerpt.text
        return bool(_PROGRAM.search(text)) or any(name in text for name in OTHER_PROGRAMS)

    @cached_property
    def is_for_intel(self) -> bool:
        """Whether it is about Intel's own build of Ollama, which reads OLLAMA_NUM_GPU."""
        return found(_INTEL, self.whole)

    @cached_property
    def names_protection(self) -> bool:
        """Whether the text speaks of who may reach a server."""
        return found(_PROTECTION, self.whole)

    @cached_property
    def expanded(self) -> frozenset[str]:
        """The variables that the block expands."""
        return frozenset(_EXPANSION.findall(self.excerpt.text))

    @cached_property
    def builds_ollama(self) -> bool:
        """Whether the block is a Dockerfile that begins with an image of Ollama."""
        return bool(_IMAGE_OF_OLLAMA.search(self.excerpt.text))

    def around(self, offset: int, lines: int = 1) -> str:
        """Return the line of an offset of the excerpt and the lines before it, as they stand in the whole text."""
        return self.span_around(offset, lines).of(self.whole)

    def span_around(self, offset: int, lines: int = 1) -> Span:
        """Return where in the whole text the line of an offset and the lines before it are."""
        place = self.excerpt.place(offset)
        end = self.whole.find("\n", place)
        start = place
        for _ in range(lines + 1):
            start = self.whole.rfind("\n", 0, max(0, start))
            if start < 0:
                break
        return Span(start + 1, end if end >= 0 else len(self.whole))
