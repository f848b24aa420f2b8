"""The same bytes, cut at random places, to our server and to h11: both read the same requests."""

import json
import socket

import h11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mockserver.server.serving import served

TOKEN = st.text("abcXYZ019-!#$%&'*+.^`|~", min_size=1, max_size=8)
VALUE = st.text('abc XYZ;,="\t:/é', max_size=12).map(lambda text: text.strip(" \t"))
OWN = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"),
        *("content-type", "content-encoding", "keep-alive", "te", "trailer", "cookie"),
    }
)


@st.composite
def requests(draw):
    """Return the bytes of a request as RFC 9112 has it, with what it leaves to the sender."""
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]))
    path = "/" + draw(st.text("ab/%20c.-~", max_size=6)).replace("%", "%25")
    query = draw(st.sampled_from(["", "?", "?a=b", "?a=%20&b"]))
    headers = draw(st.lists(st.tuples(TOKEN, VALUE), max_size=4))
    lines = [f"{method} {path}{query} HTTP/1.1", "Host: test"]
    space = draw(st.sampled_from(["", " ", "\t", "  "]))
    lines += [f"{name}:{space}{text}{space}" for name, text in headers if name.lower() not in OWN]
    body = b"" if method in {"GET", "OPTIONS"} else draw(st.binary(max_size=40))
    if not body:
        sent = b""
    elif draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
        sent = body
    else:
        lines.append(
            draw(st.sampled_from(["Transfer-Encoding: chunked", "transfer-encoding:CHUNKED"]))
        )
        sent = draw(chunks_of(body))
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + sent


@st.composite
def chunks_of(draw, body):
    """Return a body in chunks, with extensions and trailers now and then."""
    sent = b""
    while body:
        size = draw(st.integers(1, len(body)))
        form = draw(st.sampled_from([b"%x", b"%X", b"0%x"]))
        extension = draw(st.sampled_from([b"", b";a", b";a=b"]))
        sent += form % size + extension + b"\r\n" + body[:size] + b"\r\n"
        body = body[size:]
    return sent + b"0\r\n" + draw(st.sampled_from([b"", b"Trailer: x\r\n"])) + b"\r\n"


def cut(data, places):
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def read_by_h11(data):
    """Return the requests that h11 reads, and whether it refuses what follows."""
    found, connection = [], h11.Connection(h11.SERVER)
    connection.receive_data(data)
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return found, True
        if isinstance(event, h11.Request):
            request, body = event, b""
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            found.append((request.method.decode(), request.target.decode("latin-1"), bytes(body)))
            if connection.their_state is not h11.DONE:
                return found, False
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            connection.start_next_cycle()
        else:
            return found, False


def read_by_ours(server, pieces):
    """Return the requests that our server reads, and the status it refuses what follows with."""
    found, refusal = [], None
    with socket.create_connection(server.address, 20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        data = b"".join(iter(lambda: connection.recv(65_536), b""))
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        if b" 100 " in lines[0]:
            data = rest
            continue
        length = next(int(one.split(b":")[1]) for one in lines if one.startswith(b"content-length"))
        if b" 200 " in lines[0] and not rest.startswith(b"{"):  # the response to a HEAD
            found.append(("HEAD", "", "", b""))
            data = rest
            continue
        body, data = rest[:length], rest[length:]
        if b" 200 " not in lines[0]:
            refusal = int(lines[0].split()[1])
            continue
        seen = json.loads(body)
        found.append((seen["method"], seen["path"], seen["query"], seen["body"].encode("latin-1")))
    return found, refusal


def as_ours(request):
    from urllib.parse import unquote

    method, target, body = request
    path, _, query = target.partition("?")
    read = b"" if method in {"GET", "HEAD", "OPTIONS"} else body
    return method, unquote(path, "latin-1"), query, read


@pytest.fixture(scope="module")
def server():
    with served() as server:
        yield server


SOMETIMES_SLOW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@SOMETIMES_SLOW
@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(0, 10_000), max_size=5))
def test_every_request_is_read_as_h11_reads_it(server, sent, places):
    data = b"".join(sent)
    theirs, is_refused = read_by_h11(data)
    assert not is_refused
    ours, refusal = read_by_ours(server, cut(data, places))

    assert refusal is None
    assert ours == [as_ours(one) for one in theirs]
    assert len(ours) == len(sent)


@SOMETIMES_SLOW
@given(
    st.lists(requests(), min_size=1, max_size=3),
    st.integers(0, 10_000),
    st.sampled_from([b"\n", b"\r", b" ", b"\t", b"\0", b":", b";", b"0", b"x", b"\x80", b""]),
    st.lists(st.integers(0, 10_000), max_size=3),
)
def test_what_both_read_of_damaged_bytes_is_the_same(server, sent, place, damage, places):
    data = b"".join(sent)
    place %= len(data)
    data = data[:place] + damage + data[place + 1 :]
    theirs, _ = read_by_h11(data)
    ours, _ = read_by_ours(server, cut(data, places))

    for one, other in zip(ours, map(as_ours, theirs), strict=False):
        assert one == other
