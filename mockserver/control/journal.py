"""The journal of a session: read, narrowed down, forgotten, and counted in."""

import fnmatch

from flask import request

from contracts import JsonObject
from mockserver.journal import Passed

from .journal_entries import entry_of
from .steering import Steering, read_object, refused, require_known
from .verifying import verify


def get_journal(steering: Steering) -> JsonObject:
    """Give the session's requests, newest first."""
    passed = _wanted(steering)
    written = request.args.get("limit", "50")
    if not (written.isascii() and written.isdigit() and len(written) < 6):
        raise refused("query/limit", "is not a whole number", "Send one from 0 to 99999")
    shown = [entry_of(one, steering.service.redactor) for one in passed[: int(written)]]
    return {"entries": shown, "total": len(passed)}


def get_journal_entry(steering: Steering, number: str) -> JsonObject:
    """Give one request."""
    passed = {str(one.number): one for one in _newest(steering)}
    require_known(number, passed, "journal entry")
    return entry_of(passed[number], steering.service.redactor)


def clear_journal(steering: Steering) -> JsonObject:
    """Forget the session's requests."""
    steering.journal.clear(steering.session_name)
    return get_journal(steering)


def verify_counts(steering: Steering) -> JsonObject:
    """Say whether as many requests came as was expected."""
    return verify(_newest(steering), read_object())


def _newest(steering: Steering) -> list[Passed]:
    return steering.journal.newest(steering.session_name)


def _wanted(steering: Steering) -> list[Passed]:
    """Give what has passed in the session, newest first, as the query narrows it down."""
    wanted = request.args
    after = wanted.get("after", "0")
    if not (after.isascii() and after.isdigit()):
        raise refused("query/after", "is not a whole number", "Send the number of an entry")
    return [
        one
        for one in _newest(steering)
        if one.number > int(after)
        and wanted.get("status", str(one.status_code)) == str(one.status_code)
        and fnmatch.fnmatchcase(one.path, wanted.get("path", "*"))
    ]
