"""Our server in a thread of the tests, with an application and limits of their own."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from deadringer.mockserver.server import Limits, bind
from deadringer.mockserver.server.run import create_server

WAIT_S = 20
HOST = "Host: test\r\n"


def error_body(status: int, message: str, fix: str) -> bytes:
    return json.dumps({"error": {"code": status, "message": message, "suggestion": fix}}).encode()


def echo(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Respond with what was read of the request, as JSON."""
    body = environ["wsgi.input"].read()
    seen = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "headers": {
            name.removeprefix("HTTP_"): value
            for name, value in sorted(environ.items())
            if name.startswith(("HTTP_", "CONTENT_"))
        },
        "body": body.decode("latin-1"),
    }
    response = json.dumps(seen).encode()
    head = [("Content-Type", "application/json"), ("Content-Length", str(len(response)))]
    start_response("200 OK", head)
    return [response]


class Served:
    """A server in a thread, with TLS if it has a certificate; `connect` opens a connection."""

    def __init__(
        self,
        application: Any = echo,
        *,
        cache: Any = None,
        protocol: Any = None,
        certificate: Any = None,
        **limits: Any,
    ) -> None:
        self._stack = ExitStack()
        (self._listener,) = bind("127.0.0.1", 0)
        self.address = self._listener.getsockname()
        self._context = certificate and ssl.create_default_context(cafile=certificate.authority)
        ready = threading.Event()
        self.server = create_server(
            application,
            error_body,
            on_ready=ready.set,
            cache=cache,
            limits=Limits(**limits),
            certificate=certificate,
        )
        if protocol is not None:
            self.server.config.http = protocol
        self.thread = threading.Thread(target=self.server.run, args=([self._listener],))
        self.thread.start()
        assert ready.wait(WAIT_S)

    def connect(self) -> socket.socket:
        connection = socket.create_connection(self.address, WAIT_S)
        if self._context:
            connection = self._context.wrap_socket(connection, server_hostname="127.0.0.1")
        return self._stack.enter_context(connection)

    def stop(self) -> None:
        self._stack.close()
        self.server.should_exit = True
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()


@contextmanager
def served(application: Any = echo, **options: Any) -> Iterator[Served]:
    one = Served(application, **options)
    try:
        yield one
    finally:
        one.stop()
