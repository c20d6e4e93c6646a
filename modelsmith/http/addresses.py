"""Where a redirect may lead: never from the open network into this machine or a private one.

A registry is not trusted with the position of this machine: one that answers with a redirect to a cloud's metadata
service or to a loopback port would have us ask there (server-side request forgery).
"""

from __future__ import annotations

import socket
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from modelsmith.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    Resolver = Callable[[str, int], tuple[str, ...]]


class Reach(IntEnum):
    """Who can get to an address; a server may redirect to what at least as many can reach as itself."""

    EVERYBODY = 0
    SITE = 1  # private networks
    MACHINE = 2  # loopback
    LINK = 3  # link-local, where clouds put their metadata services
    NOBODY = 4  # unspecified, multicast, reserved


def reach(address: str) -> Reach:
    """Return who can get to the address; IPv4 in IPv6 counts as IPv4."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        ip = inside or ip
    if ip.is_loopback:
        return Reach.MACHINE
    if ip.is_link_local:
        return Reach.LINK
    if ip.is_unspecified or ip.is_multicast:
        return Reach.NOBODY
    return Reach.EVERYBODY if ip.is_global else Reach.SITE


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses of a host; raises OSError where there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_redirect(host: str, addresses: tuple[str, ...], origin: Reach) -> None:
    """Raise ServerError where a server of reach ``origin`` may not send us to one of the addresses."""
    for address in addresses:
        there = reach(address)
        allowed = there == origin if there >= Reach.LINK else there <= origin
        if not allowed or there is Reach.NOBODY:
            what = {Reach.SITE: "a private network", Reach.MACHINE: "this machine", Reach.LINK: "a link-local address"}
            raise ServerError(
                f"the registry redirects to {host} ({address}), {what.get(there, 'an address that is none')}: refused",
                hint="a public registry has no business there; ask who runs it",
            )
