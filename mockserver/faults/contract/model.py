"""What a contract fault is: a named, realistic bug that violates exactly one rule."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from werkzeug.datastructures import Headers

from deadringer.contracts import Json, JsonObject, format_timestamp, parse_timestamp
from deadringer.mockserver.errors import error_body


@dataclass(slots=True)
class Answer:
    """A response before it is sent; a fault changes it in place.

    Header names are spelled as the API spells them.
    """

    status: int
    headers: Headers
    body: Json
    raw: bytes | None = None
    """Bytes to send in place of the body, where the bug is that it is not the JSON it should be."""

    @property
    def data(self) -> JsonObject:
        """The `data` of a good response; an empty object elsewhere, changed in vain."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        return data if self.status == 200 and isinstance(data, dict) else {}

    @property
    def error(self) -> JsonObject:
        """The `error` of an error answer; an empty object elsewhere."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error if isinstance(error, dict) else {}

    def fail(self, status: int, code: str) -> None:
        """Replace the response by an error of a server that says no more than its code."""
        self.status, self.body = status, error_body(code, "It did not work")


class Counts(Protocol):
    """Counters by name."""

    def add(self, name: str) -> int:
        """Raise a counter by one; return its value from before."""

    def value(self, name: str) -> int:
        """Return a counter's value, 0 for one that was never raised."""


@dataclass(slots=True)
class Traffic:
    """The request a response belongs to, and what a buggy server could know beside it.

    `ask` sends a request of the server's own, with a good key. `counts` live as long as the
    server; `count` is how often this very request was answered before.
    """

    method: str
    path: str
    operation_id: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    key: str
    has_good_key: bool
    count: int
    counts: Counts
    ask: Callable[[str], Answer]
    is_bearer: bool = False
    """Whether the request has an `Authorization` header."""


Change = Callable[[Traffic, Answer], None]


@dataclass(frozen=True, slots=True)
class ContractFault:
    """One bug. `breaks` is the group of the rule, `rule` its name.

    `needs_writes` says that only a check that may start runs can meet it; `severity` is that of the
    violation.
    """

    name: str
    story: str
    breaks: str
    rule: str
    change: Change
    severity: str = "error"
    needs_writes: bool = False


def on_detail(change: Callable[[JsonObject], None]) -> Change:
    """Make a change to every execution that Execution Detail answers with."""

    def changed(traffic: Traffic, response: Answer) -> None:
        if traffic.operation_id == "getExecution" and response.data:
            change(response.data)

    return changed


def on_steps(change: Callable[[JsonObject], None], *statuses: str) -> Change:
    """Make a change to every step of some statuses (all, if none is named)."""

    def each(execution: JsonObject) -> None:
        for step in execution["steps"]:
            if not statuses or step["status"] in statuses:
                change(step)

    return on_detail(each)


def on_runs(change: Callable[[JsonObject], None], *statuses: str) -> Change:
    """Make a change to executions of some statuses."""
    return on_detail(lambda run: change(run) if run["status"] in statuses else None)


def on_rows(change: Callable[[JsonObject], None], *statuses: str) -> Change:
    """Make a change to the rows of lists of runs."""

    def changed(traffic: Traffic, response: Answer) -> None:
        if traffic.operation_id == "listExecutions":
            for row in response.data.get("executions", []):
                if not statuses or row["status"] in statuses:
                    change(row)

    return changed


def on_data(operation_id: str, change: Callable[[JsonObject], None]) -> Change:
    """Make a change to the data of one operation's good responses."""

    def changed(traffic: Traffic, response: Answer) -> None:
        if traffic.operation_id == operation_id and response.data:
            change(response.data)

    return changed


def on_status(status: int, change: Callable[[Answer], None]) -> Change:
    """Make a change to every response of one HTTP status."""

    def changed(_traffic: Traffic, response: Answer) -> None:
        if response.status == status:
            change(response)

    return changed


def put(**members: Json) -> Callable[[JsonObject], None]:
    """Return a change that sets members."""
    return lambda found: found.update(copy.deepcopy(members))


def drop(*names: str) -> Callable[[JsonObject], None]:
    """Return a change that leaves members out."""

    def dropped(found: JsonObject) -> None:
        for name in names:
            found.pop(name, None)

    return dropped


def moved(timestamp: str | None, milliseconds: float) -> str | None:
    """Return a timestamp moved by some milliseconds; None stays None."""
    moment = parse_timestamp(timestamp)
    if moment is None:
        return timestamp
    return format_timestamp(moment + timedelta(milliseconds=milliseconds))


def move(name: str, milliseconds: float) -> Callable[[JsonObject], None]:
    """Return a change that moves one timestamp of an object."""

    def moving(found: JsonObject) -> None:
        found[name] = moved(found[name], milliseconds)

    return moving
