"""A server that violates HTTP results in a finding, never in a traceback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from deadringer.contracts.check import (
    WAITING,
    CheckOptions,
    Conclusion,
    Outcome,
    Report,
    render_text,
    run_check,
)
from deadringer.mockserver import RatePolicy, Settings, create_app
from tests.mutation.servers import KEY as KEY_OF_THE_MOCK
from tests.mutation.servers import PLENTY, mock, serving

KEY = "trig_0123456789abcdef"
Handler = Callable[[socket.socket], None]


@contextmanager
def raw_server(response: Handler) -> Iterator[str]:
    """Serve on a free port; read each connection once, respond and close it."""
    listener = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    response(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        closing.set()
        listener.close()


def send(text: str) -> Handler:
    return lambda connection: connection.sendall(text.encode())


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    for _ in range(10_000):
        connection.sendall(b"x" * 65536)


def dripping(connection: socket.socket) -> None:
    for sign in b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n" + b" " * 900:
        connection.sendall(bytes([sign]))
        time.sleep(0.05)


def redirecting(connection: socket.socket) -> None:
    connection.sendall(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"
    )


HOSTILE = {
    "a body that ends early": (
        send('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"succ'),
        "answer_arrives_whole",
    ),
    "HTML": (
        send("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"),
        "answers_are_json",
    ),
    "a crash": (send("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"), "no_server_errors"),
    "a redirect": (redirecting, "no_redirects"),
    "an endless body": (endless, "answer_arrives_whole"),
    "JSON null": (
        send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\nnull"),
        "schema",
    ),
}


def check(url: str, **more: object) -> Report:
    defaults = {"timeout_s": 0.5, "max_requests": 12, "max_time_s": 20, "max_body_bytes": 1_000_000}
    ids = {"workflow_ids": ("wf_abc123",), "run_ids": ("run_x7k9m2",)}
    return run_check(CheckOptions(base_url=url, api_key=KEY, watch_s=0, **(defaults | ids | more)))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_is_a_finding(name: str) -> None:
    response, rule = HOSTILE[name]

    with raw_server(response) as url:
        report = check(url)

    failed = {one.rule for one in report.results if one.outcome is Outcome.FAILED}
    assert rule in failed
    assert report.conclusion is Conclusion.FAILED
    assert report.requests <= 12


NO_SERVER_OF_HTTP = {
    "an empty reply": (send(""), "closes every connection without a response"),
    "no HTTP": (send("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "does not speak HTTP"),
    "a slow drip": (dripping, "sends no response within the time"),
}


@pytest.mark.parametrize("name", NO_SERVER_OF_HTTP)
def test_what_never_answers_in_http_could_not_be_checked(name: str) -> None:
    response, reason = NO_SERVER_OF_HTTP[name]

    with raw_server(response) as url:
        report = check(url)

    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert reason in report.reason
    assert {one.outcome for one in report.results} == {Outcome.SKIPPED}


def test_nobody_there_could_not_be_checked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    report = check(f"http://127.0.0.1:{port}")

    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert "is unreachable: connection refused. Start the server" in report.reason
    assert {one.outcome for one in report.results} == {Outcome.SKIPPED}
    assert len(render_text(report).splitlines()) < 6  # without a hundred skipped rules
    assert "http:// without TLS" in check(f"https://127.0.0.1:{port}").reason


def test_a_base_url_that_repeats_what_every_path_begins_with_is_told() -> None:
    with mock() as url:
        report = run_check(CheckOptions(url + "/v1/", KEY_OF_THE_MOCK))

    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert "correct BASE_URL. It ends in /v1, but every path" in report.reason
    assert report.reason.endswith(f": {url}/v1/v1/workflows returned 404.")


def test_a_base_url_under_which_nothing_is_is_told() -> None:
    with mock() as url:
        report = run_check(CheckOptions(url + "/api", KEY_OF_THE_MOCK))

    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert report.reason.endswith(f": {url}/api/v1/workflows returned 404.")


def test_a_run_that_is_named_and_not_there_is_told() -> None:
    with mock() as url:
        run = {"workflow_ids": ("wf_abc123",), "run_ids": ("run_none",)}
        report = run_check(CheckOptions(url, KEY_OF_THE_MOCK, quick=True, **run))

    assert report.reason.startswith("run run_none of workflow wf_abc123 cannot be read")


def test_a_long_wait_is_told_when_it_begins() -> None:
    message: list[str] = []
    slept: list[float] = []
    with mock(policy=RatePolicy(limit=5, window_s=30)) as url:
        options = CheckOptions(url, KEY_OF_THE_MOCK, quick=True, max_requests=9)

        def sleep(seconds: float) -> None:
            message.append(f"slept after {message[-1].split()[0]}")
            slept.append(seconds)

        run_check(options, progress=message.append, sleep=sleep)

    assert slept
    assert f"slept after {WAITING}" in message


def test_a_server_below_a_path_with_the_same_end_is_checked() -> None:
    def below(environ: dict, start_response: Callable) -> list[bytes]:
        path = environ["PATH_INFO"].removeprefix("/api/v1")
        if path in {environ["PATH_INFO"], "/v1/workflows"}:  # this server lists no workflows
            start_response("404 NOT FOUND", [("Content-Type", "text/plain")])
            return [b"no"]
        return application({**environ, "PATH_INFO": path}, start_response)

    application = create_app(Settings(rate_policy=PLENTY))
    with serving(below) as url:
        options = CheckOptions(
            url + "/api/v1", KEY_OF_THE_MOCK, workflow_ids=("wf_def456",), quick=True, watch_s=0
        )
        report = run_check(options)

    assert (report.conclusion, report.reason) == (Conclusion.PASSED, "")


def test_a_refused_key_could_not_be_checked() -> None:
    body = (
        '{"success": false, "error": {"code": "INVALID_API_KEY", "message": "no", '
        '"details": null, "suggestion": null}}'
    )
    head = f"HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"

    with raw_server(send(f"{head}\r\n{body}")) as url:
        report = check(url)

    assert report.conclusion is Conclusion.INCONCLUSIVE
    assert "--api-key" in report.reason


def test_a_dropped_connection_is_tried_once_more_and_told() -> None:
    with raw_server(send("")) as url:
        report = check(url)

    assert any("retried once" in note for note in report.notes)
