"""Request corpora of other projects: our server reads and refuses what they want.

`corpora/README.md` lists where they come from, `corpora/differences.json` where we differ.
"""

import json
import re
from pathlib import Path

import pytest

from tests.mockserver.server.serving import served
from tests.mockserver.server.test_like_h11 import as_ours, read_by_h11, read_by_ours

pytestmark = pytest.mark.slow

CORPORA = Path(__file__).parent / "corpora"
DIFFERENCES = json.loads((CORPORA / "differences.json").read_text("utf-8"))
_CASE = re.compile(
    r"<!-- meta=(\{[^\n]*\}) -->\n+```http\n((?:(?!\n```).)*)\n```\n"
    r"(?:(?!<!--|```).)*```log\n((?:(?!\n```).)*)\n```",
    re.DOTALL,
)


@pytest.fixture(scope="module")
def server():
    with served(head_s=0.5, body_idle_s=0.5) as server:
        yield server


def llhttp_cases():
    """Yield the name of each strict case, its bytes, the requests in it and whether it is wrong."""
    for path in sorted((CORPORA / "llhttp").glob("*.md")):
        for number, (meta, text, log) in enumerate(_CASE.findall(path.read_text("utf-8"))):
            if json.loads(meta).get("type") == "request":
                is_wrong = "error code=" in log
                yield (
                    f"{path.stem}-{number}",
                    unescaped(text),
                    log.count("message complete"),
                    is_wrong,
                )


def unescaped(text):
    """Return the bytes of a case as llhttp's own tests read it."""
    text = re.sub(r"\\\n", "", text).replace("\n", "\r\n")
    for sign, meant in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\f", "\f")):
        text = text.replace(sign, meant)
    data = text.encode("utf-8")
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda one: bytes([int(one[1], 16)]), data)


def with_host(data):
    """Return requests to which a Host is added where they lack one: the corpus is about parsing."""
    if b"host:" in data.lower():
        return data
    return re.sub(rb"(?m)^(\S+ \S+ HTTP/1\.1\r\n)", rb"\1Host: x\r\n", data)


def gunicorn_cases():
    """Yield the name of each case, its bytes and whether gunicorn reads it."""
    for path in sorted((CORPORA / "gunicorn").rglob("*.http")):
        data = path.read_bytes().replace(b"\n", b"").replace(b"\\r\\n", b"\r\n")
        for sign, meant in ((b"\\0", b"\0"), (b"\\n", b"\n"), (b"\\t", b"\t")):
            data = data.replace(sign, meant)
        data = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda one: bytes([int(one[1], 16)]), data)
        yield f"{path.parent.name}-{path.stem}", data, path.parent.name == "valid"


def check_differences(corpus, found):
    """Compare what differs with the table: a case that differs no longer has to leave it."""
    listed = DIFFERENCES[corpus]
    assert {name: seen for name, seen in found.items() if name not in listed} == {}
    assert sorted(listed.keys() - found.keys()) == []


def test_llhttp_is_read_as_it_wants(server):
    found = {}
    for name, data, requests, is_wrong in llhttp_cases():
        ours, refusal = read_by_ours(server, [with_host(data)])
        if (len(ours), refusal is not None) != (requests, is_wrong):
            found[name] = f"wants {requests} {is_wrong}, got {len(ours)} {refusal}"

    check_differences("llhttp", found)


def test_gunicorn_is_read_as_it_wants(server):
    found = {}
    for name, data, is_valid in gunicorn_cases():
        ours, refusal = read_by_ours(server, [with_host(data)])
        is_read = bool(ours) and refusal is None
        if is_read != is_valid:
            found[name] = f"wants {is_valid}, got {len(ours)} {refusal}"

    check_differences("gunicorn", found)


def test_nothing_ambiguous_is_read_of_smuggled_headers(server):
    """A body is framed by one of two headers; who reads the other one sees another request."""
    inner = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    bodies = {
        "chunked ends first": b"0\r\n\r\n" + inner,
        "length ends first": b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner),
    }
    gadgets = json.loads((CORPORA / "smuggler" / "gadgets.json").read_text("utf-8"))
    found = {}
    for name, gadget in gadgets.items():
        for kind, body in bodies.items():
            length = len(body) if kind.startswith("chunked") else 4
            head = f"POST /x HTTP/1.1\r\nHost: x\r\n{gadget}Content-Length: {length}\r\n\r\n"
            data = head.encode("latin-1") + body
            ours, refusal = read_by_ours(server, [data])
            theirs, is_refused = read_by_h11(data)
            if ours != [as_ours(one) for one in theirs][: len(ours)]:
                found[f"{name}, {kind}"] = f"ours {ours} {refusal}, h11 {theirs} {is_refused}"

    check_differences("smuggler", found)
