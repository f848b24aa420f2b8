"""Serves a WSGI application: an event loop reads and writes, threads make what is not kept."""

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from deadringer.mockserver.exceptions import StartError

from . import MOST_AT_ONCE, Connection, Desk, Kept
from .pauses import end_pauses

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BACKLOG = 1024
PATIENT_STOP_S = 7
"""What is under way may take so long when the server is told to stop."""
LONGEST_STOP_S = 9
"""The process ends then, whatever is stuck: containers grant ten seconds."""
AGAIN_S = 0.3
"""A Ctrl-C that comes sooner after the first is the same one, passed on by whoever else got it."""
_SOON_S = 0.5
_LAST_LOOKS, _BETWEEN_LOOKS_S = 10, 0.003
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (recognised, not chosen)


def bind(host: str, port: int) -> socket.socket:
    """Give a socket that listens; port 0 picks a free one.

    From here on callers can connect; they wait until the application serves.

    Raises:
        StartError: if the address cannot be had.
    """
    try:
        # As bytes, a name in ASCII needs none of the tables for names that are not.
        name = host.encode() if host.isascii() else host
        family, *_, address = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
        # A large body leaves in a write of its own; held back by Nagle's algorithm, it would wait
        # some 40 ms for the reader's acknowledgement. Accepted connections inherit the option.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, UnicodeError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise StartError(
            f"Cannot listen on {host} port {port}: {reason}. "
            "Choose another with --host and --port; --port 0 picks a free port."
        ) from problem
    listener.setblocking(False)
    return listener


def base_url(listener: socket.socket) -> str:
    """Give the URL under which this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    host = _ANY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    application: "WSGIApplication",
    listener: socket.socket,
    on_ready: Callable[[], None],
    kept: Kept | None = None,
    at_once: int = MOST_AT_ONCE,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests in flight are finished first.

    One whose caller does not take the answer is given up after `PATIENT_STOP_S`, or at a second
    Ctrl-C. If the application is stuck, the process ends by SIGALRM after `LONGEST_STOP_S`.
    `on_ready` is called once, when callers can connect. `kept` is asked first. With `at_once=1`
    one thread does everything, which is fastest if nothing ever waits.
    """
    _allow_connections()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(application, listener, on_ready, kept, at_once))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give the maker of a quicker event loop, where there is one for this system."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


async def _serve(
    application: "WSGIApplication",
    listener: socket.socket,
    on_ready: Callable[[], None],
    kept: Kept | None,
    at_once: int,
) -> None:
    told_to_stop = asyncio.Event()
    desk = Desk(application, kept, at_once)
    _on_signals(told_to_stop, lambda: desk.give_up("interrupted again"))
    host, port = listener.getsockname()[:2]
    common = {"SERVER_NAME": host, "SERVER_PORT": str(port)}
    server = await desk.loop.create_server(
        lambda: Connection(desk, common), sock=listener, backlog=BACKLOG
    )
    on_ready()
    await told_to_stop.wait()
    await _take_what_has_come()
    server.close()
    await _take_what_has_come()
    end_pauses()
    reason = f"{PATIENT_STOP_S} seconds were not enough"
    desk.loop.call_later(_SOON_S, desk.tell_of_waiting, PATIENT_STOP_S)
    desk.loop.call_later(PATIENT_STOP_S, desk.give_up, reason)
    await desk.stop()
    if hasattr(signal, "alarm"):
        signal.alarm(0)


async def _take_what_has_come() -> None:
    """Let the loop turn some times: to accept a connection, to read from it, to answer.

    A busy process may take long for one turn, so it is turns that count.
    """
    for _ in range(_LAST_LOOKS):
        await asyncio.sleep(_BETWEEN_LOOKS_S)


def _on_signals(told_to_stop: asyncio.Event, hurry: Callable[[], None]) -> None:
    """Begin to stop when told; the system sees to it that this has an end, whatever is stuck.

    Only a Ctrl-C later than the first signal is meant to hurry: who ends a group of processes may
    send each SIGTERM, and the one that watches over them sends it again.
    """
    loop = asyncio.get_running_loop()
    first_s: list[float] = []

    def stop(number: int) -> None:
        if first_s:
            if number == signal.SIGINT and loop.time() - first_s[0] > AGAIN_S:
                hurry()
            return
        first_s.append(loop.time())
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LONGEST_STOP_S)
        told_to_stop.set()

    for one in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(one, stop, one)
        except NotImplementedError:  # on Windows
            signal.signal(one, lambda number, _frame: loop.call_soon_threadsafe(stop, number))


def _allow_connections() -> None:
    """Let this process have as many connections as the system grants it, not the usual 1,024."""
    try:
        import resource
    except ImportError:  # on Windows there is no such limit
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
