"""Invalid session names are refused everywhere, and no session is changed."""

import socket
from urllib.parse import urlsplit

import pytest

from deadringer.mockserver import DEMO_KEY, Settings
from deadringer.mockserver.app import build_app
from tests.mockserver.conftest import KNOWN

IMPOSSIBLE = ["", "caf\xe9", "a b", "a/b", "*", "x" * 65, "one, two"]
CALLS = [
    ("GET", KNOWN),
    ("GET", "/v1/credits/balance"),
    ("PUT", "/__mock/clock"),
    ("GET", "/__mock/state"),
    ("GET", "/__mock/openapi.json"),
]


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def named(name):
    return {"X-Mock-Session": name.encode("latin-1")}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_it_is_a_400_that_tells_which_names_there_may_be(mock, name):
    before = mock.get("/__mock/state").json()

    for method, path in CALLS:
        body = {"speed": 2} if method == "PUT" else None
        response = mock.request(method, path, headers=named(name), json=body)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "VALIDATION_ERROR")
        (line,) = error["details"]["errors"]
        assert line.startswith("X-Mock-Session: ")
        assert "1 to 64 of A-Z a-z 0-9 . _ -" in error["suggestion"]
    assert mock.get("/__mock/state").json() == before


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"caf\xc3\xa9", "'caf\u00c3\u00a9'"),
        (b"caf\xe9", "'caf\u00e9'"),
        (b"\xff", "'\u00ff'"),
        (b"", "what is empty"),
    ],
)
def test_the_real_server_refuses_bytes_that_are_no_name(server, client, name, shown):
    client.get(KNOWN)  # fills the response cache of the default session
    for path, body in ((KNOWN, b""), ("/__mock/clock", b'{"speed": 2}')):
        method = b"PUT" if body else b"GET"
        message = sent(server, method, path, name, body)
        assert message.startswith(b"HTTP/1.1 400 "), message
        assert f"X-Mock-Session: {shown} is no name of a session" in message.decode()
    assert client.get("/__mock/clock").json()["mode"] == "real"


def sent(server, method, path, name, body):
    address = urlsplit(server.url)
    head = b"%b %b HTTP/1.1\r\nHost: %b\r\nx-api-key: %b\r\nX-Mock-Session: %b\r\n" % (
        *(method, path.encode(), address.netloc.encode(), DEMO_KEY.encode(), name),
    )
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        connection.sendall(body)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_the_refusal_stands_in_the_journal_of_the_nameless_session(mock):
    mock.get(KNOWN, headers=named("caf\xe9"))

    (entry,) = mock.get("/__mock/journal").json()["entries"]
    assert (entry["session"], entry["status"], entry["path"]) == ("", 400, KNOWN)
    assert entry["request_violations"] == ["X-Mock-Session: 'caf\xe9' is no name of a session"]


def test_a_key_may_carry_a_session_beside_no_header_only(mock):
    key = {"x-api-key": f"{DEMO_KEY}__session_one"}

    assert mock.get(KNOWN, headers=key).status_code == 200
    assert mock.get(KNOWN, headers={**key, **named("")}).status_code == 400


@pytest.mark.parametrize("page", ["runs", "control", "journal", "contract"])
def test_a_page_looks_at_no_session_that_cannot_be(mock, page):
    bad = mock.get(f"/__mock/ui/{page}", params={"session": "caf\xe9 au lait"})
    good = mock.get(f"/__mock/ui/{page}", params={"session": "one"})

    assert (bad.status_code, good.status_code) == (400, 200)
    assert "is not a session name" in bad.text
    assert "1 to 64 of A-Z a-z 0-9 . _ -" in bad.text
