"""Services of compose files and containers of Kubernetes manifests, read by their indentation.

Sources: the Compose Specification (``image``, ``environment``, ``volumes``, ``ports``), Kubernetes ``Container`` (``env``).
A YAML library would refuse the fragments that texts show; a few keys are all that is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.doctor.checks.call import check_call
from modelsmith.doctor.checks.container import (
    WEBUI,
    Mounts,
    check_image,
    check_store,
    in_container,
    lost_models,
    port_of,
    shared,
    wrong_port,
)
from modelsmith.doctor.checks.setting import check_setting
from modelsmith.doctor.findings import finding
from modelsmith.doctor.invocation import IMAGE
from modelsmith.doctor.settings import Form, Owner, Setting
from modelsmith.doctor.shell import Word
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene

_LINE = re.compile(
    r"(?m)^(?P<indent>[ ]*)(?P<dash>-[ ]+)?(?:(?P<key>[\w./-]+):(?=\s|$))?[ ]*(?P<value>[^#\n]*(?:#[^ \n][^#\n]*)*)"
)
_FLOW = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s,\[\]]+)")
_LARGEST = 100
"""Lines of one service before and behind its image that are looked at."""
_NAME = re.compile(r"[A-Z_a-z][A-Z0-9_a-z]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: how far its key or item is indented, whether it is an item, its key and its value."""

    indent: int
    is_item: bool
    key: str
    key_span: Span
    value: Word


def entries(text: str) -> list[Entry]:
    """Return the lines of a YAML text that say something."""
    found = []
    for match in _LINE.finditer(text):
        value = match["value"].rstrip()
        start = match.start("value")
        if match["key"] is None and not value:
            continue
        plain = value.strip("\"'")
        shift = 1 if plain != value and value[:1] in "\"'" else 0
        word = Word(plain, Span(start + shift, start + shift + len(plain)))
        indent = len(match["indent"]) + len(match["dash"] or "")
        key = Span(*match.span("key")) if match["key"] else Span(start, start)
        found.append(Entry(indent, match["dash"] is not None, match["key"] or "", key, word))
    return found


def check_services(scene: Scene) -> Iterator[Diagnostic]:
    """Yield what is wrong with the services of a YAML block that run Ollama or Open WebUI."""
    rows = entries(scene.excerpt.text)
    mounts = Mounts()
    for place, row in enumerate(rows):
        if row.key != "image":
            continue
        service = _around(rows, place)
        if WEBUI.fullmatch(row.value.value):
            yield from _webui(service, row)
            yield from _addresses(service, row, rows)
        elif IMAGE.fullmatch(row.value.value):
            yield from check_image(row.value)
            yield from _ollama(service, row, scene, mounts)
            yield from _addresses(service, row, rows)
            yield from _command(service, row, scene)


def _around(rows: Sequence[Entry], place: int) -> Sequence[Entry]:
    indent = rows[place].indent
    start = end = place
    while (
        start > max(0, place - _LARGEST)
        and rows[start - 1].indent >= indent
        and not (rows[start].is_item and rows[start].indent == indent)
    ):
        start -= 1
    while (
        end + 1 < min(len(rows), place + _LARGEST)
        and rows[end + 1].indent >= indent
        and not (rows[end + 1].is_item and rows[end + 1].indent == indent and rows[end + 1].key == "name")
    ):
        end += 1
    return rows[start : end + 1]


def _below(service: Sequence[Entry], key: str, indent: int) -> list[Entry] | None:
    """Return the entries below a key of the service; None where it has no such key."""
    for place, row in enumerate(service):
        if row.key == key and row.indent == indent:
            below = []
            for entry in service[place + 1 :]:
                if entry.indent < indent or (entry.indent == indent and not entry.is_item):
                    break
                below.append(entry)
            return below
    return None


def _addresses(service: Sequence[Entry], image: Entry, rows: Sequence[Entry]) -> Iterator[Diagnostic]:
    """Yield addresses that mean the container itself; a compose file's services have a network of their own, pods share one."""
    if any(row.key == "network_mode" and row.value.value != "bridge" for row in service):
        return
    is_server = bool(IMAGE.fullmatch(image.value.value))
    known = "http://NAME:11434 with the name of Ollama's service" if any(
        row.key == "image" and IMAGE.fullmatch(row.value.value) for row in rows
    ) else "http://host.docker.internal:11434, with extra_hosts: [host.docker.internal:host-gateway] on Linux"  # fmt: skip
    if _below(service, "environment", image.indent) is not None and not image.value.value.endswith("open-webui:ollama"):
        for setting in _environment(service, image):
            yield from in_container(setting.name, setting.value, setting.value_span, known, is_server=is_server)


