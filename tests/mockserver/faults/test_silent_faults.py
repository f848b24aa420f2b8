"""Responses that never begin: the client receives no byte."""

import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.mockserver.conftest import DEMO_KEY, KNOWN

OTHER = KNOWN.rsplit("/", 1)[0]
EMPTY = [
    ("Prefer: fault=empty\r\n", KNOWN),
    ("", f"{OTHER}/run_empty_reply"),
    ("", "/v1/workflows/wf_empty_reply"),
]
HUNG = [
    ("Prefer: fault=hang\r\n", KNOWN),
    ("", f"{OTHER}/run_never_answers"),
    ("", "/v1/workflows/wf_never_answers"),
]


@pytest.fixture(scope="module")
def address(start_server):
    parts = urlsplit(start_server().url)
    return parts.hostname, parts.port


def send(address, header, path, method="GET"):
    connection = socket.create_connection(address, timeout=30)
    head = f"{method} {path} HTTP/1.1\r\nHost: mock\r\nx-api-key: {DEMO_KEY}\r\n{header}\r\n"
    connection.sendall(head.encode())
    return connection


@pytest.mark.parametrize(("header", "path"), EMPTY)
def test_an_empty_reply_has_no_byte(address, header, path):
    for _ in range(10):
        with send(address, header, path) as connection:
            assert connection.recv(1000) == b""


@pytest.mark.parametrize(("header", "path"), HUNG)
def test_what_never_answers_sends_no_head(address, header, path):
    with send(address, header, path) as connection:
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1000)


def test_a_hang_of_a_while_ends_without_a_byte(start_server):
    url = start_server().url
    httpx.post(f"{url}/__mock/faults", json={"kind": "hang", "hang_ms": 100})
    parts = urlsplit(url)

    with send((parts.hostname, parts.port), "", KNOWN) as connection:
        assert connection.recv(1000) == b""

    (entry,) = httpx.get(f"{url}/__mock/journal").json()["entries"]
    assert (entry["path"], entry["faults"]) == (KNOWN, ["hang"])


@pytest.mark.parametrize("fault", ["empty", "hang"])
@pytest.mark.parametrize("kind", ["HEAD", "304"])
def test_answers_without_a_body_are_silent_too(address, fault, kind):
    header, method = f"Prefer: fault={fault}\r\n", "HEAD" if kind == "HEAD" else "GET"
    if kind == "304":
        url = f"http://{address[0]}:{address[1]}{KNOWN}"
        tag = httpx.get(url, headers={"x-api-key": DEMO_KEY}).headers["ETag"]
        header += f"If-None-Match: {tag}\r\n"

    with send(address, header, KNOWN, method) as connection:
        connection.settimeout(0.5)
        if fault == "empty":
            assert connection.recv(1000) == b""
        else:
            with pytest.raises(TimeoutError):
                connection.recv(1000)


def test_a_truncated_answer_still_has_its_head(address):
    with send(address, "Prefer: fault=truncate\r\n", KNOWN) as connection:
        pieces = iter(lambda: connection.recv(65_536), b"")
        message = b"".join(pieces)

    head, _, body = message.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        json.loads(body)
