"""Counts what the journal holds and says whether that is what was expected."""

import fnmatch
import json
import zlib
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import EnvironHeaders

from deadringer.contracts import Exchange, Json, JsonObject, format_timestamp
from deadringer.contracts.redaction import SecretRedactor
from deadringer.mockserver.api.auth import is_known_key, require_known_key
from deadringer.mockserver.api.middleware.journal import Passed, Verdict, Verdicts
from deadringer.mockserver.context import key_and_session_of
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.faults.validation import problems_of_method, problems_of_operation
from deadringer.mockserver.schema_errors import Problem, good_members

from .context import ControlContext, require_known

UNKNOWN_MATCH = {"kind": "none", "name": None}


def entry_of(
    passed: Passed, redactor: SecretRedactor, api_keys: Iterable[str], verdicts: Verdicts
) -> JsonObject:
    """Return the entry, secrets hidden; `verdicts` holds what was found about responses before.

    `response_violations` is null for a response that the contract does not cover, and where a body
    was too long to be kept whole. `ms` is the time the server spent.
    """
    environ, notes = passed.environ, passed.notes
    path = passed.path
    headers = _request_headers(passed)
    shown = {name: redactor.header(name, value) for name, value in headers.items()}
    answer_headers = {name.lower(): value for name, value in passed.headers}
    body = _decoded(passed.response_body, answer_headers.get("content-encoding", ""))
    preferences = _applied(answer_headers)
    return {
        "number": passed.number,
        "time": format_timestamp(passed.clock.at(passed.at)),
        "session": passed.session,
        "method": passed.method,
        "path": redactor(path),
        "target": redactor.target(path, environ.get("QUERY_STRING", "")),
        "operation": notes.operation,
        "path_parameters": {name: redactor(value) for name, value in notes.path_parameters.items()},
        "status": passed.status_code,
        "ms": round(passed.ms, 2),
        "key": shown.get("x-api-key"),
        "request": {
            "headers": shown,
            "body": redactor(_text(passed.request_body)),
        },
        "response": {
            "headers": {name: redactor.header(name, value) for name, value in passed.headers},
            "body": redactor(_text(body)),
            "truncated": passed.response_length > len(passed.response_body),
        },
        "matched": notes.matched or UNKNOWN_MATCH,
        "preferences": preferences,
        "faults": list(notes.faults),
        "contract_faults": list(notes.contract_faults),
        "request_violations": [
            redactor(one) for one in client_violations(passed, body, preferences, api_keys)
        ],
        "response_violations": verdicts.of(
            passed.number, lambda: _response_violations(passed, headers, answer_headers, body)
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
    """Return the body without its compression, as far as it was kept."""
    if encoding == "gzip":
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body)
    if encoding == "zstd":
        import zstandard  # few read the journal

        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def _applied(headers: JsonObject) -> list[str]:
    written = headers.get("preference-applied")
    return written.split(", ") if written else []


def _response_violations(
    passed: Passed, headers: JsonObject, answer_headers: JsonObject, body: bytes
) -> Verdict:
    """Return what the contract has against the response, judged by the one engine."""
    operation = passed.notes.operation
    is_whole = passed.request_length == len(passed.request_body) and passed.response_length == len(
        passed.response_body
    )
    if operation is None or not is_whole:
        return None
    from deadringer.contracts.documents import validate_exchange  # few read the journal

    requested: Any = None
    if passed.request_body:
        try:
            requested = json.loads(passed.request_body)
        except (ValueError, RecursionError):
            return None
    exchange = Exchange(
        method=passed.method,
        path=passed.path,
        status=passed.status_code,
        operation_id=operation,
        path_parameters=passed.notes.path_parameters,
        query=dict(parse_qsl(passed.environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        request_headers=headers,
        request_body=requested,
        response_headers=answer_headers,
        response_body=body,
        sent_at_s=passed.at.timestamp(),
        elapsed_s=passed.ms / 1000,
    )
    return [
        {"rule": one.rule, "pointer": one.pointer, "message": one.message}
        for one in validate_exchange(exchange)
    ]


def client_violations(
    passed: Passed, response: bytes, preferences: Iterable[str], api_keys: Iterable[str]
) -> list[str]:
    """Return a line for each breach: a key that is missing or wrong, or what failed validation.

    What was preferred, a reserved run or a fault answered, the client did not do; and nobody
    breaks the contract by asking for a run that is not there, or once too often.
    """
    return [
        *_violation_of_key(passed, api_keys),
        *_failed_validation(passed, response, preferences),
    ]


def _violation_of_key(passed: Passed, api_keys: Iterable[str]) -> list[str]:
    if passed.method == "OPTIONS":
        return []
    key, _session = key_and_session_of(EnvironHeaders(passed.environ))
    try:
        require_known_key(key, known=is_known_key(key, api_keys))
    except ApiError as refusal:
        return [refusal.message]
    return []


def _failed_validation(passed: Passed, response: bytes, preferences: Iterable[str]) -> list[str]:
    """Return the lines of the 400; a fault or a preference may have made it."""
    notes = passed.notes
    is_wanted = any(one.startswith("code=") for one in preferences)
    is_changed = notes.contract_faults or notes.faults
    if passed.status_code != HTTPStatus.BAD_REQUEST or is_wanted or is_changed:
        return []
    try:
        error = json.loads(response)["error"]
        return list((error["details"] or {}).get("errors") or [error["message"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["The request failed validation"]


def get_journal(control: ControlContext) -> JsonObject:
    """Return the session's requests, newest first."""
    newer = control.journal.newest(control.session_name, control.query["after"])
    passed = [one for one in newer if _is_wanted(one, control.query)]
    limit = control.query["limit"]
    return {"entries": [_entry(control, one) for one in passed[:limit]], "total": len(passed)}


def get_journal_entry(control: ControlContext, number: str) -> JsonObject:
    """Return one request."""
    passed = {str(one.number): one for one in _newest(control)}
    require_known(number, passed, "journal entry")
    return _entry(control, passed[number])


def clear_journal(control: ControlContext) -> JsonObject:
    """Forget the session's requests."""
    control.journal.clear(control.session_name)
    return {"entries": [], "total": 0}


def verify_counts(control: ControlContext) -> JsonObject:
    """Return whether as many requests came as was expected."""
    return verify(_newest(control), control.body)


def _entry(control: ControlContext, passed: Passed) -> JsonObject:
    service = control.service
    keys, verdicts = service.settings.api_keys, control.journal.verdicts
    return entry_of(passed, service.redactor, keys, verdicts)


def _newest(control: ControlContext) -> list[Passed]:
    return control.journal.newest(control.session_name)


def _is_wanted(passed: Passed, query: dict[str, Any]) -> bool:
    """Return whether a request is one that the query narrows the journal down to."""
    if query["before"] and passed.number >= query["before"]:
        return False
    is_status = query["status"] in {None, passed.status_code}
    return is_status and fnmatch.fnmatchcase(passed.path, query["path"] or "*")


_BOUNDS = ("exactly", "at_least", "at_most")
_DETAIL = "getExecution"
_IDS = {"workflow_id": "id", "run_id": "runId"}
"""Members of an expectation and the path parameters they are compared with."""


def verify(entries: list[Passed], wanted: JsonObject) -> JsonObject:
    """Return how many entries match, if that is as wanted; without a bound one is enough.

    `path` may hold * and ?, ids are taken as they are; `run_id` counts reads of its detail alone.
    All that is given must fit. A browser's OPTIONS counts only where that method is named.

    Raises:
        ApiError: CONFLICT if the count is another.
    """
    matched = sum(_is_match(entry, wanted) for entry in entries)
    low: Any = wanted.get("exactly", wanted.get("at_least", 0 if "at_most" in wanted else 1))
    high: Any = wanted.get("exactly", wanted.get("at_most", matched))
    if not low <= matched <= high:
        bound = f"{low} or more" if matched < low else f"{high} or fewer"
        raise ApiError(
            "CONFLICT",
            f"{matched} requests match, expected {bound}",
            "GET /__mock/journal shows the requests",
            details={"matched": matched},
        )
    return {"matched": matched, "verified": True}


def problems_of_wanted(
    _control: ControlContext, body: Json, problems: list[Problem]
) -> Iterator[Problem]:
    """Yield every reason why no count could be as wanted, beside the problems of its schema."""
    wanted = good_members(body, problems)
    yield from problems_of_operation(wanted)
    yield from problems_of_method(wanted)
    if "run_id" in wanted and wanted.get("operation", _DETAIL) != _DETAIL:
        shown = f"counts reads of the detail, and {wanted['operation']} is none"
        yield Problem(("run_id",), shown, f"leave one of the two out, or name {_DETAIL}")
    yield from _of_bounds(wanted)


def _of_bounds(wanted: JsonObject) -> Iterator[Problem]:
    given = [name for name in _BOUNDS if name in wanted]
    if "exactly" in wanted and len(given) > 1:
        yield Problem(("exactly",), f"stands beside {given[1]}", "leave one of them out")
    elif given == ["at_least", "at_most"] and wanted["at_least"] > wanted["at_most"]:
        shown = f"{wanted['at_most']} is below at_least, {wanted['at_least']}"
        yield Problem(("at_most",), shown, "let it be the larger of the two")


def _is_match(passed: Passed, wanted: JsonObject) -> bool:
    told = {
        "method": passed.method,
        "status": passed.status_code,
        "operation": passed.notes.operation,
    }
    if any(name in wanted and told[name] != wanted[name] for name in told):
        return False
    if passed.method == "OPTIONS" and wanted.get("method") != "OPTIONS":
        return False
    is_read = told["operation"] == _DETAIL and passed.method in {"GET", "HEAD"}
    if "run_id" in wanted and not is_read:
        return False
    ids = passed.notes.path_parameters
    if any(name in wanted and ids.get(_IDS[name]) != wanted[name] for name in _IDS):
        return False
    return fnmatch.fnmatchcase(passed.path, str(wanted.get("path", "*")))
