"""Coverage of the proxy: what its clients met of the server behind it."""

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from deadringer.mockserver.api.middleware import coverage as module
from tests.machine import NO_TLS
from tests.mockserver.conftest import KNOWN
from tests.mockserver.proxy.serving import DEMO, Plain, Proxy, mocking, proxying

LOOP = "/v1/workflows/wf_loop77/executions/run_l4o4p4"


@pytest.fixture(autouse=True)
def at_its_start(proxy: Proxy) -> None:
    httpx.post(f"{proxy.url}/__mock/reset?all=true", verify=NO_TLS).raise_for_status()


@pytest.fixture(scope="module")
def proxied_mock() -> Iterator[Proxy]:
    with mocking() as url, proxying(url) as one:
        yield one


def read(proxy: Proxy, path: str = KNOWN, **headers: str) -> None:
    with contextlib.suppress(httpx.TransportError):
        httpx.get(proxy.url + path, headers={**DEMO, **headers}, verify=NO_TLS)


def coverage(proxy: Proxy, **headers: str) -> dict:
    return httpx.get(f"{proxy.url}/__mock/coverage", headers=headers, verify=NO_TLS).json()


def test_what_clients_met_of_the_server_is_counted_by_session(proxied_mock: Proxy) -> None:
    session = {"X-Mock-Session": "of-a-client"}
    read(proxied_mock, LOOP, **session)
    read(proxied_mock, "/v1/workflows/wf_abc123/executions/run_unknown", **session)
    read(proxied_mock, Prefer="fault=truncate")

    met, other = coverage(proxied_mock, **session)["met"], coverage(proxied_mock)["met"]

    assert {"situations/loop", "codes/getExecution/NOT_FOUND"} <= met.keys()
    assert other == {"operations/getExecution": 1, "situations/connection_cut": 1}


def test_the_lines_are_for_a_mock_and_the_page_states_it(proxied_mock: Proxy) -> None:
    missing = coverage(proxied_mock)["missing"]
    page = httpx.get(f"{proxied_mock.url}/__mock/ui/coverage", verify=NO_TLS).text

    assert all("http://127.0.0.1:4010/" in line for one in missing for line in one["steps"])
    assert "in a mock, which" in page


def test_a_body_that_cannot_be_decoded_is_unknown(proxy: Proxy, upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(200, [("Content-Encoding", "br")], b"\x0b\x02")

    read(proxy)

    assert coverage(proxy)["met"].keys() == {"operations/getExecution", "statuses/getExecution/200"}


def test_a_body_that_is_too_large_is_unknown(
    proxy: Proxy, upstream: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_BYTES", 1000)
    upstream.handle = lambda one: one.reply(200, [], b"[" * 1001)

    read(proxy)

    assert coverage(proxy)["met"].keys() == {"operations/getExecution", "statuses/getExecution/200"}


def test_a_response_that_the_server_breaks_off_is_one_for_the_client(
    proxy: Proxy, upstream: Plain
) -> None:
    def broken_off(one) -> None:
        one.reply(200, [("Content-Length", "100")], b'{"success"')
        one.close_connection = True

    upstream.handle = broken_off

    read(proxy)

    assert coverage(proxy)["met"].keys() == {
        "operations/getExecution",
        "situations/connection_cut",
    }
