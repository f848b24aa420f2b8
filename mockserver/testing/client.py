"""The mock as a test sees it: its address, its key, and the control API as methods.

Speaks HTTP with the standard library alone: tests replace the transports of other clients.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

DOCUMENTED_WORKFLOW = "wf_abc123"
"""The workflow of the API's documentation, which the mock always knows."""

_PATIENCE_S = 30
_CONFLICT = 409


class ControlError(Exception):
    """The mock refused a command, or could not be reached; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that the mock serves, and where."""

    workflow_id: str
    run_id: str
    path: str
    url: str


class ExecutionApi:
    """A running mock: where it is, what opens it, and how to steer it.

    `base_url` and `api_key` stay the same for the whole session of tests. What is changed is gone
    after `reset`.
    """

    def __init__(self, base_url: str, api_key: str, control_token: str | None = None) -> None:
        """Speak to the mock at an address."""
        self.base_url = base_url
        self.api_key = api_key
        self._token = control_token

    def __repr__(self) -> str:
        """Return the address alone: the key may be a real one."""
        return f"<ExecutionApi {self.base_url}>"

    @property
    def headers(self) -> dict[str, str]:
        """Headers that open the API; a new dict each time."""
        return {"x-api-key": self.api_key}

    def url(self, path: str) -> str:
        """Return the URL of a path such as `/v1/workflows`."""
        return self.base_url + path

    def run(self, workflow_id: str, run_id: str) -> Run:
        """Return where a run is read; the ids are percent-encoded."""
        ids = (quote(part, safe="") for part in (workflow_id, run_id))
        path = "/v1/workflows/{}/executions/{}".format(*ids)
        return Run(workflow_id, run_id, path, self.url(path))

    def reset(self) -> None:
        """Go back to the start, in every session: clock, faults, runs, journal, rate limit."""
        self.control("POST", "reset?all=true")

    def state(self) -> dict[str, Any]:
        """Return what has been changed."""
        return self.control("GET", "state")

    def now(self) -> str:
        """Return the mock's time, ISO 8601."""
        return str(self.control("GET", "clock")["now"])

    def freeze(self, moment: str | None = None) -> str:
        """Stop the clock, at a moment or where it is; return the time it stands at."""
        wanted = {} if moment is None else {"now": moment}
        return str(self.control("PUT", "clock", {**wanted, "speed": 0})["now"])

    def thaw(self, speed: float = 1) -> None:
        """Let the clock go; `speed=60` makes an hour of a minute."""
        self.control("PUT", "clock", {"speed": speed})

    def advance(self, seconds: float) -> str:
        """Move the clock, also a frozen one; return its time."""
        return str(self.control("POST", "clock/advance", {"seconds": seconds})["now"])

    def start_run(
        self,
        workflow_id: str = DOCUMENTED_WORKFLOW,
        *,
        status: str | None = None,
        steps: int | None = None,
        drive: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        action_mocks: Mapping[str, Any] | None = None,
    ) -> Run:
        """Start a live run.

        status: how it will end. drive: what moves it: `time` (the clock, the default), `read`
        (each read), `manual` (`advance_run`) or `immediate` (it is over at once).
        """
        given = {
            "status": status,
            "steps": steps,
            "drive": drive,
            "overrides": overrides,
            "action_mocks": action_mocks,
        }
        body = {name: value for name, value in given.items() if value is not None}
        place = f"workflows/{quote(workflow_id, safe='')}/runs"
        return self.run(workflow_id, self.control("POST", place, body)["run_id"])

    def advance_run(self, run: Run, transitions: int = 1) -> dict[str, Any]:
        """Move a run with `drive` `manual` or `read`; return it as it stands then."""
        return self.control("POST", f"{_place(run)}/advance", {"transitions": transitions})

    def put(
        self,
        execution: Mapping[str, Any],
        *,
        workflow_id: str = DOCUMENTED_WORKFLOW,
        force: bool = False,
    ) -> Run:
        """Serve an execution under a workflow the mock knows, whatever `workflow_id` it carries.

        One that breaks the contract is refused, unless it is forced.

        Raises:
            ValueError: if it has no `run_id`, under which it would be read.
        """
        if not execution.get("run_id"):
            raise ValueError("An execution to be served needs a run_id: it is read by that.")
        run = self.run(workflow_id, execution["run_id"])
        forced = "?force=true" if force else ""
        self.control("PUT", _place(run) + forced, execution)
        return run

    def delete(self, run: Run) -> None:
        """Let a run be gone: reading it is a 404 from here on."""
        self.control("DELETE", _place(run))

    def fail_next(self, count: int = 1, *, status: int = 503, **scope: Any) -> None:
        """Refuse the next requests; `path="/v1/workflows/*"` and others narrow it down."""
        self.add_fault("status", status=status, count=count, **scope)

    def add_fault(self, kind: str, **members: Any) -> dict[str, Any]:
        """Add a fault: its kind, parameters, scope and schedule as in `/__mock/faults`."""
        return self.control("POST", "faults", {"kind": kind, **members})

    def clear_faults(self) -> None:
        """Take away the faults that were added; those of a scenario go with it."""
        self.control("DELETE", "faults")

    def enable_contract_fault(self, name: str) -> None:
        """Turn on a contract fault: a bug of the backend that violates one rule."""
        self.control("PUT", f"contract-faults/{quote(name, safe='')}")

    def disable_contract_faults(self) -> None:
        """Turn all contract faults off."""
        self.control("DELETE", "contract-faults")

    def journal(self, **query: Any) -> list[dict[str, Any]]:
        """Return the requests since the start of the test, newest first.

        `status`, `path` (may hold *), `limit` and `after` narrow them down.
        """
        wanted = f"?{urlencode(query)}" if query else ""
        entries: list[dict[str, Any]] = self.control("GET", f"journal{wanted}")["entries"]
        return entries

    def verify(self, run: Run | None = None, **wanted: Any) -> int:
        """Assert that requests came, and return how many: reads of a run, or any that are wanted.

        `at_least` (1 if no bound is given), `at_most`, `exactly`; `method`, `path`, `status`,
        `operation`, `workflow_id`, `run_id`.

        Raises:
            AssertionError: if it was another number; the message lists the requests that came.
        """
        __tracebackhide__ = True
        ids = {} if run is None else {"workflow_id": run.workflow_id, "run_id": run.run_id}
        status, response = self._call("POST", "verify", {**ids, **wanted})
        if status == _CONFLICT:
            raise AssertionError(f"{response['error']['message']}.\n{self._told_journal()}")
        return int(_good(status, response)["matched"])

    def control(self, method: str, place: str, body: Any = None) -> dict[str, Any]:
        """Send any request of the control API, `place` being what follows `/__mock/`.

        Raises:
            ControlError: if it is refused.
        """
        return _good(*self._call(method, place, body))

    def _call(self, method: str, place: str, body: Any) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["X-Mock-Token"] = self._token
        content = None if body is None else json.dumps(body).encode()
        connection = HTTPConnection(urlsplit(self.base_url).netloc, timeout=_PATIENCE_S)
        try:
            connection.request(method, f"/__mock/{place}", content, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException, ValueError) as problem:
            raise ControlError(f"{method} /__mock/{place}: no answer: {problem!r}.") from problem
        finally:
            connection.close()

    def _told_journal(self) -> str:
        entries = reversed(self.journal())
        lines = [f"  {one['method']} {one['target']} -> {one['status']}" for one in entries]
        return "\n".join(["Requests that came:", *(lines or ["  none"])])


def _place(run: Run) -> str:
    return run.path.removeprefix("/v1/")


def _good(status: int, response: dict[str, Any]) -> dict[str, Any]:
    if status < 400:
        return response
    error = response["error"]
    parts = [error["message"], *((error["details"] or {}).get("errors", [])), error["suggestion"]]
    raise ControlError(f"{status} {error['code']}: " + "; ".join(part for part in parts if part))
