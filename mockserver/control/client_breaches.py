"""What the client of a journaled request did wrong, whatever the mock was told to answer."""

import json
from collections.abc import Iterable
from http import HTTPStatus

from werkzeug.datastructures import EnvironHeaders

from mockserver.auth import is_known_key, require_known_key, sent_key
from mockserver.errors import ApiError
from mockserver.journal import Passed
from mockserver.service import split_key


def client_breaches(
    passed: Passed, answer: bytes, preferences: Iterable[str], api_keys: Iterable[str]
) -> list[str]:
    """Give a line for each breach: a key that is missing or wrong, or what failed validation.

    What was preferred, a reserved run or a fault answered, the client did not do; and nobody
    breaks the contract by asking for a run that is not there, or once too often.
    """
    return [*_breach_of_key(passed, api_keys), *_failed_validation(passed, answer, preferences)]


def _breach_of_key(passed: Passed, api_keys: Iterable[str]) -> list[str]:
    if passed.method == "OPTIONS":
        return []
    key, _session = split_key(sent_key(EnvironHeaders(passed.environ)))
    try:
        require_known_key(key, known=is_known_key(key, api_keys))
    except ApiError as refusal:
        return [refusal.message]
    return []


def _failed_validation(passed: Passed, answer: bytes, preferences: Iterable[str]) -> list[str]:
    """Give the lines of the 400; a fault or a preference may have made it."""
    notes = passed.notes
    is_wanted = any(one.startswith("code=") for one in preferences)
    is_spoiled = passed.contract_faults or notes.get("contract_faults") or notes.get("faults")
    if passed.status_code != HTTPStatus.BAD_REQUEST or is_wanted or is_spoiled:
        return []
    try:
        error = json.loads(answer)["error"]
        return list((error["details"] or {}).get("errors") or [error["message"]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["The request failed validation"]
