"""Bodies are decoded within the limit, whatever their compressed bytes expand to."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest

from deadringer.contracts.check import CheckOptions
from deadringer.contracts.check.http.bodies import BodyTooLargeError, read_body
from deadringer.contracts.check.http.client import Client, Request
from deadringer.contracts.exchanges import Failure
from deadringer.contracts.specification import operations

from .test_hostile_servers import KEY, raw_server

TEXT = b'{"success": true}' * 50
_raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
RAW_DEFLATE = _raw.compress(TEXT) + _raw.flush()


def response(coding: str, content: bytes, size: int = 7) -> httpx.Response:
    def chunks() -> Iterator[bytes]:
        for at in range(0, len(content), size):
            yield content[at : at + size]

    return httpx.Response(200, headers={"content-encoding": coding}, content=chunks())


@pytest.mark.parametrize(
    ("coding", "content", "expected"),
    [
        ("", TEXT, TEXT),
        ("identity", TEXT, TEXT),
        ("gzip", gzip.compress(TEXT), TEXT),
        ("GZIP, identity", gzip.compress(TEXT), TEXT),
        ("x-gzip", gzip.compress(TEXT), TEXT),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT)), TEXT),
        ("deflate, gzip", gzip.compress(zlib.compress(TEXT)), TEXT),
        ("deflate", zlib.compress(TEXT), TEXT),
        ("deflate", RAW_DEFLATE, TEXT),
        ("gzip", gzip.compress(TEXT) + b"after the end", TEXT),
        ("unknown", TEXT, TEXT),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
@pytest.mark.parametrize("size", [2, 7, 10_000])
def test_a_body_is_decoded(coding: str, content: bytes, expected: bytes, size: int) -> None:
    body = bytearray()

    read_body(response(coding, content, size), len(TEXT), body)

    assert bytes(body) == expected


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
def test_a_body_beyond_the_limit_is_cut(coding: str) -> None:
    content = {"": TEXT, "gzip": gzip.compress(TEXT), "deflate": zlib.compress(TEXT)}[coding]
    body = bytearray()

    with pytest.raises(BodyTooLargeError):
        read_body(response(coding, content, 5000), len(TEXT) - 1, body)

    assert bytes(body) == TEXT[:-1]


def test_a_body_that_is_not_in_its_coding_is_malformed() -> None:
    for coding in ("gzip", "deflate"):
        with pytest.raises(httpx.DecodingError):
            read_body(response(coding, b"plain text"), 100, bytearray())


@pytest.mark.parametrize(
    ("coding", "layers", "failure"),
    [
        ("gzip", 1, Failure.TOO_LARGE),
        ("gzip, gzip", 2, Failure.TOO_LARGE),
        ("gzip, gzip, gzip, gzip", 4, Failure.MALFORMED),
        ("gzip, br", 1, Failure.MALFORMED),
    ],
)
def test_a_bomb_takes_no_memory(coding: str, layers: int, failure: Failure) -> None:
    content = bytes(100_000_000)
    for _ in range(layers):
        content = gzip.compress(content, 6)
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    listed = next(one for one in operations() if one.operation_id == "listWorkflows")
    with raw_server(lambda connection: connection.sendall(head.encode() + content)) as url:
        options = CheckOptions(url, KEY, max_body_bytes=1_000_000)
        client = Client(options, observe=lambda _exchange: None, log=lambda _line: None)

        tracemalloc.start()
        exchange = client.send(Request(listed))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        client.close()

    assert exchange.failure is failure
    assert peak < 10_000_000
