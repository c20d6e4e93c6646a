"""Where models are: ``oci://host/name:tag``, ``dir:path``, or a name as Ollama writes it.

Sources: OCI distribution spec 1.1 (names of repositories and tags), containers/image (``dir:``).
"""

from __future__ import annotations

from pathlib import Path

from modelsmith.errors import InvalidModelName, UsageError
from modelsmith.manifest import Digest
from modelsmith.name import DEFAULT_HOST, DEFAULT_TAG, ModelName
from modelsmith.patterns import regex
from modelsmith.records import dataclass

OCI, FOLDER = "oci://", "dir:"
_HOST = regex(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_COMPONENT = regex(r"[A-Za-z0-9_]+(?:[._-]+[A-Za-z0-9_]+)*")
_TAG = regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_MAX_REPOSITORY = 255
DOCKER_HUB = "registry-1.docker.io"
_ALIASES = {"docker.io": DOCKER_HUB, "index.docker.io": DOCKER_HUB, "ollama.com": DEFAULT_HOST}


def registry_host(text: str) -> str:
    """Return ``host[:port]`` of a registry as it is asked for; raises UsageError."""
    host = text.removeprefix("https://").removeprefix("http://").rstrip("/")
    if not _HOST.fullmatch(host):
        raise UsageError(f"{text!r:.200} is no host of a registry", hint="write it as HOST or HOST:PORT")
    return _ALIASES.get(host.lower(), host)


@dataclass(frozen=True, slots=True)
class Reference:
    """A model in a registry. One that exists is well formed: safe in a URL. ``digest`` pins the manifest."""

    host: str
    repository: str
    tag: str = DEFAULT_TAG
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``oci://host[:port]/name[:tag][@digest]``; raises UsageError with the reason, InvalidDigest."""
        rest = text.removeprefix(OCI)
        rest, at, pinned = rest.partition("@")
        host, slash, path = rest.partition("/")
        digest = Digest.parse(pinned) if at else None
        if not slash or not path:
            raise _wrong(text, "there is no name after the host")
        if not _HOST.fullmatch(host):
            raise _wrong(text, f"{host!r:.100} is no host")
        repository, colon, tag = path.partition(":")
        if colon and not _TAG.fullmatch(tag):
            raise _wrong(text, f"{tag!r:.140} is no tag")
        if len(repository) > _MAX_REPOSITORY:
            raise _wrong(text, f"the name has {len(repository)} characters, {_MAX_REPOSITORY} are allowed")
        for part in repository.split("/"):
            if not _COMPONENT.fullmatch(part):
                raise _wrong(text, f"{part!r:.100} is no part of a name")
        return cls(_ALIASES.get(host.lower(), host), repository, tag or DEFAULT_TAG, digest)

    @classmethod
    def of_name(cls, name: ModelName) -> Reference:
        """Return where Ollama keeps a model of this name; raises InvalidModelName."""
        if problem := name.problem:
            raise InvalidModelName(f'"{name}" is not a model name: {problem}', hint=name.way_out)
        return cls(_ALIASES.get(name.host.lower(), name.host), f"{name.namespace}/{name.model}", name.tag)

    @property
    def is_ollama(self) -> bool:
        """Whether it is Ollama's own registry."""
        return self.host == DEFAULT_HOST

    def model_name(self) -> ModelName:
        """Return the name as Ollama would write it, host included; raises UsageError where there is none."""
        namespace, _, model = self.repository.rpartition("/")
        name = ModelName(self.host, namespace, model, self.tag)
        if not namespace or name.problem:
            problem = name.problem if namespace else "Ollama's names have a namespace"
            raise UsageError(
                f"{self} has no name in Ollama's way: {problem}", hint="say which one it gets here with --as NAME"
            )
        return name

    def __str__(self) -> str:
        pinned = f"@{self.digest}" if self.digest else ""
        return f"{OCI}{self.host}/{self.repository}:{self.tag}{pinned}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that holds one model: ``dir:path``."""

    path: Path

    def __str__(self) -> str:
        return f"{FOLDER}{self.path}"


Place = Reference | Folder | ModelName


def parse_place(text: str) -> Place:
    """Read a source or a destination; a text without a scheme is a ModelName. Raises UsageError, InvalidModelName."""
    if text.startswith(OCI):
        return Reference.parse(text)
    if text.startswith(FOLDER):
        path = text.removeprefix(FOLDER)
        if not path or "\0" in path:
            raise UsageError(f"{text!r} names no folder", hint="write dir:PATH")
        return Folder(Path(path).expanduser())
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() not in {"https", "http"}:
        raise UsageError(
            f"{text!r:.200} is no place for a model", hint="places are NAME, oci://HOST/NAME:TAG and dir:PATH"
        )
    return ModelName.strict(text)


def _wrong(text: str, reason: str) -> UsageError:
    return UsageError(
        f"{text!r:.300} cannot be read: {reason}", hint="write it as oci://HOST[:PORT]/NAMESPACE/NAME:TAG"
    )
