"""What a journal entry says of a request that has passed."""

import json
import zlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from contracts import Exchange, JsonObject, format_timestamp
from mockserver.journal import BYTES_KEPT, Passed
from mockserver.redaction import Redactor
from mockserver.verdicts import Verdict, Verdicts

from .client_breaches import client_breaches

UNKNOWN_MATCH = {"kind": "none", "name": None}


def entry_of(
    passed: Passed, redactor: Redactor, api_keys: Iterable[str], verdicts: Verdicts
) -> JsonObject:
    """Give the entry; keys are hidden in it. `verdicts` spares it to judge an answer again.

    `answer_breaches` is null where the answer is not one the contract speaks of, or too long to
    have been kept whole. `ms` is the time the server spent.
    """
    environ, notes = passed.environ, passed.notes
    path = passed.path
    headers = _request_headers(passed)
    answer_headers = {name.lower(): value for name, value in passed.headers}
    body = _decoded(passed.answer, answer_headers.get("content-encoding", ""))
    preferences = _applied(answer_headers)
    return {
        "number": passed.number,
        "time": format_timestamp(passed.clock.at(passed.at)),
        "session": passed.session,
        "method": passed.method,
        "path": redactor(path),
        "target": redactor.target(path, environ.get("QUERY_STRING", "")),
        "operation": notes.get("operation"),
        "path_parameters": {
            name: redactor(value) for name, value in notes.get("path_parameters", {}).items()
        },
        "status": passed.status_code,
        "ms": round(passed.ms, 2),
        "key": redactor(environ["HTTP_X_API_KEY"]) if "HTTP_X_API_KEY" in environ else None,
        "request": {
            "headers": {name: redactor(value) for name, value in headers.items()},
            "body": redactor(_text(passed.asked[:BYTES_KEPT])),
        },
        "answer": {
            "headers": dict(passed.headers),
            "body": redactor(_text(body)),
            "truncated": passed.answer_length > len(passed.answer),
        },
        "matched": notes.get("matched", UNKNOWN_MATCH),
        "preferences": preferences,
        "faults": list(notes.get("faults", ())),
        "contract_faults": [*passed.contract_faults, *notes.get("contract_faults", ())],
        "request_breaches": [
            redactor(one) for one in client_breaches(passed, body, preferences, api_keys)
        ],
        "answer_breaches": verdicts.of(
            passed.number, lambda: _answer_breaches(passed, headers, answer_headers, body)
        ),
    }


def _request_headers(passed: Passed) -> dict[str, str]:
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in passed.environ.items()
        if name.startswith("HTTP_")
    }
    content_type = passed.environ.get("CONTENT_TYPE")  # WSGI keeps this one apart
    return {**headers, "content-type": str(content_type)} if content_type else headers


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _decoded(body: bytes, encoding: str) -> bytes:
    """Give the body without its compression, as far as it was kept."""
    if encoding == "gzip":
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body)
    if encoding == "zstd":
        import zstandard  # few read the journal

        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def _applied(headers: JsonObject) -> list[str]:
    written = headers.get("preference-applied")
    return written.split(", ") if written else []


def _answer_breaches(
    passed: Passed, headers: JsonObject, answer_headers: JsonObject, body: bytes
) -> Verdict:
    """Give what the contract has against the answer, judged by the one engine."""
    operation = passed.notes.get("operation")
    if operation is None or passed.answer_length > len(passed.answer):
        return None
    from contracts.offline import judge_exchange  # few read the journal

    asked: Any = None
    if passed.asked:
        try:
            asked = json.loads(passed.asked)
        except (ValueError, RecursionError):
            return None
    exchange = Exchange(
        method=passed.method,
        path=passed.path,
        status=passed.status_code,
        operation_id=operation,
        path_parameters=passed.notes.get("path_parameters", {}),
        query=dict(parse_qsl(passed.environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        request_headers=headers,
        request_body=asked,
        response_headers=answer_headers,
        response_body=body,
        sent_at_s=passed.at.timestamp(),
        elapsed_s=passed.ms / 1000,
    )
    return [
        {"rule": one.rule, "pointer": one.pointer, "message": one.message}
        for one in judge_exchange(exchange)
    ]
