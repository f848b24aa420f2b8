"""A server of the standard library with a proxy in front, shared by a module."""

from collections.abc import Iterator

import pytest

from .serving import Plain, Proxy, plain_server, proxying


@pytest.fixture(scope="module")
def shared_upstream() -> Iterator[Plain]:
    with plain_server() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(shared_upstream: Plain) -> Iterator[Proxy]:
    with proxying(f"{shared_upstream.url}/base") as one:
        yield one


@pytest.fixture
def upstream(shared_upstream: Plain) -> Plain:
    """The server, with nothing received and its usual response."""
    shared_upstream.received.clear()
    shared_upstream.handle = lambda one: one.reply(200, [], b"ok")
    return shared_upstream
