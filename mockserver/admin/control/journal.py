"""The journal of a session: list its requests, validate them, and verify their count."""

import fnmatch
import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import EnvironHeaders

from deadringer.contracts import Exchange, Json, JsonObject, Violation, format_timestamp
from deadringer.contracts.redaction import SecretRedactor
from deadringer.mockserver.api.auth import is_known_key, require_known_key
from deadringer.mockserver.api.http import decoded_body
from deadringer.mockserver.api.middleware.journal import JournalEntry, Verdict, Verdicts
from deadringer.mockserver.context import key_and_session_of
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.faults.validation import problems_of_method, problems_of_operation
from deadringer.mockserver.schema_errors import Problem, good_members

from .context import ControlContext, require_known

UNKNOWN_MATCH = {"kind": "none", "name": None}


def entry_of(
    entry: JournalEntry, redactor: SecretRedactor, api_keys: Iterable[str], verdicts: Verdicts
) -> JsonObject:
    """Return an entry as JSON, with secrets redacted; `verdicts` caches response violations.

    `response_violations` is null for a response that the contract does not cover, and where a body
    was too long to be stored whole. `ms` is the time the server spent.
    """
    environ, record = entry.environ, entry.record
    path = entry.path
    headers = _request_headers(entry)
    shown = {name: redactor.header(name, value) for name, value in headers.items()}
    response_headers = {name.lower(): value for name, value in entry.headers}
    body = decoded_body(entry.response_body, response_headers.get("content-encoding", ""))
    preferences = _applied(response_headers)
    return {
        "number": entry.number,
        "time": format_timestamp(entry.clock.at(entry.at)),
        "session": entry.session,
        "method": entry.method,
        "path": redactor(path),
        "target": redactor.target(path, environ.get("QUERY_STRING", "")),
        "operation": record.operation,
        "path_parameters": {
            name: redactor(value) for name, value in record.path_parameters.items()
        },
        "status": entry.status_code,
        "ms": round(entry.ms, 2),
        "key": shown.get("x-api-key"),
        "request": {
            "headers": shown,
            "body": redactor(_text(entry.request_body)),
        },
        "response": {
            "headers": {name: redactor.header(name, value) for name, value in entry.headers},
            "body": redactor(_text(body)),
            "truncated": entry.response_length > len(entry.response_body),
        },
        "matched": record.matched or UNKNOWN_MATCH,
        "preferences": preferences,
        "faults": list(record.faults),
        "contract_faults": list(record.contract_faults),
        "request_violations": [
            redactor(one) for one in client_violations(entry, body, preferences, api_keys)
        ],
        "response_violations": verdicts.of(
            entry.number,
            lambda: _without_secrets(
                _response_violations(entry, headers, response_headers, body), redactor
            ),
        ),
    }


def _without_secrets(verdict: Verdict, redactor: SecretRedactor) -> Verdict:
    """Return violations without the secrets that they quote of a response."""
    return None if verdict is None else [redactor.json(one) for one in verdict]


def _request_headers(entry: JournalEntry) -> dict[str, str]:
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in entry.environ.items()
        if name.startswith("HTTP_")
    }
    content_type = entry.environ.get("CONTENT_TYPE")  # WSGI stores this one separately
    return {**headers, "content-type": str(content_type)} if content_type else headers


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _applied(headers: JsonObject) -> list[str]:
    written = headers.get("preference-applied")
    return written.split(", ") if written else []


