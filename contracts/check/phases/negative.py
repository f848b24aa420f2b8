"""Requests that should be refused: keys, unknown ids, foreign runs, edge-case ids, bad pages."""

import random
import string
from collections.abc import Iterator, Mapping

from deadringer.contracts.check.options import SampleSizes
from deadringer.contracts.check.session import CheckSession, KnownRun
from deadringer.contracts.envelopes import members
from deadringer.contracts.exchanges import Intent

EDGE_CASE_IDS = ("..", "x" * 1000, "a/b", "ünï-✓-😀", "%2e%2e%2f", "a b;c'd\"", "null", "-1")
BAD_RUN_PAGES = (
    {"page": "0"},
    {"page_size": "101"},
    {"page": "one"},
    {"page_size": "0"},
    {"page": "-1"},
    {"page_size": "many"},
)
BAD_WORKFLOW_PAGES = ({"limit": "0"}, {"limit": "101"}, {"offset": "-1"}, {"status": "NONSENSE"})
FAR_PAGE = 1_000_000


def probe_refusals(session: CheckSession, runs: list[KnownRun], sizes: SampleSizes) -> None:
    """Send every kind of request that must be refused, derived from runs that were read."""
    first = runs[0]
    _probe_keys(session, first)
    _probe_unknown(session, first)
    _probe_isolation(session, runs, sizes.foreign)
    _probe_edge_case_ids(session, first, sizes.edge_case_ids)
    _probe_pages(session, first.workflow_id, sizes.bad_pages)
    _probe_methods(session, first)


def _unknown_id(session: CheckSession, prefix: str) -> str:
    """Return an id that does not exist; the same seed returns the same id."""
    source = random.Random(f"{session.options.seed} {prefix}")  # noqa: S311 - not a secret
    return prefix + "".join(source.choices(string.ascii_lowercase + string.digits, k=17))


def _probe_keys(session: CheckSession, run: KnownRun) -> None:
    """Request every operation without a key and with a wrong one, and one with every bad key."""
    for operation_id, parameters in _readable(session, run):
        request = session.request
        request(operation_id, parameters, headers={})
        wrong = {"x-api-key": _unknown_id(session, "trig_")}
        request(operation_id, parameters, headers=wrong, intent=Intent.BAD_KEY)
    detail = {"id": run.workflow_id, "runId": run.run_id}
    lost = {"id": run.workflow_id, "runId": _unknown_id(session, "run_")}
    session.request("getExecution", lost, headers={})
    session.request("getExecution", detail, headers={"x-api-key": ""})
    takes_authorization = session.options.access.takes_authorization
    for headers in _near_keys(session.options.api_key):
        if takes_authorization and "authorization" in headers:
            continue
        session.request("getExecution", detail, headers=headers, intent=Intent.BAD_KEY)
    for name in ("api_key", "x-api-key"):
        key = {name: session.options.api_key}
        session.request("getExecution", detail, query=key, headers={}, intent=Intent.KEY_IN_QUERY)
    if takes_authorization:
        return
    bearer = {"authorization": f"Bearer {session.options.api_key}"}
    session.request("getExecution", detail, headers=bearer, intent=Intent.BEARER_KEY)


