"""`deadringer view URL` reaches servers behind gateways, proxies and TLS, as `check` does."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from deadringer.contracts import load_schema
from deadringer.contracts.check import Access
from deadringer.mockserver.admin.viewer import build_viewer, read_execution
from deadringer.mockserver.cli import main

EXAMPLE = load_schema("execution")["examples"][0]
GOOD = json.dumps({"success": True, "data": EXAMPLE}).encode()
PATH = f"/v1/workflows/{EXAMPLE['workflow_id']}/executions/{EXAMPLE['run_id']}"
KEY = "trig_view_key_0000001"
SECRET = "preview-token-0815"
Reply = tuple[int, str, bytes]


def well(_headers: dict[str, str]) -> Reply:
    return 200, "application/json", GOOD


@contextmanager
def serving(
    respond: Callable[[dict[str, str]], Reply] = well, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Serve on a free port; yield the URL of the run and every request as (target, headers)."""
    seen: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append((self.path, headers))
            status, kind, body = respond(headers)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Log nothing about a client that hangs up."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}{PATH}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def view(*arguments: str) -> Result:
    """Run `deadringer view` where it must fail: it would serve its page until it is stopped."""
    return CliRunner().invoke(main, ["view", "--no-open", *arguments])


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("DEADRINGER_API_KEY", raising=False)


def test_the_key_and_headers_are_sent_as_the_options_name_them() -> None:
    access = Access(headers=(("x-gate", SECRET),), key_header="x-gateway-key")

    with serving() as (url, seen):
        viewed = read_execution(url, KEY, access=access)
        read_execution(url, KEY, access=Access(bearer=True))

    assert viewed.execution == EXAMPLE
    assert [target for target, _ in seen][:2] == [PATH, PATH.partition("/executions")[0]]
    assert {(one["x-gate"], one["x-gateway-key"]) for _, one in seen[:2]} == {(SECRET, KEY)}
    assert {one["authorization"] for _, one in seen[2:]} == {f"Bearer {KEY}"}
    assert "x-api-key" not in {name for _, headers in seen for name in headers}


def test_the_command_on_the_page_shows_the_options_without_secrets() -> None:
    access = Access(headers=(("x-gate", SECRET),), bearer=True, insecure=True)

    with serving() as (url, _):
        app = build_viewer(read_execution(url, KEY, access=access))
        page = app.test_client().get("/__mock/ui/data", headers={"Host": "localhost"}).text

    line = json.loads(page)["links"]["curl"]
    assert line == (
        f"curl -H \"authorization: Bearer $DEADRINGER_API_KEY\" -H 'x-gate: ***' --insecure {url}"
    )
    assert SECRET not in page
    assert KEY not in page


def test_an_untrusted_certificate_is_named_and_can_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, pem = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    with serving(tls=context) as (url, _):
        refused = view(url)
        trusted = [
            read_execution(url, KEY, access=one)
            for one in (Access(ca_file=pem), Access(insecure=True))
        ]
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        trusted.append(read_execution(url, KEY))

    assert refused.exit_code == 2
    assert f"the certificate of {url} is not trusted" in refused.output
    assert "--ca-file" in refused.output
    assert [one.execution for one in trusted] == [EXAMPLE] * 3


def test_the_proxy_of_the_environment_is_asked_unless_it_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"http://staging.example.invalid{PATH}"

    with serving() as (proxy, seen):
        place = proxy.removesuffix(PATH)
        monkeypatch.setenv("HTTP_PROXY", place.replace("//", "//me:word99@"))
        viewed = read_execution(url, KEY)
        direct = view(url, "--no-proxy")
    gone = view(url)

    assert viewed.execution == EXAMPLE
    assert seen[0][0] == url
    assert "the host name" in direct.output
    assert f"{url} through the proxy {place} is unreachable" in gone.output
    assert "word99" not in gone.output
    assert (direct.exit_code, gone.exit_code) == (2, 2)


def test_a_gateway_that_refuses_is_shown_with_its_first_line() -> None:
    def gate(headers: dict[str, str]) -> Reply:
        if headers.get("x-gate") == SECRET:
            return well(headers)
        return 403, "text/html", f"\n<h1>No entry with {headers.get('x-gate')}</h1>".encode()

    with serving(gate) as (url, _):
        refused = view(url, "-H", "x-gate: wrong-token-0815")
        passed = read_execution(url, None, access=Access(headers=(("x-gate", SECRET),)))

    assert refused.exit_code == 2
    assert "returned 403, not JSON: '<h1>No entry with ***</h1>'" in refused.output
    assert passed.execution == EXAMPLE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bearer", "--key-header", "x-key"], "--key-header and --bearer both name"),
        (["--insecure", "--ca-file", "none.pem"], "--insecure trusts every certificate"),
        (["--ca-file", "none.pem"], "--ca-file none.pem cannot be used: No such file"),
        (["-H", "no header"], "is not NAME:VALUE"),
        (["--api-key", "trig_käse_0000000001"], "the key holds the character U+00E4"),
    ],
)
def test_options_that_cannot_be_used_are_refused(arguments: list[str], message: str) -> None:
    done = view("https://127.0.0.1:9/run", *arguments)

    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_url_with_a_password_is_refused_without_it() -> None:
    done = view(f"http://me:word99@127.0.0.1:9{PATH}")

    assert done.exit_code == 2
    assert "must not contain credentials" in done.output
    assert "word99" not in done.output


def test_a_line_end_around_the_key_is_removed_with_a_note() -> None:
    done = view("http://127.0.0.1:9/run", "--api-key", f"{KEY}\n")

    assert "note: a line end around the key was removed" in done.output
    assert "is unreachable" in done.output
