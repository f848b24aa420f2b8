"""Runs a WSGI application on Granian; as `bare_granian` loads it."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .bare_granian import (
    HTTPModes,
    Interfaces,
    LogLevels,
    MTServer,
    SocketHolder,
    thread_server,
)
from .calling import MOST_AT_ONCE, caller_of
from .pauses import end_pauses
from .start_errors import StartError
from .takers import FOR_EVER_S
from .transport_faults import BrokenConnectionError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from .calling import Repeated

BACKLOG = 1024
MOST_CONNECTIONS = 65_536
"""Of one worker. Granian counts an open connection as a request under way, so this is not less."""
_TAKERS = 64
"""Threads that may take requests: one at a time does, and a body that is being sent holds one."""
LONGEST_STOP_S = 9
"""What is under way may take so long when the server is told to stop: containers grant ten."""
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (recognised, not chosen)


def bind(host: str, port: int) -> socket.socket:
    """Give a socket that listens; port 0 picks a free one.

    From here on callers can connect; they wait until the application serves.

    Raises:
        StartError: if the address cannot be had.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
        # Head and body leave in two writes; held back by Nagle's algorithm, the second would wait
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
    repeated: "Repeated | None" = None,
    at_once: int = MOST_AT_ONCE,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests in flight are finished first.

    One whose caller does not take the answer is given up after `LONGEST_STOP_S`, and this process
    then ends by SIGALRM. `on_ready` is called once, when callers can connect. `repeated` is asked
    first. With `at_once=1` one thread does everything, which is fastest if nothing ever waits.
    """
    _allow_connections()
    # Where Granian's thread server looks up what calls the application for one request.
    call = caller_of(application, repeated, at_once)
    thread_server._wsgi_call_wrap = lambda *_: call  # type: ignore[attr-defined] # noqa: SLF001 - no public hook
    server = _OneProcessServer(listener, min(_TAKERS, at_once))
    server.on_startup(on_ready)
    server.serve(target_loader=lambda: application, wrap_loader=False)


def _allow_connections() -> None:
    """Let this process have as many connections as the system grants it, not the usual 1,024."""
    try:
        import resource
    except ImportError:  # on Windows there is no such limit
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Wakeup:
    """What Granian's main loop waits for, in place of a `threading.Event`.

    A signal may come while the main thread holds the lock of the Event that it waits for, so that
    its handler would wait for ever; or just before the main thread begins to wait, which Python
    would then not interrupt to call the handler. A pipe has no lock, and the system's part of
    signal handling writes into this one.
    """

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        os.set_blocking(self._in, False)
        signal.set_wakeup_fd(self._in, warn_on_full_buffer=False)

    def set(self) -> None:
        """Wake the main loop; a signal handler may."""
        with suppress(BlockingIOError):  # as many words wait already as the pipe holds
            os.write(self._in, b"!")

    def wait(self) -> None:
        """Wait to be woken."""
        os.read(self._out, 1)

    def clear(self) -> None:
        """Do nothing: whoever waited has taken what woke it."""


class _OneProcessServer(MTServer):
    """Granian's thread server, in this process, on a socket we bound.

    Granian starts worker processes on a Python with a global lock. One process starts faster,
    needs half the memory, leaves no orphan when it is killed, and serves as many requests a
    second on one core. The methods replaced here are not public: `bind` and a test of the
    real server would show a change of theirs at once.
    """

    def __init__(self, listener: socket.socket, takers: int) -> None:
        super().__init__(
            target="",
            address=listener.getsockname()[0],
            port=listener.getsockname()[1],
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            log_level=LogLevels.error,
            backpressure=MOST_CONNECTIONS,
            blocking_threads=takers,
            log_dictconfig=_logs_to_standard_error(),
        )
        self._listener = listener
        if sys.platform != "win32":  # there, only an Event can be interrupted
            self.main_loop_interrupt = _Wakeup()  # type: ignore[assignment] # does what is asked of it

    def startup(self, *arguments: Any) -> None:
        """Start, with threads that never end: Granian takes ten idle minutes at most."""
        self.blocking_threads_idle_timeout = FOR_EVER_S
        super().startup(*arguments)  # type: ignore[no-untyped-call] # is untyped

    def _check_gil(self) -> None:
        """Accept a Python with a global lock."""

    def _stop_workers(self) -> None:
        """Tell the worker thread to end, and once more if it was just starting: it did not listen.

        Each word waits to be heard, and whoever says one more holds the interpreter's lock while it
        waits: a third would stop the requests that are to be finished.
        """
        for worker in self.wrks:
            for patience_s in (1, None):
                if worker.inner.is_alive():
                    worker.terminate()  # type: ignore[no-untyped-call] # is untyped
                    worker.inner.join(patience_s)
        self.wrks.clear()

    def signal_handler_interrupt(self, *arguments: Any) -> None:
        """Begin to stop; the system sees to it that this has an end, whatever is stuck."""
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LONGEST_STOP_S)
        super().signal_handler_interrupt(*arguments)  # type: ignore[no-untyped-call] # is untyped

    def shutdown(self, exit_code: int = 0) -> None:
        """Finish the requests in flight, without the pauses that were asked for."""
        end_pauses()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call] # is untyped

    def _init_shared_socket(self) -> None:
        handle = self._listener.detach()
        # On Windows the class takes the handle alone; its type stub lacks both constructors.
        holder: Any = SocketHolder
        if sys.platform == "win32":
            self._shd = holder(handle)
        else:
            self._shd = holder(handle, False, BACKLOG)
        self._ssp = None


def _is_by_accident(record: logging.LogRecord) -> bool:
    """Tell whether an answer broke off by accident: a fault that was asked for is no news."""
    return BrokenConnectionError.__name__ not in record.getMessage()


def _logs_to_standard_error() -> dict[str, Any]:
    """Give Granian's logging settings, which would otherwise write to standard output."""
    handler = {
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stderr",
        "filters": ["by accident"],
    }
    return {
        "formatters": {},
        "filters": {"by accident": {"()": lambda: _is_by_accident}},
        "handlers": {"console": handler},
        "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
    }
