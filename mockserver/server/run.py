"""Starts and stops the server: uvicorn with our connections and our gateway."""

import asyncio
import errno
import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import uvicorn

from . import wire
from .gateway import ErrorBody, Gateway, ResponseCache
from .limits import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger("deadringer")
BACKLOG = 1024
STOP_REST_S = 1
"""What a stop may take beyond `Limits.stop_s`: 8 seconds in all, where containers grant ten."""
AGAIN_S = 0.3
"""A Ctrl-C that comes sooner after the first is the same one, passed on by another process."""
_SOON_S = 0.5
_TRIES = 8
"""Ports to try until one is free on all addresses of a host."""
_NO_SUCH_FAMILY = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_LAST_WORD_S = 0.1
_LAST_LOOKS, _BETWEEN_LOOKS_S = 10, 0.003
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (recognised, not chosen)


class Certificate(NamedTuple):
    """Files in PEM; `key` may be None if the certificate's file holds it."""

    certificate: Path
    key: Path | None
    authority: Path | None = None
    """What clients have to trust, where no public authority has signed it."""


class BindError(Exception):
    """An address cannot be listened on."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on every address of a host; port 0 picks one free port for all.

    `localhost` has an address of IPv4 and one of IPv6, `::` means all of both. From here on clients
    can connect; they wait until the application serves.

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
        return [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]  # noqa: S104 (asked for)
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
            "Start the server with one, and give its number with --fd."
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
            f"Cannot use the certificate {name}: {reason}. Give PEM files that belong together, "
            "without a password, with --ssl-certfile and --ssl-keyfile."
        ) from problem


class Server(uvicorn.Server):
    """Serves until `should_exit` is set; what has arrived by then is answered."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._gateway: Gateway = config.app  # type: ignore[assignment]
        self._on_ready = on_ready
        self._told_to_stop_s = 0.0
        self._stop_asked: SimpleQueue[int] = SimpleQueue()

    def end_process_late(self) -> None:
        """From here on, end the process if a signal to stop has not ended it in time.

        Threads that keep the interpreter busy hold up the event loop and its timers as well.
        """
        threading.Thread(target=self._end_process_late, name="end", daemon=True).start()

    def _end_process_late(self) -> None:
        self._stop_asked.get()
        seconds = self._gateway.limits.stop_s + STOP_REST_S
        time.sleep(seconds - _LAST_WORD_S)
        message = "Ended the process: it had not stopped after %g seconds."
        # In a thread of its own, as what is stuck may be the log.
        threading.Thread(target=LOG.error, args=(message, seconds), daemon=True).start()
        time.sleep(_LAST_WORD_S)
        os._exit(1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; only a Ctrl-C later than the first signal breaks off what is in progress.

        Whatever ends a group of processes may send each the signal, and another process send it
        again.
        """
        if self.should_exit and time.monotonic() - self._told_to_stop_s < AGAIN_S:
            return
        if not self._told_to_stop_s:
            self._told_to_stop_s = time.monotonic()
            self._stop_asked.put(sig)  # which a handler of signals may do, unlike starting threads
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and say so."""
        await super().startup(sockets=sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what has arrived, then end every connection."""
        await _take_what_has_come()
        for server in self.servers:
            server.close()
        await _take_what_has_come()
        self._gateway.is_stopping = True
        wire.end_pauses()
        ending = asyncio.create_task(self._break_off_late())
        await super().shutdown(sockets)
        if not self.force_exit:
            ending.cancel()
            return
        await ending  # which breaks off the connections that uvicorn no longer waits for

    @property
    def _owing(self) -> list[Any]:
        """The connections that have something to read, to answer or to write."""
        return [one for one in self.server_state.connections if not one.is_idle]  # type: ignore[union-attr]

    async def _break_off_late(self) -> None:
        """Break off every connection that takes too long, or at once if that is asked for."""
        seconds, begun = self._gateway.limits.stop_s, time.monotonic()
        is_reported = False
        while not self.force_exit and time.monotonic() - begun < seconds:
            await asyncio.sleep(0.05)
            if not is_reported and time.monotonic() - begun > _SOON_S and self._owing:
                is_reported = True
                LOG.warning(
                    "Waiting up to %g seconds for %d connection(s); Ctrl-C again breaks them off.",
                    seconds,
                    len(self._owing),
                )
        if self._owing:
            reason = (
                "interrupted again" if self.force_exit else f"{seconds:g} seconds were not enough"
            )
            LOG.warning("Broke off %d connection(s): %s.", len(self._owing), reason)
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        self.force_exit = True  # uvicorn would wait for the threads of these connections


async def _take_what_has_come() -> None:
    """Let the loop turn some times: to accept a connection, to read from it, to answer.

    A busy process may take long for one turn, so it is turns that count.
    """
    for _ in range(_LAST_LOOKS):
        await asyncio.sleep(_BETWEEN_LOOKS_S)


def create_server(
    application: "WSGIApplication",
    error_body: ErrorBody,
    *,
    on_ready: Callable[[], None] = lambda: None,
    cache: ResponseCache | None = None,
    limits: Limits | None = None,
    certificate: Certificate | None = None,
    redact: Callable[[str], str] = str,
) -> Server:
    """Return a server of an application; `cache` is asked first.

    `redact` hides secrets in what refusals quote of a request.

    Run it with `run(sockets)`, in any thread; set `should_exit` to stop it.
    """
    gateway = Gateway(application, error_body, cache, limits, redact)
    config = uvicorn.Config(
        gateway,
        interface="asgi3",
        http=_protocol(),
        ws="none",
        lifespan="off",
        workers=1,
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=math.ceil(gateway.limits.idle_s),
        timeout_graceful_shutdown=math.ceil(gateway.limits.stop_s + _SOON_S),
        ssl_certfile=certificate and str(certificate.certificate),
        ssl_keyfile=certificate and certificate.key and str(certificate.key),
        h11_max_incomplete_event_size=gateway.limits.head_bytes,
    )
    logging.getLogger("uvicorn").handlers = LOG.handlers
    return Server(config, on_ready)


def _protocol() -> Any:
    """Return the class of connections: with httptools where it is installed."""
    try:
        from .protocol import CachingProtocol
    except ImportError:
        from .plain import PlainProtocol

        return PlainProtocol
    return CachingProtocol


def serve(
    application: "WSGIApplication",
    listeners: Sequence[socket.socket],
    error_body: ErrorBody,
    **options: Any,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests in progress are finished first.

    One whose client does not read the response is given up after `Limits.stop_s`, or at a second
    Ctrl-C. The process ends STOP_REST_S later at the latest, with exit code 1 if it has to be
    broken off. `options` are those of `create_server`.
    """
    _allow_connections()
    server = create_server(application, error_body, **options)
    server.end_process_late()
    # uvicorn raises the signals again that stopped it, for handlers that stood here before.
    for one in uvicorn.server.HANDLED_SIGNALS:
        signal.signal(one, server.handle_exit)
    server.run(list(listeners))
    for one in uvicorn.server.HANDLED_SIGNALS:  # the process ends; Python would let them kill it
        signal.signal(one, signal.SIG_IGN)


def _allow_connections() -> None:
    """Let this process have as many connections as the system grants it, not the usual 1,024."""
    try:
        import resource
    except ImportError:  # on Windows there is no such limit
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
