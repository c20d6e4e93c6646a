"""How a repository of the Hub, a file in it or one of its quantizations is written.

``hf://org/repo``, then ``@revision``, then ``/file`` or ``:QUANTIZATION``; also ``hf.co/org/repo:QUANTIZATION`` as Ollama
writes it, and the addresses of the Hub's web pages.

Sources: huggingface_hub ``hf_file_system.py`` (revisions with a slash), the Hub's documentation "Use Ollama with any GGUF
Model on Hugging Face Hub" (names of models).
"""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import unquote

from modelsmith.errors import UsageError
from modelsmith.patterns import regex
from modelsmith.records import dataclass

SCHEME = "hf://"
HOSTS = ("hf.co/", "huggingface.co/", "www.huggingface.co/")
_PART = regex(r"(?!.*(?:--|\.\.))[A-Za-z0-9][A-Za-z0-9._-]{0,95}(?<![.-])")
_REVISION = regex(r"(?!.*\.\.)(?!/)[A-Za-z0-9._/+-]{1,255}(?<!/)")
_SPECIAL = re.compile(r"(refs/(?:pr|convert)/[A-Za-z0-9._-]+)(?=/|:|$)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_QUANTIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_PAGE = re.compile(r"(resolve|blob|tree|raw)/")
_WAY_OUT = "write it as hf://org/repo, hf://org/repo:Q4_K_M or hf://org/repo@revision/file.gguf"


@dataclass(frozen=True, slots=True)
class HubReference:
    """What somebody names: ``file`` or ``quantization`` are empty where the choice is left to the repository."""

    repo: str
    revision: str = ""
    file: str = ""
    quantization: str = ""

    @classmethod
    def parse(cls, text: str) -> HubReference:
        """Read a reference in any of its forms; raises UsageError where it is none."""
        rest, is_page = _without_scheme(text)
        owner, _, rest = rest.partition("/")
        name, separator, rest = _cut(rest, "@/:")
        if not (_PART.fullmatch(owner) and _PART.fullmatch(name)):
            _refuse(text, "a repository is named by its owner and its name")
        revision = file = quantization = ""
        if is_page and separator == "/" and (match := _PAGE.match(rest)):
            separator, rest = "@", rest[match.end() :].partition("?")[0]
        if separator == "@":
            revision, separator, rest = _revision(rest)
            if not _REVISION.fullmatch(revision):
                _refuse(text, f'"{revision[:80]}" is no branch, tag or commit')
        if separator == "/":
            file = unquote(rest) if is_page else rest
            if file and not is_safe_path(file):
                _refuse(text, f'"{file[:120]}" is no path of a file')
        elif separator == ":":
            quantization = rest
            if not _QUANTIZATION.fullmatch(quantization):
                _refuse(text, f'"{quantization[:80]}" is no quantization')
            if quantization.lower() == "latest":  # what Ollama puts where nothing is said
                quantization = ""
        return cls(f"{owner}/{name}", revision, file, quantization)

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return _COMMIT.fullmatch(self.revision) is not None

    @property
    def ollama_name(self) -> str:
        """The name under which Ollama would know the model."""
        return f"hf.co/{self.repo}:{self.quantization or 'latest'}"

    def __str__(self) -> str:
        revision = f"@{self.revision.replace('/', '%2F')}" if self.revision else ""
        rest = f"/{self.file}" if self.file else f":{self.quantization}" if self.quantization else ""
        return f"{SCHEME}{self.repo}{revision}{rest}"


def is_hub(text: str) -> bool:
    """Whether a text names something of the Hub, and nothing else."""
    lower = text.lower()
    return lower.startswith((SCHEME, *(f"https://{host}" for host in HOSTS)))


def is_hub_name(text: str) -> bool:
    """Whether a text is a name of the Hub as Ollama writes it, which may also be that of a model that is here."""
    return text.lower().startswith(HOSTS) and text.count("/") == 2


def is_safe_path(path: str) -> bool:
    """Whether a file's path, which a server may have chosen, stays where it is put and can be shown."""
    if not path or len(path) > 1024 or path.startswith("/") or "\\" in path or not path.isprintable():
        return False
    return all(part not in {"", ".", ".."} for part in path.split("/"))


def _without_scheme(text: str) -> tuple[str, bool]:
    for scheme, is_page in ((SCHEME, False), ("https://", True), ("", False)):
        if not text.lower().startswith(scheme):
            continue
        rest = text[len(scheme) :]
        host = next((host for host in HOSTS if rest.lower().startswith(host)), None)
        if scheme == SCHEME or host is not None:
            return rest[len(host) if host and scheme != SCHEME else 0 :], is_page
    return _refuse(text, "it does not begin with hf:// or hf.co/")


def _revision(rest: str) -> tuple[str, str, str]:
    special = _SPECIAL.match(rest)
    if special:
        end = special.end()
        return special[1], rest[end : end + 1], rest[end + 1 :]
    revision, separator, rest = _cut(rest, "/:")
    return unquote(revision), separator, rest


def _cut(text: str, marks: str) -> tuple[str, str, str]:
    """Return what comes before the first of some characters, that character, and what comes after it."""
    at = min((place for mark in marks if (place := text.find(mark)) >= 0), default=len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


def _refuse(text: str, reason: str) -> NoReturn:
    raise UsageError(f'"{text[:200]}" names nothing on the Hugging Face Hub: {reason}', hint=_WAY_OUT)
