"""Read an execution from a file, standard input, or a run's URL."""

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deadringer.contracts import Json, JsonError, JsonObject, parse_json
from deadringer.contracts.input_files import (
    LARGEST_DOCUMENT,
    InputFileError,
    decoded,
    read_file,
)

STANDARD_INPUT = "-"
TIMEOUT_S = 20.0
FOLLOWED_EVERY_S = 5.0
"""The shortest time between two reads of a running run, to spare the server's rate limit."""

_RUN_URL = re.compile(
    r"(?P<workflow>https?://.+/workflows/[^/?#]+)/executions/[^/?#]+/?(?:[?#].*)?"
)
_TYPICAL = {"steps", "run_id", "workflow_id", "started_at", "event_name"}
_ENOUGH = 2


class NoExecutionError(Exception):
    """There is no execution, or it cannot be read; the message states the fix."""


@dataclass(slots=True)
class Viewed:
    """An execution, which may violate the contract, and its origin.

    `envelope` is the response around it, without `data`. `workflow` is its definition, if the
    server returned that too.
    """

    origin: str
    execution: JsonObject
    envelope: JsonObject | None = None
    workflow: JsonObject | None = None
    key: str | None = None
    clock: Callable[[], float] = time.monotonic
    _read_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Record when it was read."""
        self._read_at = self.clock()

    @property
    def is_from_server(self) -> bool:
        """Whether it can be read again."""
        return _is_url(self.origin)

    def renew(self) -> None:
        """Read it again, if it comes from a server and was not read just now.

        Raises:
            NoExecutionError: if the server no longer returns it.
        """
        if self.is_from_server and self.clock() - self._read_at >= FOLLOWED_EVERY_S:
            self._read_at = self.clock()
            self.execution, self.envelope = _held_in(_fetched(self.origin, self.key), self.origin)


def read_execution(
    place: str, key: str | None, clock: Callable[[], float] = time.monotonic
) -> Viewed:
    """Return the execution at a path, a URL, or `-`.

    Raises:
        NoExecutionError: if there is none.
    """
    if _is_url(place):
        execution, envelope = _held_in(_fetched(place, key), place)
        return Viewed(place, execution, envelope, _definition(place, key), key, clock)
    return Viewed(place, *_held_in(_parsed(place, _text(place, _content(place))), place))


def _held_in(document: Json, place: str) -> tuple[JsonObject, JsonObject | None]:
    """Return the execution in a document, and the response around it, if there is one.

    Raises:
        NoExecutionError: if it contains none, or several.
    """
    if isinstance(document, list):
        if len(document) != 1:
            raise NoExecutionError(
                f"{place}: an array of {len(document)} documents. Select one of them: "
                f"jq '.[0]' FILE | deadringer view -"
            )
        return _held_in(document[0], place)
    if isinstance(document, dict):
        if len(_TYPICAL & document.keys()) >= _ENOUGH:
            return document, None
        data = document.get("data")
        if isinstance(data, dict) and len(_TYPICAL & data.keys()) >= _ENOUGH:
            return data, {name: one for name, one in document.items() if name != "data"}
    raise NoExecutionError(
        f"{place}: {_description(document)}. Use an execution, or a response of Execution Detail."
    )


def _description(document: Json) -> str:
    if not isinstance(document, dict):
        return "no execution: JSON, but not an object"
    data = document.get("data")
    if document.get("success") is False or "error" in document:
        return f"no execution: an error response ({error_text(document)})"
    if isinstance(data, dict) and {"executions", "items", "pagination"} & data.keys():
        return "no execution: a page of the list of executions"
    if "log" in document:
        return "no execution: a HAR recording"
    names = ", ".join(list(document)[:6]) or "no members"
    return f"no execution: an object with {names}"


def error_text(document: Json) -> str:
    """Return code and message of an error body."""
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict):
        return " ".join(str(error[name]) for name in ("code", "message") if error.get(name))
    return str(error or "no reason stated")


def _is_url(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))


def _content(place: str) -> bytes:
    if place == STANDARD_INPUT:
        content = sys.stdin.buffer.read(LARGEST_DOCUMENT + 1)
        if len(content) > LARGEST_DOCUMENT:
            raise NoExecutionError(f"{place}: more than {LARGEST_DOCUMENT:,} bytes.")
        return content
    try:
        return read_file(Path(place))
    except InputFileError as error:
        raise NoExecutionError(
            f"{place}: {error}. Name a file, or - for standard input."
        ) from error
    except OSError as error:
        raise NoExecutionError(
            f"{place}: {error.strerror or error}. Name a file, a URL, or - for standard input."
        ) from error


def _parsed(place: str, text: str | bytes) -> Json:
    try:
        return parse_json(text).value
    except JsonError as error:
        where = f"{place}:{error.line}:{error.column}" if error.line else place
        raise NoExecutionError(f"{where}: not JSON: {error.reason}. Correct the syntax.") from error


def _text(place: str, content: bytes) -> str:
    try:
        return decoded(content)
    except InputFileError as error:
        raise NoExecutionError(f"{place}: {error}.") from error


def _fetched(url: str, key: str | None) -> Json:
    headers = {"Accept": "application/json", **({"x-api-key": key} if key else {})}
    try:
        response = httpx.get(url, headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise NoExecutionError(f"{url}: cannot be reached: {reason}.") from error
    if response.is_redirect:
        # The key must not be sent to another URL than the one named.
        target = response.headers.get("location", "")
        raise NoExecutionError(f"{url}: redirects to {target}. Use that URL if you trust it.")
    if response.status_code != httpx.codes.OK:
        raise NoExecutionError(f"{url}: returned {response.status_code}{_reason(response, key)}")
    return _parsed(url, response.content)


def _reason(response: httpx.Response, key: str | None) -> str:
    try:
        message = f" ({error_text(response.json())})"
    except ValueError:
        message = ""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        fix = "another key" if key else "a key"
        return f"{message}. Pass {fix} with --api-key or DEADRINGER_API_KEY."
    return f"{message}. Check the URL."


def _definition(url: str, key: str | None) -> JsonObject | None:
    """Return the workflow's definition, None if the server does not return it."""
    match = _RUN_URL.fullmatch(url)
    if match is None:
        return None
    try:
        response = _fetched(match["workflow"], key)
    except NoExecutionError:
        return None
    data = response.get("data") if isinstance(response, dict) else None
    return data if isinstance(data, dict) and isinstance(data.get("workflow"), dict) else None
