"""Bodies in gzip: in as many members as may be, and what each costs."""

import gzip
import json
import random
import time

import pytest

from tests.mockserver.server.raw import ResponseReader, error_of
from tests.mockserver.server.serving import HOST, served

HEAD = f"POST /x HTTP/1.1\r\n{HOST}Content-Encoding: gzip\r\n"


@pytest.fixture(scope="module")
def server():
    with served() as server:
        yield server


def sent(server, body):
    connection = server.connect()
    connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return ResponseReader(connection).next()


def test_members_of_any_size_follow_each_other(server):
    source = random.Random(1)
    parts = [source.randbytes(source.choice([0, 1, 700, 16_384, 60_000])) for _ in range(60)]
    parts += [bytes(3_000_000), b"end"]

    status, _, response = sent(server, b"".join(map(gzip.compress, parts)))
    assert status == 200
    assert json.loads(response)["body"].encode("latin-1") == b"".join(parts)


@pytest.mark.parametrize(
    "tail",
    [b"\x1f", b"text", gzip.compress(b"text", mtime=0)[:-1]],
    ids=["begun", "no member", "cut off"],
)
def test_what_follows_a_member_is_another_one(server, tail):
    assert error_of(sent(server, gzip.compress(b"text") + tail))[0] == 400


def test_thousands_of_members_are_read(server):
    status, _, response = sent(server, gzip.compress(b"x") * 9_000)

    assert (status, json.loads(response)["body"]) == (200, "x" * 9_000)


def test_a_body_of_nothing_but_members_is_refused_soon(server):
    began = time.monotonic()
    status, message = error_of(sent(server, gzip.compress(b"") * 400_000))

    assert status == 400
    assert "too many members" in message
    assert time.monotonic() - began < 10
