"""The mock from a test's point of view: its address, its key, and the control API as methods.

It uses the standard library's HTTP client, because tests replace the transports of other clients.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

DOCUMENTED_WORKFLOW = "wf_abc123"
"""The workflow of the API's documentation, which the mock always serves."""

_TIMEOUT_S = 30
_CONFLICT = 409


class ControlError(Exception):
    """The mock refused a control request or is unreachable; the message states why and the fix."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that the mock serves, and its URL."""

    workflow_id: str
    run_id: str
    path: str
    url: str


class ExecutionApi:
    """A running mock: its address and key, and methods that control it.

    `base_url` and `api_key` stay the same for the whole test session. `reset` undoes all changes.
    """

    def __init__(self, base_url: str, api_key: str, control_token: str | None = None) -> None:
        """Use the mock at `base_url`."""
        self.base_url = base_url
        self.api_key = api_key
        self._token = control_token

    def __repr__(self) -> str:
        """Return the address without the key, which may be a real one."""
        return f"<ExecutionApi {self.base_url}>"

    @property
    def headers(self) -> dict[str, str]:
        """Headers with the API key, as a new dict each time."""
        return {"x-api-key": self.api_key}

    def url(self, path: str) -> str:
        """Return the URL of a path such as `/v1/workflows`."""
        return self.base_url + path

    def run(self, workflow_id: str, run_id: str) -> Run:
        """Return the address of a run; the ids are percent-encoded."""
        ids = (quote(part, safe="") for part in (workflow_id, run_id))
        path = "/v1/workflows/{}/executions/{}".format(*ids)
        return Run(workflow_id, run_id, path, self.url(path))

    def reset(self) -> None:
        """Reset every session to its start: clock, faults, runs, journal, rate limit."""
        self.control("POST", "reset?all=true")

    def state(self) -> dict[str, Any]:
        """Return what has been changed."""
        return self.control("GET", "state")

    def now(self) -> str:
        """Return the mock's time, ISO 8601."""
        return str(self.control("GET", "clock")["now"])

    def freeze(self, moment: str | None = None) -> str:
        """Stop the clock, at a moment or where it is; return its time."""
        wanted = {} if moment is None else {"now": moment}
        return str(self.control("PUT", "clock", {**wanted, "speed": 0})["now"])

    def thaw(self, speed: float = 1) -> None:
        """Let the clock run; with `speed=60` an hour passes in a minute."""
        self.control("PUT", "clock", {"speed": speed})

    def advance(self, seconds: float) -> str:
        """Advance the clock, also a frozen one; return its time."""
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

        status: how it will end. steps: how many, if the workflow can list so many. drive: what
        advances it: `time` (the clock, the default), `read` (each read), `manual` (`advance_run`)
        or `immediate` (it ends at once).
        """
        members = {
            "status": status,
            "steps": steps,
            "drive": drive,
            "overrides": overrides,
            "action_mocks": action_mocks,
        }
        body = {name: value for name, value in members.items() if value is not None}
        place = f"workflows/{quote(workflow_id, safe='')}/runs"
        return self.run(workflow_id, self.control("POST", place, body)["run_id"])

    def advance_run(self, run: Run, transitions: int = 1) -> dict[str, Any]:
        """Advance a run with `drive` `manual` or `read`; return its new state."""
        return self.control("POST", f"{_place(run)}/advance", {"transitions": transitions})

    def put(
        self,
        execution: Mapping[str, Any],
        *,
        workflow_id: str = DOCUMENTED_WORKFLOW,
        force: bool = False,
    ) -> Run:
        """Serve an execution under a known workflow, whatever `workflow_id` it contains.

        An execution that violates the contract is refused, unless `force` is true.

        Raises:
            ValueError: if it has no `run_id`, which is part of its path.
        """
        if not execution.get("run_id"):
            raise ValueError("The execution has no run_id, which is part of its path; add one.")
        run = self.run(workflow_id, execution["run_id"])
        forced = "?force=true" if force else ""
        self.control("PUT", _place(run) + forced, execution)
        return run

    def delete(self, run: Run) -> None:
        """Delete a run: from now on reading it returns 404."""
        self.control("DELETE", _place(run))

    def fail_next(self, count: int = 1, *, status: int = 503, **scope: Any) -> None:
        """Refuse the next requests; `path="/v1/workflows/*"` and other members set the scope."""
        self.add_fault("status", status=status, count=count, **scope)

    def add_fault(self, kind: str, **members: Any) -> dict[str, Any]:
        """Add a fault: its kind, parameters, scope and schedule as in `/__mock/faults`."""
        return self.control("POST", "faults", {"kind": kind, **members})

    def clear_faults(self) -> None:
        """Remove the faults that were added; those of a scenario end with the scenario."""
        self.control("DELETE", "faults")

    def enable_contract_fault(self, name: str) -> None:
        """Turn on a contract fault: a bug of the backend that violates one rule."""
        self.control("PUT", f"contract-faults/{quote(name, safe='')}")

    def disable_contract_faults(self) -> None:
        """Turn all contract faults off."""
        self.control("DELETE", "contract-faults")

    def journal(self, **query: Any) -> list[dict[str, Any]]:
        """Return the requests since the start of the test, newest first.

        `status`, `path` (may contain *), `limit` and `after` filter them.
        """
        wanted = f"?{urlencode(query)}" if query else ""
        entries: list[dict[str, Any]] = self.control("GET", f"journal{wanted}")["entries"]
        return entries

    def coverage(self, *, total: bool = False) -> dict[str, Any]:
        """Return what requests met since the start of the test; `total`: since the mock's start."""
        return self.control("GET", "coverage?all=true" if total else "coverage")

    def verify(self, run: Run | None = None, **wanted: Any) -> int:
        """Assert that requests arrived, and return how many: reads of a run, or any that match.

        `at_least` (1 if no bound is set), `at_most`, `exactly`; `method`, `path`, `status`,
        `operation`, `workflow_id`, `run_id`.

        Raises:
            AssertionError: if the number differs; the message lists the requests that arrived.
        """
        __tracebackhide__ = True
        ids = {} if run is None else {"workflow_id": run.workflow_id, "run_id": run.run_id}
        status, response = self._call("POST", "verify", {**ids, **wanted})
        if status == _CONFLICT:
            raise AssertionError(f"{response['error']['message']}.\n{self._listed_journal()}")
        return int(_good(status, response)["matched"])

    def control(self, method: str, place: str, body: Any = None) -> dict[str, Any]:
        """Send any request of the control API; `place` is the path after `/__mock/`.

        Raises:
            ControlError: if it is refused.
        """
        return _good(*self._call(method, place, body))

    def _call(self, method: str, place: str, body: Any) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["X-Mock-Token"] = self._token
        content = None if body is None else json.dumps(body).encode()
        connection = HTTPConnection(urlsplit(self.base_url).netloc, timeout=_TIMEOUT_S)
        try:
            connection.request(method, f"/__mock/{place}", content, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException, ValueError) as problem:
            raise ControlError(f"{method} /__mock/{place}: no response: {problem!r}.") from problem
        finally:
            connection.close()

    def _listed_journal(self) -> str:
        entries = reversed(self.journal())
        lines = [f"  {one['method']} {one['target']} -> {one['status']}" for one in entries]
        return "\n".join(["Requests that arrived:", *(lines or ["  none"])])


def _place(run: Run) -> str:
    return run.path.removeprefix("/v1/")


def _good(status: int, response: dict[str, Any]) -> dict[str, Any]:
    if status < 400:
        return response
    error = response["error"]
    parts = [error["message"], *((error["details"] or {}).get("errors", [])), error["suggestion"]]
    raise ControlError(f"{status} {error['code']}: " + "; ".join(part for part in parts if part))
