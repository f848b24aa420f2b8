"""Requests and responses pass the proxy unchanged, apart from what belongs to one connection."""

import gzip
import json
import threading
import zlib

import httpx
import pytest

from deadringer.contracts.check import Access
from tests.machine import NO_TLS
from tests.mockserver.proxy.serving import (
    DEMO,
    LIST,
    Handler,
    Plain,
    Proxy,
    plain_server,
    proxying,
    raw,
    request,
)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/workflows/a%2Fb/executions/%C3%A9?page=1&page=2&q=a+b%20c",
        "/a//b/./c/../d",
        "/%2e%2e/x",
        "/?",
        "/plain?x=%00#f",
    ],
)
def test_the_target_is_forwarded_as_it_was_sent(proxy: Proxy, upstream: Plain, target: str) -> None:
    raw(proxy, f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())

    assert upstream.last.target == "/base" + target.partition("#")[0].removesuffix("?")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_forwarded(proxy: Proxy, upstream: Plain, method: str) -> None:
    response = request(proxy, method, "/x", content=b"{}" if method == "POST" else None)

    assert response.status_code == 200
    assert upstream.last.method == method
    assert upstream.last.body == (b"{}" if method == "POST" else b"")


def test_headers_about_one_connection_are_not_forwarded(proxy: Proxy, upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(
        200,
        [
            *(("Connection", "x-private"), ("X-Private", "1"), ("Keep-Alive", "timeout=5")),
            *(("X-Public", "2"), ("Proxy-Authenticate", "Basic")),
        ],
        b"{}",
    )
    lines = (
        "GET /x HTTP/1.1\r\nHost: client.test\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\n"
        "Keep-Alive: 1\r\nTE: trailers\r\nProxy-Authorization: Basic abc\r\nUpgrade: h2c\r\n"
        "X-Other: 2\r\nX-Mock-Token: secret\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
    )

    response = raw(proxy, lines.encode()).lower()

    sent = {name.lower(): value for name, value in upstream.last.headers}
    assert sent == {"host": upstream.authority, "x-other": "2", "cookie": "a=1; b=2"}
    assert b"x-public: 2" in response
    assert b"x-private" not in response
    assert b"keep-alive" not in response
    assert b"proxy-authenticate" not in response
    assert b"\r\ndate: fri, 27 mar 2026 10:20:00 gmt" in response
    assert response.count(b"\r\ndate:") == 1


def test_the_host_of_the_client_is_forwarded_on_request(upstream: Plain) -> None:
    from deadringer.mockserver.proxy.forwarding import ForwardingOptions

    with proxying(upstream.url, options=ForwardingOptions(keeps_host=True)) as proxy:
        request(proxy, "GET", "/x", headers={"Host": "shop.test:81"})

    assert upstream.last.header("host") == "shop.test:81"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x-own"])
@pytest.mark.parametrize("path", [LIST, "/other"])
def test_bodies_stay_as_they_are(proxy: Proxy, upstream: Plain, coding: str, path: str) -> None:
    body = {"gzip": gzip.compress, "deflate": zlib.compress}.get(coding, bytes)(b'{"a": 1}')
    headers = [("Content-Encoding", coding), ("Content-Type", "application/json")]
    upstream.handle = lambda one: one.reply(200, headers, body)

    with httpx.stream("GET", proxy.url + path, verify=NO_TLS) as response:
        received = b"".join(response.iter_raw())

    assert received == body
    assert response.headers["content-encoding"] == coding
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_request_bodies_stay_as_they_are(proxy: Proxy, upstream: Plain, coding: str) -> None:
    sent = {"content-encoding": coding, "content-type": "application/json"}

    request(proxy, "POST", f"{LIST}/wf/test", content=b"no gzip at all", headers=sent)

    assert upstream.last.body == b"no gzip at all"
    assert upstream.last.header("content-encoding") == coding
    assert upstream.last.header("content-type") == "application/json"


@pytest.mark.parametrize(
    ("accepted", "forwarded"),
    [
        ("gzip, deflate, br, zstd", "gzip, deflate"),
        ("br;q=1.0, gzip;q=0.2", "gzip;q=0.2"),
        ("*", "gzip"),
        ("br", "identity"),
    ],
)
def test_operations_accept_what_can_be_validated(
    proxy: Proxy, upstream: Plain, accepted: str, forwarded: str
) -> None:
    request(proxy, "GET", LIST, headers={"Accept-Encoding": accepted})
    of_operation = upstream.last.header("accept-encoding")
    request(proxy, "GET", "/other", headers={"Accept-Encoding": accepted})

    assert of_operation == forwarded
    assert upstream.last.header("accept-encoding") == accepted


def test_a_body_in_chunks_arrives_whole(proxy: Proxy, upstream: Plain) -> None:
    def chunked(one: Handler) -> None:
        one.reply(200, [("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    upstream.handle = chunked

    assert request(proxy, "GET", "/other").content == b"abcdefg"
    assert request(proxy, "GET", LIST).content == b"abcdefg"


def test_a_stream_passes_piece_by_piece(proxy: Proxy, upstream: Plain) -> None:
    go_on = threading.Event()

    def slow(one: Handler) -> None:
        one.reply(200, [("Transfer-Encoding", "chunked"), ("Content-Type", "text/event-stream")])
        one.wfile.write(b"3\r\none\r\n")
        assert go_on.wait(10)
        one.wfile.write(b"3\r\ntwo\r\n0\r\n\r\n")

    upstream.handle = slow

    with httpx.stream("GET", f"{proxy.url}/events", verify=NO_TLS, timeout=10) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"one"
        go_on.set()
        assert b"".join(pieces) == b"two"


def test_heads_and_empty_responses_keep_their_headers(proxy: Proxy, upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(200, [("Content-Length", "1234")])
    assert request(proxy, "HEAD", LIST).headers["content-length"] == "1234"
    assert request(proxy, "HEAD", "/other").headers["content-length"] == "1234"

    upstream.handle = lambda one: one.reply(304, [("ETag", '"x"'), ("Content-Length", "0")])
    response = request(proxy, "GET", LIST, headers={"If-None-Match": '"x"', **DEMO})
    assert (response.status_code, response.headers["etag"]) == (304, '"x"')
    assert upstream.last.header("if-none-match") == '"x"'
    assert "Deadringer-Violations" in response.headers  # RateLimit headers are missing

    upstream.handle = lambda one: one.reply(204, [("Content-Length", "0")])
    assert request(proxy, "DELETE", "/other").status_code == 204


def test_no_header_is_added(proxy: Proxy, upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(200, [("X-One", "1")], b"abc")

    response = request(proxy, "GET", "/other")

    assert {name.lower() for name in response.headers} == {"date", "x-one", "content-length"}


@pytest.mark.parametrize(
    ("location", "returned"),
    [
        ("{upstream}/base/v1/x?y=1#z", "{proxy}/v1/x?y=1#z"),
        ("{upstream}/elsewhere", "{upstream}/elsewhere"),
        ("{upstream}", "{upstream}"),
        ("{upstream}/based", "{upstream}/based"),
        ("//{authority}/base/x", "{proxy}/x"),
        ("/base/login", "/login"),
        ("/other", "/other"),
        ("next", "next"),
        ("https://elsewhere.test/base/x", "https://elsewhere.test/base/x"),
        ("http://[", "http://["),
    ],
)
def test_redirects_lead_back_to_the_proxy(
    proxy: Proxy, upstream: Plain, location: str, returned: str
) -> None:
    known = {"upstream": upstream.url, "proxy": proxy.url, "authority": upstream.authority}
    upstream.handle = lambda one: one.reply(302, [("Location", location.format(**known))])

    response = request(proxy, "GET", "/other")

    assert response.status_code == 302
    assert response.headers["location"] == returned.format(**known)


def test_cookies_fit_the_address_of_the_proxy(proxy: Proxy, upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(
        200,
        [
            ("Set-Cookie", "a=1; Domain=.real.test; Path=/base/x; Secure; HttpOnly; SameSite=None"),
            ("Set-Cookie", "b=2; SameSite=Lax; Expires=Fri, 27 Mar 2026 10:20:00 GMT"),
            ("Strict-Transport-Security", "max-age=1"),
            ("Alt-Svc", 'h3=":443"'),
        ],
    )

    response = request(proxy, "GET", "/other")

    assert response.headers.get_list("set-cookie") == [
        "a=1; Path=/x; HttpOnly",
        "b=2; SameSite=Lax; Expires=Fri, 27 Mar 2026 10:20:00 GMT",
    ]
    assert "strict-transport-security" not in response.headers
    assert "alt-svc" not in response.headers


def test_cookies_of_one_client_are_not_sent_for_another(proxy: Proxy, upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(200, [("Set-Cookie", "session=1")])

    request(proxy, "GET", "/other")
    request(proxy, "GET", "/other")

    assert upstream.last.header("cookie") is None


def test_a_websocket_is_refused(proxy: Proxy, upstream: Plain) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }

    response = request(proxy, "GET", "/socket", headers=headers)

    assert response.status_code == 501
    assert "WebSocket" in response.json()["error"]["message"]
    assert upstream.received == []


def test_other_paths_are_refused_on_request(upstream: Plain) -> None:
    from deadringer.mockserver.proxy.forwarding import ForwardingOptions

    with proxying(upstream.url, options=ForwardingOptions(passes_other_paths=False)) as proxy:
        refused = request(proxy, "GET", "/other")
        passed = request(proxy, "GET", LIST)

    assert refused.status_code == 404
    assert "--other-paths" in refused.json()["error"]["suggestion"]
    assert passed.status_code == 200


def test_pages_of_other_origins_may_read_responses(proxy: Proxy, upstream: Plain) -> None:
    upstream.handle = lambda one: one.reply(200, [("Access-Control-Allow-Origin", "https://x")])
    origin = {"Origin": "http://localhost:5173"}

    response = request(proxy, "GET", LIST, headers=origin)
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    preflight = request(proxy, "OPTIONS", LIST, headers={**origin, **asked})

    assert response.headers.get_list("access-control-allow-origin") == ["http://localhost:5173"]
    assert "Deadringer-Violations" in response.headers["access-control-expose-headers"]
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "x-api-key"
    assert len(upstream.received) == 1


def test_pages_of_other_machines_get_no_credentials(proxy: Proxy, upstream: Plain) -> None:
    for origin in ("https://evil.test", "http://localhost.evil.test", "http://127.0.0.1.evil.test"):
        response = request(proxy, "GET", LIST, headers={"Origin": origin})
        assert "access-control-allow-origin" not in response.headers

    with proxying(upstream.url, settings={"cors": "wildcard"}) as other:
        response = request(other, "GET", LIST, headers={"Origin": "https://evil.test"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


def test_without_cors_the_upstream_decides(upstream: Plain) -> None:
    allowed = [("Access-Control-Allow-Origin", "https://app.test")]
    upstream.handle = lambda one: one.reply(200, allowed)
    asked = {"Origin": "https://app.test", "Access-Control-Request-Method": "GET"}

    with proxying(upstream.url, settings={"cors": "off"}) as proxy:
        preflight = request(proxy, "OPTIONS", LIST, headers=asked)

    assert preflight.headers["access-control-allow-origin"] == "https://app.test"
    assert upstream.last.method == "OPTIONS"


def test_headers_of_the_proxy_are_sent_and_guarded(upstream: Plain) -> None:
    access = Access(headers=(("authorization", "Bearer s3cret-token-of-the-proxy"),))

    with proxying(upstream.url, access=access) as proxy:
        request(proxy, "GET", "/x", headers={"Authorization": "Bearer mine"})
        sent = upstream.last.header("authorization")
        foreign = request(proxy, "GET", "/x", headers={"Origin": "https://evil.test"})
        rebound = request(proxy, "GET", "/x", headers={"Host": "evil.test"})

    assert sent == "Bearer s3cret-token-of-the-proxy"
    assert (foreign.status_code, rebound.status_code) == (403, 403)
    assert json.loads(foreign.text)["error"]["code"] == "FORBIDDEN"
    assert len(upstream.received) == 1


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with plain_server(lambda one: one.reply(200, [], b"by proxy")) as middle:
        monkeypatch.setenv("HTTP_PROXY", middle.url)
        with proxying("http://real.test/base") as proxy:
            response = request(proxy, "GET", "/v1/x%2Fy", trust_env=False)

    assert response.text == "by proxy"
    assert middle.last.target == "http://real.test/base/v1/x%2Fy"
    assert middle.last.header("host") == "real.test"


def test_every_line_of_connection_counts(proxy: Proxy, upstream: Plain) -> None:
    lines = [("Connection", "X-Hop"), ("Connection", "keep-alive"), ("X-Hop", "hop")]
    upstream.handle = lambda one: one.reply(200, lines, b"ok")

    assert "x-hop" not in request(proxy, "GET", "/x").headers
