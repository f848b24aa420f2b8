"""What a faulty server is, how it is served, and how responses are changed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from deadringer.contracts import JsonObject
from deadringer.mockserver import RatePolicy, Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.faults.contract import ContractFault, MutableResponse, Traffic

from .servers import KEY, PLENTY, alone, serving

RUN_EVERY_S = 4.0

Change = Callable[[Traffic, MutableResponse], None]
Make = Callable[[], Change]


@dataclass(frozen=True)
class ServerFault:
    """One bug: `make` returns the change of responses, with a state of its own.

    `groups` are the groups of rules one of which must report it as an error. With `starts`, so many
    runs are under way when the check begins.
    """

    name: str
    story: str
    groups: tuple[str, ...]
    make: Make
    needs_writes: bool = False
    starts: int = 0
    policy: RatePolicy = PLENTY
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None


@contextmanager
def served(fault: ServerFault) -> Iterator[str]:
    """Serve a faulty server; yield its base URL."""
    settings = Settings(rate_policy=fault.policy, log_format="text")
    change = ContractFault(fault.name, fault.groups[0], "", "", alone(fault.make()))
    application: Callable[..., Any] = build_app(settings, contract_faults=(change,))
    if fault.wrap is not None:
        application = fault.wrap(application)
    with serving(application) as url:
        over = threading.Event()
        starter = threading.Thread(target=_start_runs, args=(url, fault.starts, over))
        starter.start()
        try:
            yield url
        finally:
            over.set()
            starter.join()


def _start_runs(url: str, count: int, over: threading.Event) -> None:
    """Start runs one after another, so that some are under way whenever the check looks."""
    for _ in range(count):
        path = "/v1/workflows/wf_abc123/test"
        httpx.post(url + path, headers={"x-api-key": KEY}, json={}, timeout=30).raise_for_status()
        if over.wait(RUN_EVERY_S):
            return


def fixed(change: Change) -> Make:
    """Return a maker of a change without a state."""
    return lambda: change


def detail(change: Callable[[JsonObject], None], *statuses: str) -> Make:
    """Change executions of some statuses (all, if none is named)."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        data = response.data if traffic.operation_id == "getExecution" else {}
        if data and (not statuses or data["status"] in statuses):
            change(data)

    return fixed(changed)


def steps(change: Callable[[JsonObject], None], *statuses: str) -> Make:
    """Change the steps of some statuses in every execution."""

    def each(execution: JsonObject) -> None:
        for step in execution["steps"]:
            if not statuses or step["status"] in statuses:
                change(step)

    return detail(each)


def rows(change: Callable[[JsonObject], None]) -> Make:
    """Change every row of every list of runs."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "listExecutions" and response.data:
            for row in response.data["executions"]:
                change(row)

    return fixed(changed)


def headers(operation_id: str, **values: str) -> Make:
    """Set headers on the responses of an operation."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if operation_id in {"", traffic.operation_id}:
            for name, value in values.items():
                response.headers[name.replace("_", "-")] = value

    return fixed(changed)


def status(operation_id: str, code: int, *statuses: str) -> Make:
    """Set another 2xx status on the successful responses of an operation."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        is_wanted = not statuses or response.data.get("status") in statuses
        if traffic.operation_id == operation_id and response.status == 200 and is_wanted:
            response.status = code

    return fixed(changed)
