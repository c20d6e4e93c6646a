"""MSD03, MSD04, MSD05, MSD12: containers of Ollama and Open WebUI that lose, share or expose what they hold.

Sources: Ollama ``Dockerfile`` (the store is .ollama in the home of root, OLLAMA_HOST is 0.0.0.0:11434, no login) and ``server/routes.go``
(``Serve`` prunes unused blobs); Open WebUI's README (its data is /app/backend/data).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.doctor.checks.call import check_call
from modelsmith.doctor.findings import finding
from modelsmith.doctor.invocation import IMAGE
from modelsmith.doctor.scene import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.invocation import ContainerRun
    from modelsmith.doctor.scene import Scene
    from modelsmith.doctor.shell import Word
    from modelsmith.source import Span

WEBUI = re.compile(r"(?:[\w.-]+(?::\d+)?/)*open-webui(?::[\w.${}-]+)?(?:@sha256:[0-9a-f]+)?")
_STORE = "/".join(("", "root", ".ollama"))
_LOCAL = re.compile(r"(?:https?://)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)")
_CLIENT_ADDRESS = re.compile(r"OLLAMA_(?:BASE_URLS?|API_BASE(?:_URL)?)|OPENAI_API_BASE_URLS?")
_OFFICIAL = frozenset({"docker.io", "registry-1.docker.io", "index.docker.io", "registry.hub.docker.com", "ghcr.io", "localhost", "public.ecr.aws", "mirror.gcr.io", "quay.io"})  # fmt: skip
_PORT = re.compile(r"(?:(?P<outside>(?:[\d.]+:)?\d{1,5}):)?(?P<inside>\d{1,5})(?:/tcp)?")
_NATIVE_STORE = re.compile(r"/usr/share/ollama/\.ollama(?:/models)?/?|/var/lib/ollama(?:/.*)?")
_HOME_STORE = re.compile(
    r"(?:~|\$HOME|\$\{HOME\}|/root|/home/[\w.-]+|/Users/[\w.-]+|%USERPROFILE%|\$env:USERPROFILE)[/\\]\.ollama(?:[/\\]models)?[/\\]?"
)
_NATIVE_SERVER = re.compile(
    r"ollama\.com/install\.sh|systemctl \w+ ollama|brew (?:install|services \w+) ollama|(?m:^[ \t$]*ollama serve)"
)


@dataclass(slots=True)
class Mounts:
    """Which folders the servers of a text write to; the one thing that is known only after several blocks."""

    seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    def also_used_by(self, source: str, name: str, port: str) -> str:
        """Note a server's folder; return the name of another server that writes to it and runs beside this one."""
        other = self.seen.setdefault(source, (name, port))
        return other[0] if name and other[0] and other[0] != name and other[1] != port else ""


def check_container(run: ContainerRun, scene: Scene, mounts: Mounts) -> Iterator[Diagnostic]:
    """Yield what is wrong with ``docker run`` of Ollama or Open WebUI."""
    if run.image is None:
        return
    image = run.image.value
    if WEBUI.fullmatch(image):
        yield from _webui(run, run.image)
    elif IMAGE.fullmatch(image):
        yield from check_image(run.image)
        yield from _ollama(run, run.image, scene, mounts)


def check_image(image: Word) -> Iterator[Diagnostic]:
    """Yield a finding for an image of Ollama that comes through somebody else's registry."""
    host, slash, _ = image.value.partition("/")
    if slash and "." in host and host.partition(":")[0] not in _OFFICIAL and IMAGE.fullmatch(image.value):
        yield finding(
            "MSD12",
            f"the image comes from {host}, not from Ollama's own place",
            image.part(0, len(host)),
            "compare its digest with that of docker.io/ollama/ollama",
        )


def _targets(volumes: Sequence[Word]) -> list[tuple[Word, str, str, bool]]:
    """Return each mount with its source, its target, and whether it can be written to."""
    found = []
    for word in volumes:
        text = word.value
        if "target=" in text or "dst=" in text or "destination=" in text:
            parts = dict(part.partition("=")[::2] for part in text.split(","))
            target = parts.get("target") or parts.get("dst") or parts.get("destination") or ""
            found.append((word, parts.get("source") or parts.get("src") or "", target, "readonly" not in text))
            continue
        match = re.fullmatch(r"(?P<source>(?:[A-Za-z]:[\\/])?[^:]*):(?P<target>[^:]+)(?::(?P<mode>[\w,]+))?", text)
        if match:
            found.append((word, match["source"], match["target"], "ro" not in (match["mode"] or "").split(",")))
        else:
            found.append((word, "", text, True))
    return found


def in_container(name: str, value: str, place: Span, service: str, *, is_server: bool) -> Iterator[Diagnostic]:
    """Yield a finding for an address that means the container itself, for a variable of a container with a network of its own."""
    if is_server and name == "OLLAMA_HOST" and _LOCAL.match(value):
        message = (
            f"OLLAMA_HOST={value} answers only inside the container: published ports and other containers reach nothing"
        )
        yield finding(
            "MSD03", message, place, "leave it out: the image listens on 0.0.0.0; narrow the published port instead"
        )
    elif not is_server and _CLIENT_ADDRESS.fullmatch(name) and _LOCAL.match(value):
        message = f"{name}={value} is this container itself, where no Ollama runs"
        yield finding("MSD03", message, place, f"write {service}")


