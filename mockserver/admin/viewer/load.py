"""Read an execution from a file, standard input, or a run's URL."""

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deadringer.contracts import Json, JsonError, JsonObject, parse_json
from deadringer.contracts.check import Access, Fetched, Fetcher, FetchError
from deadringer.contracts.input_files import (
    LARGEST_DOCUMENT,
    InputFileError,
    decoded,
    read_file,
)

STANDARD_INPUT = "-"
OK, UNAUTHORIZED = 200, 401
_REDIRECTS = range(300, 400)
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
    server returned that too. `source` is there if it can be read again.
    """

    origin: str
    execution: JsonObject
    envelope: JsonObject | None = None
    workflow: JsonObject | None = None
    source: "ServerSource | None" = None
    clock: Callable[[], float] = time.monotonic
    _read_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Record when it was read."""
        self._read_at = self.clock()

    def renew(self) -> None:
        """Read it again, if it comes from a server and was not read just now.

        Raises:
            NoExecutionError: if the server no longer returns it.
        """
        if self.source is not None and self.clock() - self._read_at >= FOLLOWED_EVERY_S:
            self._read_at = self.clock()
            self.execution, self.envelope = _held_in(self.source.read(), self.origin)


class ServerSource:
    """The URL of an execution, and the way to its server.

    Raises:
        AccessError: if certificates or a proxy of the environment cannot be used.
        NoExecutionError: if the URL contains credentials.
    """

    def __init__(self, url: str, key: str | None, access: Access) -> None:
        if "@" in url.partition("://")[2].partition("/")[0]:
            place = url.rpartition("@")[2]
            raise NoExecutionError(
                f"the URL of {place} must not contain credentials. Pass them with "
                "--header 'Authorization: …'."
            )
        self.url = url
        self.access = access
        self._has_key = key is not None
        self._fetcher = Fetcher(url, access, key=key, timeout_s=TIMEOUT_S)

    def read(self) -> Json:
        """Return the document at the URL.

        Raises:
            NoExecutionError: if the server does not return one.
        """
        return self._read(self.url)

    def definition(self) -> JsonObject | None:
        """Return the workflow's definition, None if the server does not return it."""
        match = _RUN_URL.fullmatch(self.url)
        if match is None:
            return None
        try:
            response = self._read(match["workflow"])
        except NoExecutionError:
            return None
        data = response.get("data") if isinstance(response, dict) else None
        return data if isinstance(data, dict) and isinstance(data.get("workflow"), dict) else None

    def _read(self, url: str) -> Json:
        try:
            response = self._fetcher.get(url)
        except FetchError as error:
            raise NoExecutionError(str(error)) from error
        if response.status in _REDIRECTS:
            # The key must not be sent to another URL than the one named.
            target = self._fetcher.redactor(response.headers.get("location", ""))
            raise NoExecutionError(f"{url}: redirects to {target}. Use that URL if you trust it.")
        if response.status != OK:
            reason = self._fetcher.redactor(self._reason(response))
            raise NoExecutionError(f"{url}: returned {response.status}{reason}")
        return _parsed(url, response.body)

    def _reason(self, response: Fetched) -> str:
        try:
            message = f" ({error_text(parse_json(response.body).value)})"
        except JsonError:
            message = ""
        if response.status == UNAUTHORIZED:
            fix = "another key" if self._has_key else "a key"
            return f"{message}. Pass {fix} with --api-key or DEADRINGER_API_KEY."
        if not message:
            lines = response.body[:2000].decode("utf-8", "replace").split("\n")
            first = next((line.strip()[:120] for line in lines if line.strip()), "an empty body")
            return f", not JSON: {first!r}. If a gateway asks for a header, pass it with --header."
        return f"{message}. Check the URL."


def read_execution(
    place: str,
    key: str | None,
    clock: Callable[[], float] = time.monotonic,
    access: Access | None = None,
) -> Viewed:
    """Return the execution at a path, a URL, or `-`; `access` is the way to the URL's server.

    Raises:
        AccessError: if that way cannot be used.
        NoExecutionError: if there is none.
    """
    if _is_url(place):
        source = ServerSource(place, key, access or Access())
        execution, envelope = _held_in(source.read(), place)
        return Viewed(place, execution, envelope, source.definition(), source, clock)
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