def _readable(session: CheckSession, run: KnownRun) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield (operation id, path parameters) of each supported operation that only reads."""
    ids = {"id": run.workflow_id, "runId": run.run_id}
    for operation in session.operations.values():
        if operation.method == "GET" and operation.operation_id in session.present:
            yield operation.operation_id, {name: ids[name] for name in operation.path_parameters}


def _near_keys(key: str) -> Iterator[Mapping[str, str]]:
    """Yield headers with keys that a careless comparison would accept."""
    other = "a" if key[-1:] != "a" else "b"
    for near in (key[:-1] + other, key[:-1], key + "x"):
        if near.strip():
            yield {"x-api-key": near}
    yield {"authorization": "Bearer " + key[:-1] + other}


def _probe_unknown(session: CheckSession, run: KnownRun) -> None:
    """Request workflows and runs that do not exist, with random ids and with near variants."""
    unknown_workflow, unknown_run = _unknown_id(session, "wf_"), _unknown_id(session, "run_")
    request = session.request
    for run_id in (unknown_run, run.run_id + "x", run.run_id[:-1] + "~"):
        request("getExecution", {"id": run.workflow_id, "runId": run_id}, intent=Intent.UNKNOWN_RUN)
    execution_id = members(run.execution).get("id")
    if isinstance(execution_id, str) and execution_id and execution_id != run.run_id:
        # The log row's id is not the run's id; nothing documents that it is refused.
        request("getExecution", {"id": run.workflow_id, "runId": execution_id}, intent=Intent.FUZZ)
    for operation_id in ("getExecution", "listExecutions", "getWorkflow"):
        if session.offers(operation_id):
            names = session.operations[operation_id].path_parameters
            ids = {"id": unknown_workflow, "runId": unknown_run}
            parameters = {name: ids[name] for name in names}
            request(operation_id, parameters, intent=Intent.UNKNOWN_WORKFLOW)


def _probe_isolation(session: CheckSession, runs: list[KnownRun], limit: int) -> None:
    """Request each run under other workflows: known ones in turn, and one that does not exist."""
    others = list(session.workflows) or []
    unknown_workflow = _unknown_id(session, "wf_")
    requested = 0
    for turn, run in enumerate(runs):
        strangers = [one for one in others if one != run.workflow_id]
        turned = (
            strangers[turn % len(strangers) :] + strangers[: turn % len(strangers)]
            if strangers
            else []
        )
        # With few workflows request every pair; with many, each run starts with another one.
        share = max(1, limit // (2 * max(1, len(runs))))
        for workflow_id in [*turned[:share], unknown_workflow]:
            if requested >= limit:
                return
            requested += 1
            ids = {"id": workflow_id, "runId": run.run_id}
            known = session.runs.get((workflow_id, run.run_id))
            if known is None:
                session.request("getExecution", ids, intent=Intent.FOREIGN_RUN)


def _probe_edge_case_ids(session: CheckSession, run: KnownRun, limit: int) -> None:
    """Request edge-case ids: valid strings that no server uses as ids."""
    for value in EDGE_CASE_IDS[:limit]:
        ids = {"id": run.workflow_id, "runId": value}
        session.request("getExecution", ids, intent=_edge_case_intent(value))
    for value in EDGE_CASE_IDS[: limit // 2]:
        ids = {"id": value, "runId": run.run_id}
        session.request("getExecution", ids, intent=_edge_case_intent(value))
        if session.offers("listExecutions") and value != "..":
            session.request("listExecutions", {"id": value}, intent=_edge_case_intent(value))
    nul = {"id": run.workflow_id, "runId": "a\0b"}
    session.request("getExecution", nul, intent=Intent.FUZZ)


def _edge_case_intent(value: str) -> Intent:
    # Many routers decode %2F first and then find no route, so the API itself does not respond.
    return Intent.FUZZ if "/" in value else Intent.EDGE_CASE_ID


def _probe_pages(session: CheckSession, workflow_id: str, limit: int) -> None:
    """Request pages of the lists out of range, and one beyond the end."""
    if session.offers("listExecutions"):
        for query in BAD_RUN_PAGES[:limit]:
            ids = {"id": workflow_id}
            session.request("listExecutions", ids, query=query, intent=Intent.BAD_QUERY)
        far = {"page": str(FAR_PAGE), "page_size": "20"}
        session.request(
            "listExecutions", {"id": workflow_id}, query=far, intent=Intent.PAGE_BEYOND_END
        )
    if session.offers("listWorkflows"):
        for query in BAD_WORKFLOW_PAGES[: limit // 2]:
            session.request("listWorkflows", query=query, intent=Intent.BAD_QUERY)


def _probe_methods(session: CheckSession, run: KnownRun) -> None:
    """Send unsupported methods; those that write only if writes are allowed."""
    methods = ["PROPFIND"]
    ids = {"id": run.workflow_id, "runId": run.run_id}
    if session.options.writes_allowed:
        methods += ["POST", "PUT", "PATCH", "DELETE"]
        ids = {"id": _unknown_id(session, "wf_"), "runId": _unknown_id(session, "run_")}
    for method in methods:
        session.request("getExecution", ids, method=method, intent=Intent.WRONG_METHOD)
