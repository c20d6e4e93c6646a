"""Names of models, and the address of the server that keeps them.

Sources: Ollama ``types/model/name.go``, ``envconfig/config.go`` (``Host``); Go ``net/ipsock.go``, ``net/url/url.go``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import field
from typing import Self
from urllib.parse import quote

from modelsmith.errors import InvalidModelName
from modelsmith.patterns import regex
from modelsmith.records import dataclass

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"
MISSING = "!MISSING!"
"""What Ollama puts where a separator promised a part that is not there; never valid."""

_PARTS = {
    "host": (regex(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*"), 350),
    "namespace": (regex(r"[A-Za-z0-9_][A-Za-z0-9_-]*"), 80),
    "model": (regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]*"), 80),
    "tag": (regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]*"), 80),
}


@dataclass(frozen=True, slots=True, order=True)
class ModelName:
    """``[scheme://][host/][namespace/]model[:tag]``; what is left out has Ollama's default.

    A name made by ``parse`` may be invalid; one made by ``strict`` is safe as a path and in a URL.
    """

    host: str
    namespace: str
    model: str
    tag: str
    scheme: str = field(default="https", compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name as Ollama does; never raises, see ``is_valid``."""
        scheme, host, namespace, model, tag = split_name(text)
        return cls(host or DEFAULT_HOST, namespace or DEFAULT_NAMESPACE, model, tag or DEFAULT_TAG, scheme or "https")

    @classmethod
    def strict(cls, text: str) -> Self:
        """Read a name that Ollama accepts; raises InvalidModelName with the reason for any other."""
        name = cls.parse(text)
        if problem := name.problem:
            raise InvalidModelName(f'"{text:.400}" is not a model name: {problem}', hint=of_file(text) or name.way_out)
        return name

    @classmethod
    def from_path(cls, path: str) -> Self:
        """Read ``host/namespace/model/tag``, the place of a manifest in a store; raises InvalidModelName."""
        parts = path.split("/")
        if len(parts) != 4:
            raise InvalidModelName(f'"{path:.400}" is not host/namespace/model/tag')
        name = cls(*parts)
        if problem := name.problem:
            raise InvalidModelName(f'"{path:.400}" is not the path of a model: {problem}')
        return name

    @property
    def problem(self) -> str:
        """Say what is wrong with the first bad part, "" when the name is valid."""
        for kind in _PARTS:
            if problem := _part_problem(kind, getattr(self, kind)):
                return problem
        return ""

    @property
    def is_fully_qualified(self) -> bool:
        """Whether all four parts are there and well formed."""
        return not self.problem

    @property
    def is_valid(self) -> bool:
        """Whether Ollama accepts the name."""
        return self.is_fully_qualified

    @property
    def path(self) -> str:
        """Return ``host/namespace/model/tag``, where a store keeps the manifest; raises InvalidModelName if invalid."""
        if problem := self.problem:
            raise InvalidModelName(f'"{self}" has no path: {problem}', hint=self.way_out)
        return f"{self.host}/{self.namespace}/{self.model}/{self.tag}"

    @property
    def short(self) -> str:
        """Return the name without the defaults of host and namespace; the tag is always shown."""
        rest = f"{self.model}:{self.tag}"
        if not _same(self.host, DEFAULT_HOST):
            return f"{self.host}/{self.namespace}/{rest}"
        return rest if _same(self.namespace, DEFAULT_NAMESPACE) else f"{self.namespace}/{rest}"

    def same_as(self, other: ModelName) -> bool:
        """Whether both name one model: Ollama ignores the case of letters."""
        return all(_same(getattr(self, kind), getattr(other, kind)) for kind in _PARTS)

    def __str__(self) -> str:
        parts = (self.host, self.namespace)
        tag = f":{self.tag}" if self.tag else ""
        return "".join(f"{part}/" for part in parts if part) + self.model + tag

    @property
    def way_out(self) -> str:
        """Say what a valid name would look like."""
        if _same(self.host, DEFAULT_HOST) and re.fullmatch(r"[\w.-]+:\d+|localhost|[\w-]+(\.[\w-]+)+", self.namespace):
            return f"a name with a host has three parts, e.g. {self.namespace}/{DEFAULT_NAMESPACE}/{self.model}"
        return "a name looks like qwen3:8b, namespace/model:tag or host/namespace/model:tag"


def of_file(text: str) -> str:
    """Say what to do with a file or a web address that ``text`` names instead of a model; "" for anything else."""
    if re.match(r"https?://", text):
        return "a web address is read by gguf inspect, gguf verify and fit; for the rest download the file, then name it: ./model.gguf"
    path = text.removesuffix(f":{DEFAULT_TAG}")
    if not path.lower().endswith(".gguf"):
        return ""
    if "*" in path:
        return "a wildcard names no model: name each shard with a FROM of its own, or make one file of them: modelsmith gguf merge"
    return f"a .gguf is a file; this makes a model of it: modelsmith apply import-gguf --set base={path:.200}"


def split_name(text: str) -> tuple[str, str, str, str, str]:
    """Return scheme, host, namespace, model and tag as they are written; "" for what is left out."""
    rest, tag = text, ""
    if text.rfind(":") > text.rfind("/"):
        rest, tag, _ = _cut(text, ":")
    rest, model, promised = _cut(rest, "/")
    if not promised:
        return "", "", "", rest, tag
    rest, namespace, promised = _cut(rest, "/")
    if not promised:
        return "", "", rest, model, tag
    scheme, separator, host = rest.partition("://")
    return (scheme, host, namespace, model, tag) if separator else ("", rest, namespace, model, tag)


def _cut(text: str, separator: str) -> tuple[str, str, bool]:
    before, found, after = text.rpartition(separator)
    return (before or MISSING, after or MISSING, True) if found else (text, "", False)


def _part_problem(kind: str, part: str) -> str:
    pattern, limit = _PARTS[kind]
    if part in {"", MISSING}:
        return f"the {kind} is missing"
    if len(part) > limit:
        return f"the {kind} has {len(part)} characters, {limit} are allowed"
    if pattern.fullmatch(part):
        return ""
    if not (part[0].isascii() and (part[0].isalnum() or part[0] == "_")):
        return f'the {kind} "{part}" starts with {_shown(part[0])}; a letter, a digit or "_" must come first'
    bad = next(char for char in part[1:] if not pattern.fullmatch("_" + char))
    return f'the {kind} "{part}" contains {_shown(bad)}'


def _shown(char: str) -> str:
    return f'"{char}"' if char.isprintable() else f"U+{ord(char):04X}"


def _same(one: str, other: str) -> bool:
    return re.fullmatch(re.escape(other), one, re.IGNORECASE) is not None


_GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_PORT = regex(r"[+-]?[0-9]+")
_RAW = "surrogateescape"  # bytes of the environment that are not UTF-8
_HOST_SAFE = "!$&'()*+,;=:[]<>\""
_PATH_SAFE = "$&+,/:;=@"


def parse_host(text: str) -> str:
    """Return the URL that Ollama makes of a value of ``OLLAMA_HOST``; "" is the default, bad ports fall back."""
    text = text.strip(_GO_SPACE).strip("\"'").strip(_GO_SPACE)
    scheme, separator, address = text.partition("://")
    if not separator:
        scheme, address = ("https", "ollama.com:443") if text == "ollama.com" else ("http", text)
    default = {"http": "80", "https": "443"}.get(scheme, "11434") if separator else "11434"
    address, _, path = address.partition("/")
    host, port = _split_port(address) or (_bare_host(address), default)
    if not _PORT.fullmatch(port) or not 0 <= int(port[:20]) <= 65535:
        port = default
    where = quote(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", safe=_HOST_SAFE, errors=_RAW)
    folder = path if path == "*" else quote(path, safe=_PATH_SAFE, errors=_RAW)
    start = f"{scheme}://" if scheme else "//"
    return start + where + ("/" if folder and not folder.startswith("/") else "") + folder


def _split_port(address: str) -> tuple[str, str] | None:
    """Split ``host:port`` or ``[host]:port``; None where Go's ``net.SplitHostPort`` fails."""
    match = re.fullmatch(r"\[([^\[\]]*)\]:([^:\[\]]*)|([^:\[\]]*):([^:\[\]]*)", address)
    if match is None:
        return None
    return (match[1], match[2]) if match[1] is not None else (match[3], match[4])


def _bare_host(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return address or "127.0.0.1"
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        return address
    mapped = getattr(ip, "ipv4_mapped", None)
    return str(mapped or ip)
