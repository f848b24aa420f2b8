"""HTTP servers in this process: the mock, with a fault or a tolerated variant in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from deadringer.mockserver import DEMO_KEY, RatePolicy, Settings, create_app
from deadringer.mockserver.faults.contract import MutableResponse, Traffic
from tests.threads import served

Change = Callable[[Traffic, MutableResponse], None]
PLENTY = RatePolicy(limit=100_000, window_s=60)


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_arguments: object) -> None:
        """Log nothing; the application has its own log."""


@contextmanager
def serving(application: Callable[..., Any], *, protocol: str = "HTTP/1.1") -> Iterator[str]:
    """Serve a WSGI application on a free port; yield its base URL."""
    handler = type("Handler", (_QuietHandler,), {"protocol_version": protocol})
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=handler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    with served(server) as url:
        yield url


@contextmanager
def mock(*breaks: str, policy: RatePolicy = PLENTY) -> Iterator[str]:
    """Serve the mock with some contract faults; yield its base URL."""
    settings = Settings(breaks=breaks, rate_policy=policy, log_format="text")
    with serving(create_app(settings)) as url:
        yield url


def alone(change: Change) -> Change:
    """Return a change that leaves the server's own requests alone, which it may send itself."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if _OWN in traffic.query:
            return
        send = traffic.send

        def marked(target: str) -> MutableResponse:
            return send(f"{target}{'&' if '?' in target else '?'}{_OWN}=1")

        traffic.send = marked
        change(traffic, response)

    return changed


_OWN = "x-own-request"
KEY = DEMO_KEY
