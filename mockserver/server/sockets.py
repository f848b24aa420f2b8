"""Where a server listens: addresses, Unix sockets, inherited sockets; and its certificate."""

import errno
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

BACKLOG = 1024
_TRIES = 8
"""Ports to try until one is free on all addresses of a host."""
_NO_SUCH_FAMILY = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (recognised, not chosen)


class Certificate(NamedTuple):
    """Files in PEM; `key` may be None if the file of the certificate holds it."""

    certificate: Path
    key: Path | None
    authority: Path | None = None
    """What clients have to trust, where no public authority has signed it."""


class BindError(Exception):
    """An address cannot be listened on."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on every address of a host; port 0 picks one free port for all.

    `localhost` has an address of IPv4 and one of IPv6, `::` means all of both. From here on clients
    can connect; they wait until the server has started.

    Raises:
        BindError: if the address cannot be had.
    """
    host = host.removeprefix("[").removesuffix("]")
    try:
        tries = (_listeners(host, port) for _ in range(_TRIES))
        found = next(filter(None, tries), None)
    except (OSError, UnicodeError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise BindError(
            f"Cannot listen on {host} port {port}: {reason}. "
            "Choose another with --host and --port; --port 0 picks a free port."
        ) from problem
    if found is None:
        raise BindError(f"Cannot listen on {host}: no port is free on all of its addresses.")
    return found


def _listeners(host: str, port: int) -> list[socket.socket]:
    """Return the sockets of a host; none if the port that was picked is not free for all."""
    listeners: list[socket.socket] = []
    for family, address in _addresses(host):
        chosen = port or (listeners[0].getsockname()[1] if listeners else 0)
        try:
            listener = socket.create_server((address, chosen), family=family, backlog=BACKLOG)
        except OSError as problem:
            if listeners and problem.errno in _NO_SUCH_FAMILY:
                continue
            for one in listeners:
                one.close()
            if listeners and not port:
                return []
            raise
        listener.setblocking(False)
        listeners.append(listener)
    return listeners


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """Return the addresses of a host to listen on, those of IPv4 first.

    Raises:
        OSError: if there is none.
    """
    if host == "::" and socket.has_ipv6:
        return [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]  # noqa: S104 (the user chose it)
    # As bytes, a name in ASCII needs none of the tables for names that are not.
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = {(family, str(place[0])) for family, _, _, _, place in found}
    if host == "localhost" and socket.has_ipv6:
        addresses |= {(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")}
    return sorted(addresses)


def bind_path(path: Path) -> list[socket.socket]:
    """Return a Unix socket that listens at a path, in place of one that no process serves.

    Raises:
        BindError: if it cannot be had.
    """
    if _is_served(path):
        raise BindError(f"Cannot listen on {path}: another process does. Choose another --uds.")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            path.unlink()
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError as problem:
        listener.close()
        reason = problem.strerror or str(problem)
        raise BindError(f"Cannot listen on {path}: {reason}. Choose another --uds.") from problem
    listener.setblocking(False)
    return [listener]


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        return caller.connect_ex(str(path)) == 0


def take_over(number: int) -> list[socket.socket]:
    """Return the socket of a file descriptor that this process was started with.

    Raises:
        BindError: if it is none.
    """
    try:
        listener = socket.socket(fileno=number)
        listener.listen(BACKLOG)
    except OSError as problem:
        raise BindError(
            f"File descriptor {number} is no socket to listen on: {problem.strerror}. "
            "Start the server with one, and pass its number with --fd."
        ) from problem
    listener.setblocking(False)
    return [listener]


def base_url(listeners: Sequence[socket.socket], scheme: str = "http") -> str:
    """Return the URL under which this machine reaches the sockets; `unix:PATH` of a Unix one."""
    name = listeners[0].getsockname()
    if not isinstance(name, tuple):
        return f"unix:{name}"
    host, port = str(name[0]), name[1]
    host = _ANY_ADDRESS.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def check_certificate(certificate: Certificate) -> None:
    """Validate that a server can use a certificate.

    Raises:
        BindError: if it cannot.
    """
    import ssl  # plain HTTP does without

    name = certificate.certificate
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(name, certificate.key, lambda: "")
    except (OSError, ValueError) as problem:  # SSLError is an OSError
        reason = problem.strerror if isinstance(problem, FileNotFoundError) else str(problem)
        raise BindError(
            f"Cannot use the certificate {name}: {reason}. Pass PEM files that belong together, "
            "without a password, with --ssl-certfile and --ssl-keyfile."
        ) from problem
