"""What Linux tells about a machine in files: processes, listening sockets, cards, units. Another system tells nothing here.

Sources: ``proc(5)`` (environ, net/tcp), ``sysfs`` of PCI devices, ``systemd.unit(5)`` (where drop-ins are).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 1 << 20  # bytes of a file that are read
_LISTENS = "0A"
_SOCKET = re.compile(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})")
_DISPLAY = "0x03"  # the class of PCI devices that show pictures
_ACCELERATOR = "0x12"
VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}


@dataclass(frozen=True, slots=True)
class Process:
    """An Ollama server that runs: its number, its user, and its variables (None where this user may not see them)."""

    pid: int
    user: int
    environment: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that accepts connections: its address as text, ``0.0.0.0`` and ``::`` for all of the machine's, and its port."""

    address: str
    port: int

    @property
    def is_open(self) -> bool:
        """Whether other machines can reach it."""
        return not (self.address.startswith("127.") or self.address in {"::1", "::ffff:127.0.0.1"})


@dataclass(frozen=True, slots=True)
class System:
    """A machine, seen from ``root``; ``environment`` is that of this process."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def path(self, name: str) -> Path:
        """Return a path of the machine."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """Return the beginning of a file's text; "" where it cannot be read."""
        try:
            with self.path(name).open("rb") as file:
                return file.read(_MOST).decode("utf-8", "replace")
        except OSError:
            return ""

    @property
    def is_linux(self) -> bool:
        """Whether the machine tells what is read here."""
        return self.path("/proc/self").exists()

    @property
    def in_container(self) -> bool:
        """Whether this process runs in a container, and sees its part of the machine only."""
        return self.path("/.dockerenv").exists() or self.path("/run/.containerenv").exists()

    def servers(self) -> tuple[Process, ...]:
        """Return the processes of ``ollama serve``."""
        return tuple(self._servers())

    def _servers(self) -> Iterator[Process]:
        try:
            numbers = sorted(int(entry.name) for entry in self.path("/proc").iterdir() if entry.name.isdigit())
        except OSError:
            return
        for number in numbers:
            words = self.text(f"/proc/{number}/cmdline").split("\0")
            if Path(words[0]).name not in {"ollama", "ollama.exe"} or "serve" not in words[1:]:
                continue
            raw = self.text(f"/proc/{number}/environ")
            variables = dict(entry.partition("=")[::2] for entry in raw.split("\0") if "=" in entry)
            yield Process(number, self.path(f"/proc/{number}").stat().st_uid, variables if raw else None)

    def listeners(self) -> tuple[Listener, ...]:
        """Return the sockets that accept TCP connections."""
        return (*self._listeners("/proc/net/tcp"), *self._listeners("/proc/net/tcp6"))

    def _listeners(self, table: str) -> Iterator[Listener]:
        for line in self.text(table).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3] == _LISTENS and (match := _SOCKET.fullmatch(fields[1])):
                yield Listener(_address(match[1]), int(match[2], 16))

    def cards(self) -> tuple[str, ...]:
        """Return the makers of the graphics cards on the bus, one entry a card; unknown makers are passed over."""
        found = []
        for device in sorted(self.path("/sys/bus/pci/devices").glob("*")):
            kind = self.text(f"/sys/bus/pci/devices/{device.name}/class").strip()
            vendor = VENDORS.get(self.text(f"/sys/bus/pci/devices/{device.name}/vendor").strip())
            if vendor and kind.startswith((_DISPLAY, _ACCELERATOR)):
                found.append(vendor)
        return tuple(found)

    def units(self) -> tuple[str, ...]:
        """Return the files that say how systemd starts Ollama."""
        folders = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/system")
        found = {}
        for folder in folders:
            for path in (
                self.path(f"{folder}/ollama.service"),
                *self.path(f"{folder}/ollama.service.d").glob("*.conf"),
            ):
                if path.is_file():
                    found[os.path.realpath(path)] = "/" + path.relative_to(self.root).as_posix()
        return tuple(sorted(found.values()))


def _address(text: str) -> str:
    """Return an address of ``/proc/net/tcp``: words of four bytes, each in the machine's order."""
    from ipaddress import IPv4Address, IPv6Address

    data = b"".join(bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8))
    return str(IPv4Address(data) if len(data) == 4 else IPv6Address(data))
