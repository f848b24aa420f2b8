"""What a client can meet: items of coverage, and the documented request that produces each."""

import json
import shlex
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import Any, NamedTuple

from deadringer.contracts.exchanges import Failure
from deadringer.contracts.json_types import JsonObject

CONTROL_ROOT = "/__mock/"
_JSON = {"Content-Type": "application/json"}


class Section(StrEnum):
    """The kinds of items, in the order of reports."""

    OPERATIONS = "operations"
    STATUSES = "statuses"
    CODES = "codes"
    SITUATIONS = "situations"


class DocumentedRequest(NamedTuple):
    """A request to the mock; `timeout_s` is when the client stops waiting, None for never.

    `path` is percent-encoded and has its query; `body` is sent as JSON.
    """

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: JsonObject | None = None
    timeout_s: float | None = None

    @property
    def is_control(self) -> bool:
        """Whether it goes to the control API, which takes no API key."""
        return self.path.startswith(CONTROL_ROOT)


class Address(NamedTuple):
    """Where the mock is: its base URL without a slash, its key, and what names session and token.

    `control_headers` are sent to the control API, `headers` with every request.
    """

    base_url: str
    key: str
    headers: Mapping[str, str] = {}
    control_headers: Mapping[str, str] = {}


def curl_line(request: DocumentedRequest, address: Address) -> str:
    """Return a request as one line for a POSIX shell."""
    own = address.control_headers if request.is_control else {"x-api-key": address.key}
    json_headers = {} if request.body is None else _JSON
    parts = ["curl"]
    if request.timeout_s is not None:
        parts += ["--max-time", f"{request.timeout_s:g}"]
    if request.method != "GET":
        parts += ["-X", request.method]
    for name, value in {**own, **address.headers, **json_headers, **request.headers}.items():
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body is not None:
        parts += ["-d", shlex.quote(json.dumps(request.body, ensure_ascii=False))]
    return " ".join([*parts, shlex.quote(address.base_url + request.path)])


class CoverageItem(NamedTuple):
    """One thing that a client can meet; `id` is unique, and `steps` produce it in the mock."""

    id: str
    section: Section
    title: str
    steps: tuple[DocumentedRequest, ...]


class RunRead(NamedTuple):
    """What is remembered of the last read of a run; all empty where it was only listed."""

    status: int = 0
    failure: Failure | None = None
    run_status: str = ""
    is_listed: bool = False


class ExchangePart(Enum):
    """The part of an exchange that a situation is found in; `parts_of` returns them."""

    EXCHANGE = "the exchange"
    RUN = "a run"
    TEXT = "the text of a run"
    STEP = "a step"
    PAGE = "a page of runs"
    ROW = "a row of a page"
    WORKFLOWS = "a page of workflows"


class Situation(NamedTuple):
    """A state of responses that a client has to handle.

    An exchange meets it if `matches` is true for one of the parts that `found_in` names; or, if
    it needs two reads, if `matches_after` is true for the earlier and the later read of a run.
    `why` is one sentence, `source` where the situation is known from.
    """

    name: str
    title: str
    why: str
    source: str
    steps: tuple[DocumentedRequest, ...]
    found_in: ExchangePart = ExchangePart.EXCHANGE
    matches: Callable[[Any], bool] | None = None
    matches_after: Callable[[RunRead, RunRead], bool] | None = None

    @property
    def item(self) -> CoverageItem:
        """Its item of coverage."""
        return CoverageItem(
            f"{Section.SITUATIONS}/{self.name}", Section.SITUATIONS, self.title, self.steps
        )


def path_of(workflow_id: str, run_id: str) -> str:
    """Return the path of a run; ids of the mock need no percent-encoding."""
    return f"/v1/workflows/{workflow_id}/executions/{run_id}"


def reads(workflow_id: str, run_id: str) -> tuple[DocumentedRequest, ...]:
    """Return the read of one run as steps."""
    return (DocumentedRequest(path_of(workflow_id, run_id)),)


def patches(workflow_id: str, run_id: str, body: JsonObject) -> DocumentedRequest:
    """Return the control request that changes members of a run."""
    place = CONTROL_ROOT + path_of(workflow_id, run_id).removeprefix("/v1/")
    return DocumentedRequest(place, "PATCH", body=body)