def _environment(run: ContainerRun, *, is_server: bool) -> Iterator[Diagnostic]:
    if any(word.value == "host" for word in run.values("--network", "--net")):
        return
    for word in run.values("-e", "--env"):
        name, _, value = word.value.partition("=")
        service = "http://host.docker.internal:11434, with --add-host=host.docker.internal:host-gateway on Linux"
        yield from in_container(name, value, word.part(len(name) + 1), service, is_server=is_server)


def _webui(run: ContainerRun, image: Word) -> Iterator[Diagnostic]:
    switches = {name for name, _ in run.options}
    if not image.value.endswith(":ollama"):  # that one holds an Ollama
        yield from _environment(run, is_server=False)
    volumes = _targets(tuple(run.values("-v", "--volume", "--mount")))
    if "--rm" in switches or "--volumes-from" in switches:
        return
    if not any("/app/backend" in target or "$" in target or target == "/app" for _, _, target, _ in volumes):
        reaches = switches & {"--add-host", "--network", "--net"} or any(
            "OLLAMA" in word.value for word in run.values("-e", "--env")
        )
        more = (
            ""
            if reaches
            else "; add --add-host=host.docker.internal:host-gateway too, or it does not find Ollama on a Linux host"
        )
        yield finding(
            "MSD04",
            "no volume: accounts and chats of Open WebUI are lost with the container",
            image.span,
            f"add -v open-webui:/app/backend/data{more}",
        )


def _ollama(run: ContainerRun, image: Word, scene: Scene, mounts: Mounts) -> Iterator[Diagnostic]:
    switches = {name for name, _ in run.options}
    if run.arguments and "--entrypoint" not in switches:
        yield from check_call(run.arguments, scene)
    if "--entrypoint" in switches or (run.arguments and run.arguments[0].value not in {"serve", "start"}):
        return
    volumes = _targets(tuple(run.values("-v", "--volume", "--mount")))
    moved = [
        word.value.partition("=")[2] for word in run.values("-e", "--env") if word.value.startswith("OLLAMA_MODELS=")
    ]
    kept = [
        volume
        for volume in volumes
        if ".ollama" in volume[2] or "$" in volume[2] or any(path.startswith(volume[2]) for path in moved)
    ]
    if not kept and not switches & {"--rm", "--volumes-from", "--help"}:
        yield lost_models(image, mounted=bool(volumes))
    port = next((word.value.rpartition(":")[0] for word in run.values("-p", "--publish")), "")
    name = next((word.value for word in run.values("--name")), "")
    for word, source, _, writable in kept:
        if writable:
            yield from check_store(word, source, scene)
            if source and (other := mounts.also_used_by(source, name, port)):
                yield shared(word, source, other)
    yield from _ports(run, scene)
    yield from _environment(run, is_server=True)


def lost_models(image: Word, *, mounted: bool = False) -> Diagnostic:
    """Return the finding for a server whose store is inside its container."""
    what = f"no volume at {_STORE}" if mounted else "no volume"
    return finding("MSD04", f"{what}: pulled models are lost with the container", image.span, f"add -v ollama:{_STORE}")


def shared(place: Word, source: str, other: str) -> Diagnostic:
    """Return the finding for a folder that a second server writes to."""
    return finding(
        "MSD05",
        f"{source} is written to by {other} too: each server prunes what it takes for unused, and partial downloads of the other",
        place.span,
        "let one server write; mount it read-only (:ro) with OLLAMA_NOPRUNE=1 for the others",
    )


def check_store(place: Word, source: str, scene: Scene) -> Iterator[Diagnostic]:
    """Yield a finding where a container writes to the folder of a server that runs on the host."""
    if _NATIVE_STORE.fullmatch(source) or (_HOME_STORE.fullmatch(source) and found(_NATIVE_SERVER, scene.whole)):
        yield finding(
            "MSD05",
            f"{source} is the folder of the Ollama on the host: two servers prune it, and the container's files belong to root",
            place.span,
            "mount it read-only (:ro) with OLLAMA_NOPRUNE=1, or give the container a volume of its own",
        )


def wrong_port(port: Word, port_inside: str) -> Iterator[Diagnostic]:
    """Yield what is wrong with a published port of Ollama: ``11434`` alone, or one inside the container where nothing listens."""
    match = _PORT.fullmatch(port.value)
    if match is None:
        return
    if match["outside"] is None:
        yield finding(
            "MSD03", f"{port.value} alone is published as another port each time the container starts", port.span,
            f"write 127.0.0.1:11434:{port_inside}",
        )  # fmt: skip
    elif match["inside"] != port_inside:
        yield finding(
            "MSD03", f"inside the container Ollama listens on {port_inside}, not on {match['inside']}", port.span,
            f"write {match['outside']}:{port_inside}",
        )  # fmt: skip


def port_of(host: str) -> str:
    """Return the port that an OLLAMA_HOST says."""
    match = re.search(r":(\d{1,5})/?$", host)
    return match[1] if match else "11434"


def _ports(run: ContainerRun, scene: Scene) -> Iterator[Diagnostic]:
    hosts = [word.value for word in run.values("-e", "--env") if word.value.startswith("OLLAMA_HOST=")]
    for word in run.values("-p", "--publish"):
        yield from wrong_port(word, port_of(hosts[0] if hosts else ""))
        if re.fullmatch(r"(?:0\.0\.0\.0:)?\d+:11434(?:/tcp)?", word.value) and not scene.names_protection:
            yield finding(
                "MSD03",
                "this port is open to the whole network, and Ollama asks nobody for a password",
                word.span,
                f"write 127.0.0.1:{word.value.removeprefix('0.0.0.0:')} to keep it on this machine",
                Severity.INFO,
            )
