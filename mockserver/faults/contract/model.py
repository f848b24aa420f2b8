"""What a contract fault is: a named, realistic bug in responses, which violates a rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from werkzeug.datastructures import Headers

from deadringer.contracts import Json, JsonObject
from deadringer.fixtures.edits import Edit
from deadringer.mockserver.errors import error_body


@dataclass(slots=True)
class MutableResponse:
    """A response before it is sent, which faults change in place.

    Header names are spelled as the API spells them.
    """

    status: int
    headers: Headers
    body: Json
    raw: bytes | None = None
    """Bytes to send instead of the body, for bugs that send no JSON."""

    @property
    def data(self) -> JsonObject:
        """The `data` of a successful response; else an empty object, which is not sent."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        return data if self.status == 200 and isinstance(data, dict) else {}

    @property
    def error(self) -> JsonObject:
        """The `error` of an error response; else an empty object, which is not sent."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error if isinstance(error, dict) else {}

    def fail(self, status: int, code: str) -> None:
        """Replace the response by an error with a meaningless message."""
        self.status, self.body = status, error_body(code, "It did not work")


class Counts(Protocol):
    """Counters by name."""

    def add(self, name: str) -> int:
        """Increment a counter; return its previous value."""

    def value(self, name: str) -> int:
        """Return a counter's value, 0 if it was never incremented."""


@dataclass(slots=True)
class Traffic:
    """The request a response belongs to, and the state that a faulty server could use.

    `send` sends an internal request with a valid key. `counts` are counters of the session; `count`
    is how often the same request was received before.
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
    send: Callable[[str], MutableResponse]
    is_bearer: bool = False
    """Whether the request has an `Authorization` header."""


Change = Callable[[Traffic, MutableResponse], None]


@dataclass(frozen=True, slots=True)
class ContractFault:
    """One bug. `group` is the group of the rule, `rule` its name.

    `needs_writes` is whether only a check that may start runs can find it; `severity` is that of
    the violation.
    """

    name: str
    story: str
    group: str
    rule: str
    change: Change
    severity: str = "error"
    needs_writes: bool = False


def on_detail(change: Callable[[JsonObject], None]) -> Change:
    """Return a change of every execution that Execution Detail returns."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "getExecution" and response.data:
            change(response.data)

    return changed


def fault_of(edit: Edit) -> ContractFault:
    """Return the fault that applies an edit to every execution that Execution Detail returns."""
    return ContractFault(
        edit.name, edit.story, edit.group, edit.rule, on_detail(edit.apply), edit.severity
    )


def on_rows(change: Callable[[JsonObject], None], *statuses: str) -> Change:
    """Return a change of the rows of List Executions with one of the statuses (or of all)."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "listExecutions":
            for row in response.data.get("executions", []):
                if not statuses or row["status"] in statuses:
                    change(row)

    return changed


def on_data(operation_id: str, change: Callable[[JsonObject], None]) -> Change:
    """Return a change of the data of one operation's successful responses."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == operation_id and response.data:
            change(response.data)

    return changed


def on_status(status: int, change: Callable[[MutableResponse], None]) -> Change:
    """Return a change of every response with an HTTP status."""

    def changed(_traffic: Traffic, response: MutableResponse) -> None:
        if response.status == status:
            change(response)

    return changed
