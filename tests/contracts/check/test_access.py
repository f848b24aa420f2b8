"""The check gets to servers behind gateways, proxies and TLS, or reports what is in the way."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from deadringer.contracts.check import (
    FORMATS,
    Access,
    AccessError,
    CheckOptions,
    Conclusion,
    Report,
    run_check,
)

from .small_server import KEY, respond_correctly

SECRET = "preview-token-0815"
Reply = tuple[int, str, bytes]
Respond = Callable[[str, dict[str, str]], Reply]


def well(path: str, headers: dict[str, str]) -> Reply:
    """Respond as the contract describes."""
    status, body = respond_correctly(path, headers.get("x-api-key", ""))
    return status, "application/json", body


def behind_a_gate(path: str, headers: dict[str, str]) -> Reply:
    """Refuse what lacks the header of the gateway."""
    if headers.get("x-gate") != SECRET:
        return 403, "text/html", b"\n<h1>No entry</h1>\n<p>Ask the network team</p>"
    return well(path, headers)


@contextmanager
def serving(
    respond: Respond = well, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Serve on a free port; yield the URL and every request as (target, headers)."""
    seen: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append((self.path, headers))
            status, kind, body = respond(self.path, headers)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PROPFIND = do_CONNECT = respond  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Log nothing about a client that hangs up."""

    server = Server(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check(url: str, *, access: Access | None = None, **options: object) -> Report:
    chosen: dict = {
        "workflow_ids": ("wf_abc123",),
        "run_ids": ("run_x7k9m2",),
        "watch_s": 0,
        "quick": True,
        "timeout_s": 5,
    }
    return run_check(CheckOptions(url, KEY, access=access or Access(), **{**chosen, **options}))


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_gateway_that_refuses_is_named_with_its_status_and_first_line() -> None:
    with serving(behind_a_gate) as (url, _):
        report = check(url)

    assert (report.conclusion, report.exit_code) == (Conclusion.INCONCLUSIVE, 2)
    assert "status 403 Forbidden" in report.reason
    assert "<h1>No entry</h1>" in report.reason
    assert "--header NAME:VALUE" in report.reason
    assert not any(one.tested for one in report.results)


@pytest.mark.slow
def test_a_header_of_ones_own_is_sent_with_every_request_and_its_value_hidden() -> None:
    def echoing(path: str, headers: dict[str, str]) -> Reply:
        status, kind, body = behind_a_gate(path, headers)
        if status == 200:
            shown = {**json.loads(body), "message": ["gate was", headers["x-gate"]]}
            return status, kind, json.dumps(shown).encode()
        return status, kind, body

    access = Access(headers=(("x-gate", SECRET),))
    with serving(echoing) as (url, seen):
        report = check(url, access=access, quick=False, generated_cases=15)

    assert report.conclusion is Conclusion.FAILED
    assert {headers.get("x-gate") for _, headers in seen} == {SECRET}
    assert len(seen) > 40  # generated requests among them
    for render in FORMATS.values():
        text = render(report)
        assert SECRET not in text
        assert "x-gate: ***" in text or "x-gate" not in text
    assert "-H 'x-gate: ***'" in FORMATS["text"](report)


@pytest.mark.parametrize(
    ("access", "header", "value"),
    [
        (Access(key_header="x-other-key"), "x-other-key", KEY),
        (Access(bearer=True), "authorization", f"Bearer {KEY}"),
    ],
)
def test_the_key_goes_where_it_is_wanted(access: Access, header: str, value: str) -> None:
    def gateway(path: str, headers: dict[str, str]) -> Reply:
        assert "x-api-key" not in headers
        key = headers.get(header, "").removeprefix("Bearer").strip()
        bearer = headers.get("authorization", "").removeprefix("Bearer").strip()
        return well(path, {"x-api-key": key or bearer})

    with serving(gateway) as (url, seen):
        report = check(url, access=access)

    assert report.conclusion is Conclusion.PASSED
    assert any(headers.get(header) == value for _, headers in seen)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def serving_tls(authority: trustme.CA) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(tls=context) as (url, _):
        yield url


def test_an_untrusted_certificate_is_named_and_can_be_trusted(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    only = {"only": ("DR001",)}

    with serving_tls(authority) as url:
        refused = check(url, **only)
        trusted = check(url, access=Access(ca_file=pem), **only)
        insecure = check(url, access=Access(insecure=True), **only)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        by_variable = check(url, **only)

    assert refused.exit_code == 2
    assert "is not trusted" in refused.reason
    assert "--ca-file" in refused.reason
    assert [one.exit_code for one in (trusted, insecure, by_variable)] == [0, 0, 0]


def test_a_file_of_authorities_that_is_none_is_refused(tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")

    for path in (junk, tmp_path / "missing.pem"):
        with pytest.raises(AccessError, match=r"--ca-file .* cannot be used"):
            check("https://127.0.0.1:1", access=Access(ca_file=path))


def test_the_wrong_scheme_is_named(authority: trustme.CA) -> None:
    with serving() as (url, _):
        plain = check(url.replace("http:", "https:"))
    with serving_tls(authority) as url:
        secured = check(url.replace("https:", "http:"), timeout_s=2)

    assert "does not speak TLS on this port" in plain.reason
    assert "http:// without TLS" in plain.reason
    assert (plain.exit_code, secured.exit_code) == (2, 2)


def test_a_name_that_cannot_be_resolved_is_named() -> None:
    report = check("http://staging.example.invalid")

    assert report.exit_code == 2
    assert "the host name of http://staging.example.invalid cannot be resolved" in report.reason


def test_a_server_that_never_answers_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        report = check(url, timeout_s=0.3)

    assert report.exit_code == 2
    assert "sends no response within the time" in report.reason
    assert "--timeout" in report.reason


@pytest.mark.parametrize("first", [(502, "text/html", b"<h1>Bad gateway</h1>"), None])
def test_one_failure_at_the_start_is_no_finding(first: Reply | None) -> None:
    is_first = True

    def starting(path: str, headers: dict[str, str]) -> Reply:
        nonlocal is_first
        if is_first:
            is_first = False
            if first is not None:
                return first
            time.sleep(1.5)
        return well(path, headers)

    with serving(starting) as (url, _):
        report = check(url, timeout_s=1)

    assert report.conclusion is Conclusion.PASSED
    assert any("when requested again" in note for note in report.notes)


def test_something_that_is_not_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            for _ in range(16):  # two requests, each repeated
                connection, _address = listener.accept()
                connection.recv(4096)
                connection.sendall(b"220 mail.test ESMTP\r\n")
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        report = check(url, timeout_s=2)

    assert report.exit_code == 2
    assert "closes every connection without a response" in report.reason


def test_requests_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def proxy(path: str, headers: dict[str, str]) -> Reply:
        if not path.startswith("http://staging.example.invalid/"):
            return 400, "text/plain", b"this is a proxy"
        return well(urlsplit(path).path, headers)

    with serving(proxy) as (url, seen):
        monkeypatch.setenv("HTTP_PROXY", url.replace("//", "//me:word@"))
        report = check("http://staging.example.invalid")
        through, seen[:] = list(seen), []
        direct = check("http://staging.example.invalid", access=Access(uses_proxy=False))

    assert report.conclusion is Conclusion.PASSED
    assert {headers["proxy-authorization"] for _, headers in through} == {"Basic bWU6d29yZA=="}
    assert seen == []
    assert "cannot be resolved" in direct.reason


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = lambda _path, _headers: (407, "text/plain", b"who are you?")  # noqa: E731

    with serving(refuse) as (url, _):
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("HTTP_PROXY", url)
        tunnel = check("https://staging.example.invalid")
        plain = check("http://staging.example.invalid")
    gone = check("https://staging.example.invalid")

    assert "the proxy refuses the connection" in tunnel.reason
    assert "407" in tunnel.reason
    assert "status 407" in plain.reason
    assert f"https://staging.example.invalid through the proxy {url} is unreachable" in gone.reason
    assert {one.exit_code for one in (tunnel, plain, gone)} == {2}


def test_an_unsupported_proxy_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:hunter2@proxy.test:1080")

    with pytest.raises(AccessError, match=r"socks5://proxy\.test:1080 .*--no-proxy") as problem:
        check("http://api.test")
    assert "hunter2" not in str(problem.value)


def test_a_check_waits_until_the_server_is_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ready, stop = threading.Event(), threading.Event()

    def start_late() -> None:
        stop.wait(1.5)
        with serving(port=port):
            ready.set()
            stop.wait(60)

    thread = threading.Thread(target=start_late, daemon=True)
    thread.start()
    report = check(f"http://127.0.0.1:{port}", wait_s=30)
    assert ready.is_set()
    stop.set()
    thread.join()
    gone = check(f"http://127.0.0.1:{port}", wait_s=0.2)

    assert report.conclusion is Conclusion.PASSED
    assert "was not up within 0.2 s" in gone.reason
