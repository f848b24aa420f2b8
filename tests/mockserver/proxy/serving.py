"""The proxy and the mock in threads of the tests, and a server of the standard library."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import httpx
from flask import Flask

from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.errors import refusal_body
from deadringer.mockserver.proxy.app import TRAFFIC, build_proxy_app
from deadringer.mockserver.proxy.traffic import LiveTraffic
from deadringer.mockserver.proxy.upstream import Upstream
from deadringer.mockserver.server import Limits, bind
from deadringer.mockserver.server.run import create_server
from tests.machine import NO_TLS

WAIT_S = 20
LIST = "/v1/workflows"
OF_A_PROXY: Mapping[str, Any] = {"api_keys": (), "empty": True, "rate_limit": "off", "cache_mb": 0}
FROZEN = Settings(freeze="2026-03-27T10:20:00Z", log_format="off")


@contextmanager
def running(app: Flask, **options: Any) -> Iterator[str]:
    """Serve an application; yield its URL."""
    (listener,) = bind("127.0.0.1", 0)
    ready = threading.Event()
    limits = Limits(stop_s=2)
    server = create_server(app, refusal_body, on_ready=ready.set, limits=limits, **options)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert ready.wait(WAIT_S)
        yield "http://{}:{}".format(*listener.getsockname())
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive()


class Proxy(NamedTuple):
    url: str
    traffic: LiveTraffic
    app: Flask


@contextmanager
def proxying(
    upstream: str, *, settings: Mapping[str, Any] = {}, access: Any = None, **options: Any
) -> Iterator[Proxy]:
    """Run a proxy in front of a server."""
    chosen = Settings(**{**OF_A_PROXY, **settings})
    target = Upstream(upstream, access, timeout_s=options.pop("timeout_s", 5))
    app = build_proxy_app(chosen, target, **options)
    with running(app, decodes_bodies=False) as url:
        yield Proxy(url, app.extensions[TRAFFIC], app)
    target.close()


@contextmanager
def mocking(settings: Settings = FROZEN) -> Iterator[str]:
    """Run the mock."""
    with running(build_app(settings)) as url:
        yield url


class Received(NamedTuple):
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return {key.lower(): value for key, value in self.headers}.get(name)


Handle = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        owner: Plain = self.server.owner  # type: ignore[attr-defined]
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        owner.received.append(Received(self.command, self.path, self.headers.items(), body))
        owner.handle(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # of any method
            return self.handle_any
        raise AttributeError(name)

    def log_message(self, *_arguments: Any) -> None:
        pass

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        """Send a response; the date and the length are added."""
        self.send_response_only(status)
        self.send_header("Date", "Fri, 27 Mar 2026 10:20:00 GMT")
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Plain:
    """A server of the standard library; `handle` responds to each request."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.handle: Handle = lambda one: one.reply(200, [], b"ok")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        host, port = self._server.server_address[:2]
        self.authority = f"{host!s}:{port}"
        self.url = f"http://{self.authority}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def last(self) -> Received:
        return self.received[-1]


@contextmanager
def plain_server(handle: Handle | None = None) -> Iterator[Plain]:
    with ExitStack() as stack:
        server = Plain()
        stack.callback(server.close)
        if handle is not None:
            server.handle = handle
        yield server


DEMO = {"x-api-key": DEMO_KEY}


def request(proxy: Proxy, method: str, path: str, **options: Any) -> httpx.Response:
    return httpx.request(method, proxy.url + path, verify=NO_TLS, timeout=10, **options)


def raw(proxy: Proxy, data: bytes) -> bytes:
    """Return everything that comes back until the connection ends."""
    host, port = proxy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65_536), b""))
