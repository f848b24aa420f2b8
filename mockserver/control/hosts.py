"""Names under which this server is asked for, and whose pages those are."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

_WIDE = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to


def is_loopback(name: str) -> bool:
    """Tell whether a host name or address is this machine, for browsers too (RFC 6761)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def is_own(name: str, bound: str, allowed: Iterable[str]) -> bool:
    """Tell whether a request for this host can be meant for us.

    A page of another site can make its own name lead here (DNS rebinding), and then counts as one
    of ours. It cannot do so with an address, nor with a name no public registry gives out, which is
    how containers call each other.
    """
    if is_loopback(name) or name == bound.lower() or name in {one.lower() for one in allowed}:
        return True
    if is_loopback(bound.lower()):
        return False
    is_private = "." not in name or name.endswith(".internal")
    return bool(name) and (_address(name) is not None or is_private)


def host_name(authority: str) -> str:
    """Give the name or address in `name:port`, "" if there is none."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:  # half a bracket
        return ""


def authority_of(origin: str) -> str:
    """Give `name:port` of an origin, "" if it has none, as `null` has."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def binds_wide(bound: str) -> bool:
    """Tell whether other machines can reach a server that binds there."""
    return bound in _WIDE or not is_loopback(bound.lower())


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
