"""A server that breaks HTTP itself becomes a finding, never a traceback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from contracts.check import CheckOptions, Report, Result, Verdict, run_check

KEY = "trig_0123456789abcdef"
Answer = Callable[[socket.socket], None]


@contextmanager
def raw_server(answer: Answer) -> Iterator[str]:
    """Serve on a free port; every connection is read once, answered and closed."""
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
                    answer(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        closing.set()
        listener.close()


def send(text: str) -> Answer:
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
    "an empty reply": (send(""), "answer_arrives_whole"),
    "no HTTP": (send("SSH-2.0-OpenSSH_9.2\r\n"), "answer_arrives_whole"),
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
    "a slow drip": (dripping, "answer_arrives_whole"),
    "JSON null": (
        send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\nnull"),
        "schema",
    ),
}


def check(url: str, **more: object) -> Report:
    given = {"timeout_s": 0.5, "max_requests": 12, "max_time_s": 20, "max_body_bytes": 1_000_000}
    ids = {"workflow_ids": ("wf_abc123",), "run_ids": ("run_x7k9m2",)}
    return run_check(CheckOptions(base_url=url, api_key=KEY, watch_s=0, **{**given, **ids, **more}))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_is_a_finding(name: str) -> None:
    answer, rule = HOSTILE[name]

    with raw_server(answer) as url:
        report = check(url)

    broken = {one.rule for one in report.promises if one.result is Result.BROKEN}
    assert rule in broken
    assert report.verdict is Verdict.BROKEN
    assert report.requests <= 12


def test_nobody_there_could_not_be_checked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    report = check(f"http://127.0.0.1:{port}")

    assert report.verdict is Verdict.UNCHECKED
    assert "nobody answers" in report.could_not_check


def test_a_refused_key_could_not_be_checked() -> None:
    body = (
        '{"success": false, "error": {"code": "INVALID_API_KEY", "message": "no", '
        '"details": null, "suggestion": null}}'
    )
    head = f"HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"

    with raw_server(send(f"{head}\r\n{body}")) as url:
        report = check(url)

    assert report.verdict is Verdict.UNCHECKED
    assert "--api-key" in report.could_not_check


def test_a_dropped_connection_is_tried_once_more_and_told() -> None:
    with raw_server(send("")) as url:
        report = check(url)

    assert any("tried once more" in note for note in report.notes)
