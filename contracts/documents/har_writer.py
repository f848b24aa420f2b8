"""Write exchanges as an HTTP archive (HAR 1.2), without keys and cookies."""

import base64
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import quote, urlencode

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_text import ExactNumber, exact_json_bytes
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.redaction import SecretRedactor

_CREATOR = "deadringer"
_NOT_AVAILABLE = -1
_PROTOCOL = "HTTP/1.1"


def har_document(entries: Iterable[JsonObject]) -> JsonObject:
    """Return an archive of entries."""
    creator = {"name": _CREATOR, "version": version(_CREATOR)}
    return {"log": {"version": "1.2", "creator": creator, "entries": [*entries]}}


def har_entry(exchange: Exchange, base_url: str, redactor: SecretRedactor) -> JsonObject:
    """Return an exchange as an entry of an archive, which `HarRecording` reads again.

    `base_url` has no slash at its end; `sent_at_s` must count from 1970. The redactor hides keys in
    every text; headers and query members with a secret name lose their values, and lists of
    cookies are empty. A body that is not UTF-8 is written as base64.

    Source: http://www.softwareishard.com/blog/har-12-spec/
    """
    time_ms = round(exchange.elapsed_s * 1000, 3)
    sent_at = datetime.fromtimestamp(exchange.sent_at_s, UTC).isoformat(timespec="microseconds")
    entry = {
        "startedDateTime": sent_at.replace("+00:00", "Z"),
        "time": time_ms,
        "request": _request(exchange, base_url, redactor),
        "response": _response(exchange, redactor),
        "cache": {},
        "timings": {"send": 0, "wait": time_ms, "receive": 0},
    }
    return entry | ({"_error": exchange.failure.value} if exchange.failure else {})


def _request(exchange: Exchange, base_url: str, redactor: SecretRedactor) -> JsonObject:
    query = [_member(name, value, redactor) for name, value in exchange.query.items()]
    encoded = urlencode([(one["name"], one["value"]) for one in query], quote_via=quote)
    request = {
        "method": exchange.method,
        "url": base_url + redactor(exchange.path) + (f"?{encoded}" if encoded else ""),
        "httpVersion": _PROTOCOL,
        "cookies": [],
        "headers": _headers(exchange.request_headers.items(), redactor),
        "queryString": query,
        "headersSize": _NOT_AVAILABLE,
        "bodySize": 0,
    }
    if exchange.request_body is None:
        return request
    text = redactor(exact_json_bytes(_written(exchange.request_body)).decode())
    mime_type = exchange.request_headers.get("content-type", "application/json")
    return {
        **request,
        "postData": {"mimeType": mime_type, "text": text},
        "bodySize": len(text.encode()),
    }


def _written(value: Json) -> Json:
    """Return a copy in which a number beyond a double, which is infinite, is a number of JSON."""
    if isinstance(value, dict):
        return {name: _written(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_written(one) for one in value]
    if isinstance(value, float) and math.isinf(value):
        return ExactNumber("-1e999" if value < 0 else "1e999")
    return value


def _response(exchange: Exchange, redactor: SecretRedactor) -> JsonObject:
    headers = exchange.response_headers
    return {
        "status": exchange.status,
        "statusText": _reason(exchange.status),
        "httpVersion": _PROTOCOL,
        "cookies": [],
        "headers": _headers(headers.items(), redactor),
        "content": _content(exchange, redactor),
        "redirectURL": headers.get("location", ""),
        "headersSize": _NOT_AVAILABLE,
        "bodySize": _body_size(exchange),
    }


def _content(exchange: Exchange, redactor: SecretRedactor) -> JsonObject:
    """Return the body as HAR stores it: decoded text, base64 of other bytes, or neither."""
    mime_type = exchange.response_headers.get("content-type", "")
    if exchange.has_unknown_body:
        return {"size": _NOT_AVAILABLE, "mimeType": mime_type}
    body = exchange.response_body
    try:
        text = redactor(body.decode())
    except UnicodeDecodeError:
        hidden = redactor(body.decode("latin-1")).encode("latin-1")
        text = base64.b64encode(hidden).decode()
        return {
            "size": len(hidden),
            "mimeType": mime_type,
            "text": text,
            "encoding": "base64",
        }
    return {"size": len(text.encode()), "mimeType": mime_type, "text": text}


def _body_size(exchange: Exchange) -> int:
    """Return the bytes of the body as it was sent, compressed or not; -1 if that is not known."""
    length = exchange.response_headers.get("content-length", "")
    if length.isdecimal() and length.isascii() and exchange.method != "HEAD":
        return int(length)
    if "content-encoding" in exchange.response_headers or exchange.has_unknown_body:
        return _NOT_AVAILABLE
    return len(exchange.response_body)


def _headers(pairs: Iterable[tuple[str, str]], redactor: SecretRedactor) -> list[JsonObject]:
    return [_member(name, value, redactor) for name, value in pairs]


def _member(name: str, value: str, redactor: SecretRedactor) -> JsonObject:
    return {"name": redactor(name), "value": redactor.header(name, value)}


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