def _response_violations(
    entry: JournalEntry, headers: JsonObject, response_headers: JsonObject, body: bytes
) -> Verdict:
    """Return the violations of a response, None if it cannot be validated."""
    operation = entry.record.operation
    if entry.record.is_proxied:
        found = entry.record.violations
        return None if found is None else [_as_json(one) for one in found]
    is_whole = entry.request_length == len(entry.request_body) and entry.response_length == len(
        entry.response_body
    )
    if operation is None or not is_whole:
        return None
    from deadringer.contracts.documents import validate_exchange  # only for readers of the journal

    requested: Any = None
    if entry.request_body:
        try:
            requested = json.loads(entry.request_body)
        except (ValueError, RecursionError):
            return None
    exchange = Exchange(
        method=entry.method,
        path=entry.path,
        status=entry.status_code,
        operation_id=operation,
        path_parameters=entry.record.path_parameters,
        query=dict(parse_qsl(entry.environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        request_headers=headers,
        request_body=requested,
        response_headers=response_headers,
        response_body=body,
        sent_at_s=entry.at.timestamp(),
        elapsed_s=entry.ms / 1000,
    )
    return [_as_json(one) for one in validate_exchange(exchange)]


def _as_json(violation: Violation) -> JsonObject:
    return {
        "rule": violation.rule,
        "pointer": violation.pointer,
        "message": violation.message,
    }


def client_violations(
    entry: JournalEntry, response: bytes, preferences: Iterable[str], api_keys: Iterable[str]
) -> list[str]:
    """Return one line per violation by the client: a missing or wrong key, or a failed validation.

    Errors from a preference, a reserved run or a fault are not the client's; a request for an
    unknown run or beyond the rate limit is not a violation.
    """
    return [
        *_violation_of_key(entry, api_keys),
        *_failed_validation(entry, response, preferences),
    ]


def _violation_of_key(entry: JournalEntry, api_keys: Iterable[str]) -> list[str]:
    if entry.method == "OPTIONS":
        return []
    if entry.record.is_proxied:
        is_refused = entry.status_code == HTTPStatus.UNAUTHORIZED
        return ["The server accepted no key of the request"] if is_refused else []
    key, _session = key_and_session_of(EnvironHeaders(entry.environ))
    try:
        require_known_key(key, known=is_known_key(key, api_keys))
    except ApiError as refusal:
        return [refusal.message]
    return []


def _failed_validation(
    entry: JournalEntry, response: bytes, preferences: Iterable[str]
) -> list[str]:
    """Return the lines of a 400, unless a fault or a preference caused it."""
    record = entry.record
    is_wanted = any(one.startswith("code=") for one in preferences)
    is_changed = record.contract_faults or record.faults
    if entry.status_code != HTTPStatus.BAD_REQUEST or is_wanted or is_changed:
        return []
    try:
        error = json.loads(response)["error"]
        return list((error["details"] or {}).get("errors") or [error["message"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["The request failed validation"]


def get_journal(control: ControlContext) -> JsonObject:
    """Return the session's requests, newest first."""
    newer = control.journal.newest(control.session_name, control.query["after"])
    entries = [one for one in newer if _is_wanted(one, control.query)]
    limit = control.query["limit"]
    return {"entries": [_entry(control, one) for one in entries[:limit]], "total": len(entries)}


def get_journal_entry(control: ControlContext, number: str) -> JsonObject:
    """Return one request."""
    entries = {str(one.number): one for one in _newest(control)}
    require_known(number, entries, "journal entry")
    return _entry(control, entries[number])


def clear_journal(control: ControlContext) -> JsonObject:
    """Remove the session's requests."""
    control.journal.clear(control.session_name)
    return {"entries": [], "total": 0}


def verify_counts(control: ControlContext) -> JsonObject:
    """Return whether the expected number of requests arrived.

    Raises:
        ApiError: CONFLICT if it did not, or if other replicas have requests of their own.
    """
    others = control.service.events.other_servers()
    if others:
        raise ApiError(
            "CONFLICT",
            f"The requests at {others} other replica(s) cannot be counted",
            "Verify with a single mock: each replica has a journal of its own",
        )
    return verify(_newest(control), control.body)


def _entry(control: ControlContext, entry: JournalEntry) -> JsonObject:
    service = control.service
    keys, verdicts = service.settings.api_keys, control.journal.verdicts
    return entry_of(entry, service.redactor, keys, verdicts)


def _newest(control: ControlContext) -> list[JournalEntry]:
    return control.journal.newest(control.session_name)


def _is_wanted(entry: JournalEntry, query: dict[str, Any]) -> bool:
    """Return whether a request matches the query of the journal."""
    if query["before"] and entry.number >= query["before"]:
        return False
    is_status = query["status"] in {None, entry.status_code}
    return is_status and fnmatch.fnmatchcase(entry.path, query["path"] or "*")


_BOUNDS = ("exactly", "at_least", "at_most")
_DETAIL = "getExecution"
_IDS = {"workflow_id": "id", "run_id": "runId"}
"""Members of an expectation and the path parameters they are compared with."""


def verify(entries: list[JournalEntry], wanted: JsonObject) -> JsonObject:
    """Return how many entries match, if that is as expected; without a bound, one is enough.

    `path` may contain * and ?, ids match exactly; `run_id` counts only reads of its detail. All
    members must match. OPTIONS requests count only if that method is named.

    Raises:
        ApiError: CONFLICT if the count differs.
    """
    matched = sum(_is_match(entry, wanted) for entry in entries)
    low: Any = wanted.get("exactly", wanted.get("at_least", 0 if "at_most" in wanted else 1))
    high: Any = wanted.get("exactly", wanted.get("at_most", matched))
    if not low <= matched <= high:
        bound = f"{low} or more" if matched < low else f"{high} or fewer"
        if "exactly" in wanted:
            bound = f"exactly {low}"
        elif "at_least" in wanted and "at_most" in wanted:
            bound = f"{low} to {high}"
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
    """Yield every reason why no count could match, beside the problems of the schema."""
    wanted = good_members(body, problems)
    yield from problems_of_operation(wanted)
    yield from problems_of_method(wanted)
    if "run_id" in wanted and wanted.get("operation", _DETAIL) != _DETAIL:
        shown = f"counts reads of the detail, which {wanted['operation']} is not"
        yield Problem(("run_id",), shown, f"remove one of the two, or use {_DETAIL}")
    yield from _of_bounds(wanted)


def _of_bounds(wanted: JsonObject) -> Iterator[Problem]:
    bounds = [name for name in _BOUNDS if name in wanted]
    if "exactly" in wanted and len(bounds) > 1:
        yield Problem(("exactly",), f"conflicts with {bounds[1]}", "remove one of them")
    elif bounds == ["at_least", "at_most"] and wanted["at_least"] > wanted["at_most"]:
        shown = f"{wanted['at_most']} is below at_least, {wanted['at_least']}"
        yield Problem(("at_most",), shown, "make it the larger of the two")


def _is_match(entry: JournalEntry, wanted: JsonObject) -> bool:
    actual = {
        "method": entry.method,
        "status": entry.status_code,
        "operation": entry.record.operation,
    }
    if any(name in wanted and actual[name] != wanted[name] for name in actual):
        return False
    if entry.method == "OPTIONS" and wanted.get("method") != "OPTIONS":
        return False
    is_read = actual["operation"] == _DETAIL and entry.method in {"GET", "HEAD"}
    if "run_id" in wanted and not is_read:
        return False
    ids = entry.record.path_parameters
    if any(name in wanted and ids.get(_IDS[name]) != wanted[name] for name in _IDS):
        return False
    return fnmatch.fnmatchcase(entry.path, str(wanted.get("path", "*")))
