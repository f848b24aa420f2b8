"""The first request: does a server respond there, and does it accept the key?"""

from dataclasses import dataclass

from deadringer.contracts.check.session import CheckSession
from deadringer.contracts.specification import operations


@dataclass(frozen=True, slots=True)
class Contact:
    """The result of the first request.

    `problem` states why the check cannot continue and what to do; `hint` states what may be wrong
    if no run can be read later. Both are empty after a successful request.
    """

    problem: str = ""
    hint: str = ""


def connect(session: CheckSession) -> Contact:
    """Send the first request and return its result."""
    options = session.options
    if options.run_ids or not session.offers("listWorkflows"):
        ids = {"id": (*options.workflow_ids, "wf")[0], "runId": (*options.run_ids, "run")[0]}
        exchange = session.request("getExecution", ids)
    else:
        exchange = session.request("listWorkflows", optional=True)
        session.absent.discard("listWorkflows")
    if exchange.failure is not None and session.client.unreachable:
        session.recorder.withdraw()
        tls = " (http:// without TLS)" if options.base_url.startswith("https:") else ""
        return Contact(
            f"{options.base_url} is unreachable: {session.client.unreachable}. "
            f"Start the server, or correct BASE_URL{tls}."
        )
    if exchange.status == 401:
        return Contact(
            "the server rejects the key. Pass a valid one with --api-key or DEADRINGER_API_KEY."
        )
    if exchange.status == 404:
        return Contact(hint=_hint_at_prefix(options.base_url, exchange.path))
    return Contact()


def _hint_at_prefix(base_url: str, path: str) -> str:
    """Return what may be wrong with the base URL if the first request got 404."""
    requested = base_url.rstrip("/") + path
    (segment,) = {one.path.split("/")[1] for one in operations()}
    if base_url.rstrip("/").endswith(f"/{segment}"):
        what = f"It ends in /{segment}, but every path of the contract starts with that"
    else:
        what = f"Every path of the contract is appended to it and starts with /{segment}"
    return f" Or correct BASE_URL. {what}: {requested} returned 404."
