"""The journal of a session: read, narrowed down, forgotten, and counted in."""

import fnmatch
from typing import Any

from contracts import JsonObject
from mockserver.journal import Passed

from .journal_entries import entry_of
from .steering import Steering, require_known
from .verifying import verify


def get_journal(steering: Steering) -> JsonObject:
    """Give the session's requests, newest first."""
    newer = steering.journal.newest(steering.session_name, steering.query["after"])
    passed = [one for one in newer if _is_wanted(one, steering.query)]
    limit = steering.query["limit"]
    return {"entries": [_entry(steering, one) for one in passed[:limit]], "total": len(passed)}


def get_journal_entry(steering: Steering, number: str) -> JsonObject:
    """Give one request."""
    passed = {str(one.number): one for one in _newest(steering)}
    require_known(number, passed, "journal entry")
    return _entry(steering, passed[number])


def clear_journal(steering: Steering) -> JsonObject:
    """Forget the session's requests."""
    steering.journal.clear(steering.session_name)
    return {"entries": [], "total": 0}


def verify_counts(steering: Steering) -> JsonObject:
    """Say whether as many requests came as was expected."""
    return verify(_newest(steering), steering.body)


def _entry(steering: Steering, passed: Passed) -> JsonObject:
    service = steering.service
    keys, verdicts = service.settings.api_keys, steering.journal.verdicts
    return entry_of(passed, service.redactor, keys, verdicts)


def _newest(steering: Steering) -> list[Passed]:
    return steering.journal.newest(steering.session_name)


def _is_wanted(passed: Passed, query: dict[str, Any]) -> bool:
    """Tell whether a request is one that the query narrows the journal down to."""
    if query["before"] and passed.number >= query["before"]:
        return False
    is_status = query["status"] in {None, passed.status_code}
    return is_status and fnmatch.fnmatchcase(passed.path, query["path"] or "*")
