"""RFC 9110 and 9112, case by case: what a server may do with these bytes, and what ours does.

`conformance.json` holds the cases. Each has the bytes that are `sent`, and the outcomes that are
`allowed` by its `section`: statuses, and "close" where a request that follows has no response.
`seen` is what the application gets of the first request, where that reaches it. Where `is_cut_off`,
the client ends the connection in the middle.
"""

import json
import socket
from pathlib import Path

import pytest

from deadringer.mockserver.server.plain import PlainProtocol
from deadringer.mockserver.server.protocol import CachingProtocol
from tests.mockserver.server.serving import WAIT_S, served

HERE = Path(__file__).parent
GROUPS = json.loads((HERE / "conformance.json").read_text("utf-8"))
CASES = [case for group in GROUPS.values() for case in group]
TABLES = json.loads((HERE / "corpora" / "differences.json").read_text("utf-8"))
DIFFERENCES, OF_PARSERS = TABLES["conformance"], TABLES["parsers"]
PROBE = b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n"


PARSERS = {"httptools": CachingProtocol, "h11": PlainProtocol}


@pytest.fixture(scope="module", params=PARSERS)
def parser(request):
    return request.param


@pytest.fixture(scope="module")
def server(parser):
    with served(protocol=PARSERS[parser]) as server:
        yield server


@pytest.fixture(scope="module")
def both():
    with served(protocol=CachingProtocol) as one, served(protocol=PlainProtocol) as other:
        yield one, other


def responses_of(data):
    """Return status, header lines and body (JSON, None if there is none) of each response."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").lower().split("\r\n")
        body = None
        if data.startswith(b"{"):
            length = next(int(one.split(":")[1]) for one in lines if one.startswith("content-len"))
            body, data = json.loads(data[:length]), data[length:]
        found.append((status.split()[1], lines, body))
    return found


def sent_to(server, pieces):
    """Return the responses to bytes, sent piece by piece on one connection that ends then."""
    with socket.create_connection(server.address, WAIT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:  # it was refused by then
            pass
        return responses_of(b"".join(iter(lambda: connection.recv(65_536), b"")))


def outcome_of(responses):
    statuses = [status for status, _, _ in responses]
    is_probed = bool(responses) and (responses[-1][2] or {}).get("path") == "/probe"
    return " ".join([*statuses[:-1]] if is_probed else [*statuses, "close"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "-"))
@pytest.mark.parametrize(
    "is_cut",
    [
        pytest.param(False, id="at once"),
        pytest.param(True, id="byte by byte", marks=pytest.mark.slow),
    ],
)
def test_an_outcome_is_one_that_the_rfc_allows(server, parser, case, is_cut):
    data = case["sent"].encode("latin-1") + (b"" if case.get("is_cut_off") else PROBE)
    responses = sent_to(server, [bytes([one]) for one in data] if is_cut else [data])
    is_allowed = outcome_of(responses) in case["allowed"]

    # One that differs no longer has to leave the table.
    assert is_allowed != (f"{parser}: {case['name']}" in DIFFERENCES), responses
    for status, lines, body in responses:
        assert status == "100" or any(line.startswith("date: ") for line in lines)
        assert status < "400" or body["error"]["suggestion"]
    first = next((body for status, _, body in responses if status != "100"), None)
    if first and "error" not in first:
        check_seen(first, dict(case.get("seen", {})))


def check_seen(request, wanted):
    """Compare what the application got of a request with what it should."""
    headers = request["headers"]
    assert wanted.pop("without", None) not in headers
    assert wanted.pop("host", headers.get("HOST")) == headers.get("HOST")
    assert headers.items() >= wanted.pop("headers", {}).items()
    assert request.items() >= wanted.items()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"].replace(" ", "-"))
def test_both_parsers_do_the_same(both, case):
    data = case["sent"].encode("latin-1") + (b"" if case.get("is_cut_off") else PROBE)
    ours, theirs = (outcome_of(sent_to(server, [data])) for server in both)

    assert (ours != theirs) == (case["name"] in OF_PARSERS), (ours, theirs)


def test_every_difference_is_of_a_case():
    names = {f"{parser}: {case['name']}" for parser in PARSERS for case in CASES}

    assert DIFFERENCES.keys() <= names
    assert OF_PARSERS.keys() <= {case["name"] for case in CASES}
