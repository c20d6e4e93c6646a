"""URLs of servers: what they must be, what of them is shown, which proxy leads to them."""

from __future__ import annotations

import re
import urllib.request
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from modelsmith.errors import UsageError


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` (no port, no brackets) is this machine by name or address."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost")


def redacted(url: str) -> str:
    """Return ``url`` without user name and password, however malformed it is."""
    return re.sub(r"(?<=//)[^/?#]*@", "", url)


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for ``url``; None for this machine and for hosts in ``NO_PROXY``."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{found}" if found and "://" not in found else found


def checked(url: str) -> SplitResult:
    """Return the parts of a server's URL; raises UsageError for what is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise not_a_url(url)


def not_a_url(url: str) -> UsageError:
    """Return the error for what is no URL of a server."""
    return UsageError(f"{redacted(url)!r} is not the URL of a server", hint="write it as http://HOST:PORT")