def _command(service: Sequence[Entry], image: Entry, scene: Scene) -> Iterator[Diagnostic]:
    """Judge what a service of Ollama is run with, unless it runs a shell or another program."""
    if any(row.key == "entrypoint" for row in service):
        return
    for key in ("command", "args"):
        row = next((row for row in service if row.key == key and row.indent == image.indent), None)
        if row is None:
            continue
        below = [entry.value for entry in _below(service, key, image.indent) or () if entry.is_item]
        words = below if not row.value.value else [
            Word(match[1] or match[2] or match[3], Span(row.value.span.start + match.start(), row.value.span.start + match.end()))
            for match in _FLOW.finditer(row.value.value)
        ]  # fmt: skip
        if words and words[0].value.rpartition("/")[2] == "ollama":
            words = words[1:]
        if words and words[0].value in {"serve", "start"}:
            yield from check_call(words, scene)


def _webui(service: Sequence[Entry], image: Entry) -> Iterator[Diagnostic]:
    if _is_compose(service, image) and _below(service, "volumes", image.indent) is None:
        yield finding(
            "MSD04",
            "no volume: accounts and chats of Open WebUI are lost with the container",
            image.value.span,
            "add volumes: [open-webui:/app/backend/data]",
        )


def _is_compose(service: Sequence[Entry], image: Entry) -> bool:
    """Whether the block is a service with more than its image: fragments leave things out, Kubernetes mounts elsewhere."""
    keys = {row.key for row in service if row.indent == image.indent}
    return bool(keys & {"ports", "container_name", "restart", "networks", "depends_on"}) and not keys & {
        "volumeMounts", "imagePullPolicy", "extends", "entrypoint", "command", "volumes_from", "tmpfs",
    }  # fmt: skip


def _ollama(service: Sequence[Entry], image: Entry, scene: Scene, mounts: Mounts) -> Iterator[Diagnostic]:
    for setting in _environment(service, image):
        yield from check_setting(setting, scene)
    volumes = _below(service, "volumes", image.indent)
    if volumes is None and _is_compose(service, image):
        yield lost_models(image.value)
    ports = _below(service, "ports", image.indent) or []
    port = ports[0].value.value if ports else f"@{image.value.span.start}"
    host = next((setting.value for setting in _environment(service, image) if setting.name == "OLLAMA_HOST"), "")
    for row in ports:
        if row.is_item and not row.key:
            yield from wrong_port(row.value, port_of(host))
    yield from _unread(service, image)
    for row in volumes or []:
        source, _, rest = row.value.value.partition(":")
        if ".ollama" in rest and not rest.endswith(":ro"):
            yield from check_store(row.value, source, scene)
            if other := mounts.also_used_by(source, f"service {image.value.span.start}", port):
                del other
                yield shared(row.value, source, "another service")


def _unread(service: Sequence[Entry], image: Entry) -> Iterator[Diagnostic]:
    """Yield items of ``environment`` that set nothing: blanks around the ``=``, a mapping in a list."""
    for row in _below(service, "environment", image.indent) or ():
        name = row.key if row.key else row.value.value.partition("=")[0].rstrip()
        if not row.is_item or not name.startswith("OLLAMA_"):
            continue
        if row.key:
            yield finding(
                "MSD10", "this sets nothing: a list of environment holds NAME=VALUE, and this is a mapping", row.key_span,
                f"write - {name}={row.value.value}, or leave the dash away on every line",
            )  # fmt: skip
        elif match := re.match(r"\w+(?: +=|=(?= ))", row.value.value):
            value = row.value.value.partition("=")[2].strip()
            yield finding(
                "MSD10", "the blank beside the = is part of the name or the value", row.value.part(0, match.end()),
                f"write - {name}={value}",
            )  # fmt: skip


def _environment(service: Sequence[Entry], image: Entry) -> Iterator[Setting]:
    for row in _below(service, "environment", image.indent) or ():
        name, equals, value = row.value.value.partition("=")
        if row.key and not row.is_item:
            yield Setting(row.key, row.key_span, row.value.value, row.value.span, Form.CONTAINER, Owner.OLLAMA)
        elif equals and _NAME.fullmatch(name):
            start = row.value.span.start
            place = Span(start + len(name) + 1, row.value.span.end)
            yield Setting(name, Span(start, start + len(name)), value, place, Form.CONTAINER, Owner.OLLAMA)
    below = _below(service, "env", image.indent) or []
    for number, row in enumerate(below):
        if row.key == "name" and row.is_item and _NAME.fullmatch(row.value.value):
            following = below[number + 1] if number + 1 < len(below) else None
            given = following.value if following is not None and following.key == "value" else Word("", row.value.span)
            yield Setting(row.value.value, row.value.span, given.value, given.span, Form.CONTAINER, Owner.OLLAMA)
