"""Read the bodies of a recording: text, base64 of several kinds, and content that is compressed."""

import base64
import binascii
from collections.abc import Mapping

from deadringer.contracts.content_codings import ContentCodingError, undo_coding
from deadringer.contracts.input_files import LARGEST_DOCUMENT
from deadringer.contracts.json_text import JsonError, parse_json
from deadringer.contracts.json_types import Json, JsonObject

_URL_SAFE = str.maketrans("-_", "+/")
_BEGIN = {
    "gzip": (b"\x1f\x8b",),
    "x-gzip": (b"\x1f\x8b",),
    "deflate": (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"),
    "zstd": (b"\x28\xb5\x2f\xfd",),
}
"""How compressed content begins; that of brotli begins with any byte."""


_CHARACTERS = "\x1f\ufffd".encode(), "\x1f\x8b".encode()
"""How gzip begins that a tool wrote as characters: some of its bytes are lost."""


class NotRecordedError(ValueError):
    """The recording does not have the body that was sent."""


def response_body(response: JsonObject, headers: Mapping[str, str]) -> bytes:
    """Return the body of a response, without its content coding. Header names are lower case.

    Raises:
        NotRecordedError: if the recording does not have the whole body.
    """
    if response.get("status") == 304:  # what browsers record there comes from their cache
        return b""
    if not _is_complete(response):
        raise NotRecordedError
    content = _object(response.get("content"))
    body = _recorded(content)
    if not body and _was_sent(response, content, headers):
        raise NotRecordedError
    coding = headers.get("content-encoding", "").strip().lower()
    if coding and body.startswith(_CHARACTERS):
        raise NotRecordedError
    body = _decoded(body, coding)
    if len(body) < _smallest_size(response, content) and not _is_json(body):
        raise NotRecordedError  # browsers cut off long bodies
    return body


def request_body(request: JsonObject) -> Json:
    """Return the body of a request as parsed JSON, None if it is not JSON or was not recorded."""
    content = _object(request.get("postData"))
    try:
        return parse_json(_recorded(content)).value
    except (JsonError, NotRecordedError):
        return None


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _is_complete(response: JsonObject) -> bool:
    """Return whether no tool noted that the response broke off: Chrome, Playwright, Charles."""
    if response.get("_error") or response.get("_failureText"):
        return False
    return str(response.get("_charlesStatus") or "complete").lower() == "complete"


def _recorded(content: JsonObject) -> bytes:
    text, encoding = content.get("text"), content.get("encoding")
    if not isinstance(text, str):
        raise NotRecordedError
    if str(encoding).lower() == "base64":
        return _base64(text)
    body = text.encode("utf-8", "surrogatepass")
    if encoding and not _is_json(body):  # an unknown encoding may mean anything
        raise NotRecordedError
    return body


def _base64(text: str) -> bytes:
    """Return the bytes of base64: with line ends, without padding, or with the URL-safe letters."""
    letters = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotRecordedError from error


def _was_sent(response: JsonObject, content: JsonObject, headers: Mapping[str, str]) -> bool:
    """Return whether a body without bytes may have had some: exporters leave bodies out."""
    sizes = [content.get("size", -1), _size(response.get("bodySize"))]
    length = headers.get("content-length", "")
    return sizes[0] != 0 or sizes[1] > 0 or (length.isdecimal() and int(length[:18]) > 0)


def _smallest_size(response: JsonObject, content: JsonObject) -> int:
    """Return how many bytes the body has at least, without its content coding; 0 if unknown.

    `size` should be that, but mitmproxy writes the number of compressed bytes.
    """
    sizes = [_size(content.get("size"))]
    if "compression" in content and _size(response.get("bodySize")):
        compression = content["compression"]
        if isinstance(compression, int):
            sizes.append(_size(response.get("bodySize")) + compression)
    return max(0, min(sizes))


def _size(value: Json) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _is_json(body: bytes) -> bool:
    try:
        parse_json(body)
    except JsonError:
        return False
    return True


def _decoded(body: bytes, coding: str) -> bytes:
    """Return a body without its content coding, if it still has it: most tools remove it."""
    begins = _BEGIN.get(coding, ())
    if any(body.startswith(one) for one in begins) or (coding == "br" and not _is_text(body)):
        try:
            decoded = undo_coding(body, coding, LARGEST_DOCUMENT)
        except ContentCodingError as error:
            raise NotRecordedError from error
        if not decoded.is_whole:
            raise NotRecordedError
        return decoded.content
    return body


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
