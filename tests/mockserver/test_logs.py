"""The log: one line per request, and never a key."""

import json
import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.machine import NO_TLS
from tests.mockserver.conftest import DEMO, DEMO_KEY, KNOWN

OWN_KEY = "own-secret-key-1"


def test_one_readable_line_a_request(start_server):
    server = start_server()

    httpx.get(server.url + KNOWN, headers=DEMO)
    httpx.post(f"{server.url}/v1/none")
    server.stop()

    lines = server.log.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(rf"\d\d:\d\d:\d\d GET {KNOWN} 200 \d+\.\d ms", lines[0])
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /v1/none 401 \d+\.\d ms", lines[1])


def test_what_a_page_asks_for_every_second_gets_no_line(start_server):
    server = start_server()

    httpx.get(f"{server.url}/__mock/state", headers={"X-Mock-Request": "poll"})
    httpx.get(f"{server.url}/__mock/state", headers={"X-Mock-Request": "page"})
    server.stop()

    assert server.log.count("/__mock/state") == 1


def test_as_json_each_line_is_an_object(start_server):
    server = start_server("--log-format", "json")

    httpx.get(f"{server.url}{KNOWN}?a=1", headers=DEMO)
    server.stop()

    (line,) = map(json.loads, server.log.splitlines())
    assert list(line) == ["time", "level", "method", "path", "status", "ms"]
    assert (line["method"], line["path"], line["status"]) == ("GET", f"{KNOWN}?a=1", 200)
    assert line["ms"] >= 0
    assert line["time"].endswith("Z")


def test_it_can_be_switched_off_but_for_trouble(start_server):
    server = start_server("--log-format", "off")

    httpx.get(server.url + KNOWN, headers=DEMO)
    server.stop()

    assert server.log == ""


def test_a_key_is_never_logged_wherever_it_stands(start_server):
    server = start_server("--api-key", OWN_KEY)

    for key in (OWN_KEY, DEMO_KEY):
        encoded = key.replace("-", "%2D").replace("_", "%5F")
        httpx.get(server.url + KNOWN, headers={"x-api-key": key}, verify=NO_TLS)
        httpx.get(server.url + KNOWN, headers={"Authorization": f"Bearer {key}"}, verify=NO_TLS)
        for target in (f"/?x-api-key={key}", f"/?q={key}", f"/?q={encoded}", f"/{key}", f"/?{key}"):
            httpx.get(server.url + target, verify=NO_TLS)
    server.stop()

    assert len(server.log.splitlines()) == 14
    for key in (OWN_KEY, DEMO_KEY):
        assert key not in server.log
        assert key.split("_")[-1] not in server.log


@pytest.mark.parametrize("key", [OWN_KEY, "Own\\'key-0123\"x"], ids=["plain", "quotes"])
def test_a_refusal_of_the_http_server_quotes_no_key(start_server, key):
    server = start_server("--api-key", key)
    address = urlsplit(server.url)
    encoded = "".join(f"%{ord(letter):02X}" for letter in key)
    post = f"POST /v1/workflows HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Encoding: {key}"
    requests = [
        *(
            f"GET {target} HTTP/1.1\r\nHost: x"
            for target in (f"ftp://h/{key}", f"ftp://h/{encoded}")
        ),
        *(f"GET http://{login}@h/v1 HTTP/1.1\r\nHost: x" for login in ("u:other-secret", key)),
        post,
    ]
    shown = []
    for head in requests:
        with socket.create_connection((address.hostname, address.port), 20) as connection:
            connection.sendall(f"{head}\r\n\r\nx".encode())
            shown.append(b"".join(iter(lambda: connection.recv(65_536), b"")).decode())
    server.stop()

    assert all(" 400 " in one or " 415 " in one for one in shown)
    assert len(server.log.splitlines()) >= len(requests)
    for secret in (key[3:-3], key.lower(), encoded, "y-0123", "other-secret"):
        assert secret not in server.log + "".join(shown)


def test_the_server_prints_nothing_of_its_own_engine(start_server):
    server = start_server()
    httpx.get(server.url)

    assert server.stop() == 0
    assert "ranian" not in server.banner + server.log
    assert server.process.stdout.read() == ""
