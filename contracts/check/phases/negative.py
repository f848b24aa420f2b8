"""Requests that should be refused: keys, unknown ids, foreign runs, edge-case ids, bad pages."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from deadringer.contracts.check.options import SampleSizes
from deadringer.contracts.check.session import CheckSession, KnownRun, execution_of
from deadringer.contracts.envelopes import members
from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.json_types import Json
from deadringer.contracts.rules import Scope
from deadringer.contracts.traffic import body_of

from .inventions import invented, near_ids, near_keys

_Ask = Callable[[], Exchange]

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
    _probe_keys(session, first, sizes.near_keys)
    _probe_unknown(session, first)
    _probe_near_ids(session, first, sizes.near_ids)
    for run in runs[1:3]:
        # A lookup may be careless about some runs only, such as those of the first page.
        _probe_near_run(session, run, sizes.near_ids // 4)
    _probe_isolation(session, runs, sizes.foreign)
    _probe_edge_case_ids(session, first, sizes.edge_case_ids)
    _probe_pages(session, first.workflow_id, sizes.bad_pages)
    _probe_methods(session, first)


def _refused(session: CheckSession, status: int, first: _Ask, second: _Ask) -> None:
    """Send a request that must get a status, and validate it only if a second one confirms it.

    What was invented may exist by chance, so one response alone is no alarm. If only the first
    request got another status, the second is validated.
    """
    exchange = first()
    again = second() if exchange.status != status else exchange
    if again is not exchange:
        if again.status == status:
            session.notes.append(f"{exchange.path} returned {exchange.status} once; not counted")
        else:
            session.validate_exchange(exchange)
    session.validate_exchange(again)


def _probe_keys(session: CheckSession, run: KnownRun, near_limit: int) -> None:
    """Send every operation without a key and with wrong ones, and one operation in every way."""
    ask, detail = session.request, {"id": run.workflow_id, "runId": run.run_id}
    pairs = near_keys(session.options.api_key, session.options.seed)
    readable = list(_readable(session, run))
    for operation_id, parameters in readable:
        ask(operation_id, parameters, headers={})
        wrong = [invented(session, "trig_", turn=turn) for turn in (0, 1)]
        _refuse_keys(session, operation_id, parameters, wrong)
    for at, pair in enumerate(pairs[:near_limit]):
        # The detail meets every near key, the other operations one each.
        others = [one for one in readable if one[0] != "getExecution"]
        turned = [others[at % len(others)]] if others else []
        for operation_id, parameters in [("getExecution", detail), *turned]:
            _refuse_keys(session, operation_id, parameters, pair)
    takes_authorization = session.options.access.takes_authorization
    is_variable = bool(pairs) and not takes_authorization
    bearers = [f"Bearer {one}" for one in (pairs[0] if is_variable else ())]
    _refuse_keys(session, "getExecution", detail, bearers, "authorization")
    ask("getExecution", {**detail, "runId": invented(session, "run_")}, headers={})
    ask("getExecution", detail, headers={"x-api-key": ""})
    for name in ("api_key", "x-api-key"):
        key = {name: session.options.api_key}
        ask("getExecution", detail, query=key, headers={}, intent=Intent.KEY_IN_QUERY)
    if takes_authorization:
        return
    bearer = {"authorization": f"Bearer {session.options.api_key}"}
    ask("getExecution", detail, headers=bearer, intent=Intent.BEARER_KEY)


def _refuse_keys(
    session: CheckSession,
    operation_id: str,
    parameters: Mapping[str, str],
    keys: Iterable[str],
    header: str = "x-api-key",
) -> None:
    """Send an operation with a wrong key, and with another if the first one is accepted."""
    asks = [
        partial(
            session.request,
            operation_id,
            parameters,
            headers={header: key},
            intent=Intent.BAD_KEY,
            validated=False,
        )
        for key in keys
    ]
    if len(asks) == 2:
        _refused(session, 401, *asks)


def _readable(session: CheckSession, run: KnownRun) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each operation that has succeeded and can be requested without changing anything."""
    ids = {"id": run.workflow_id, "runId": run.run_id}
    for operation in session.operations.values():
        if operation.method == "GET" and operation.operation_id in session.present:
            yield operation.operation_id, {name: ids[name] for name in operation.path_parameters}


def _probe_unknown(session: CheckSession, run: KnownRun) -> None:
    """Request workflows and runs that do not exist, in another form and in that of known ones."""
    for operation_id in ("getExecution", "listExecutions", "getWorkflow", "getExecutionVariables"):
        if session.offers(operation_id) and operation_id in session.present:
            names = session.operations[operation_id].path_parameters
            if "runId" in names and operation_id == "getExecution":
                _refuse_unknown(session, operation_id, run, ("runId",), Intent.UNKNOWN_RUN)
            _refuse_unknown(session, operation_id, run, names, Intent.UNKNOWN_WORKFLOW)
    execution_id = members(run.execution).get("id")
    if isinstance(execution_id, str) and execution_id and execution_id != run.run_id:
        # The log row's id is not the run's id; nothing documents that it is refused.
        ids = {"id": run.workflow_id, "runId": execution_id}
        session.request("getExecution", ids, intent=Intent.FUZZ)


def _refuse_unknown(
    session: CheckSession,
    operation_id: str,
    run: KnownRun,
    unknown: Iterable[str],
    intent: Intent,
) -> None:
    known = {"id": run.workflow_id, "runId": run.run_id}
    prefixes = {"id": "wf_", "runId": "run_"}
    asks = []
    for like in (False, True):
        ids = {
            name: invented(session, prefixes[name], like=known[name] if like else "")
            if name in set(unknown)
            else known[name]
            for name in session.operations[operation_id].path_parameters
        }
        asks.append(partial(session.request, operation_id, ids, intent=intent, validated=False))
    _refused(session, 404, *asks)


def _probe_near_run(session: CheckSession, run: KnownRun, limit: int) -> None:
    """Request a run by ids that differ slightly from its own, and compare what is returned."""
    listed = {run_id for workflow_id, run_id in session.runs if workflow_id == run.workflow_id}
    for near in [one for one in near_ids(run.run_id) if one not in listed][:limit]:
        ids = {"id": run.workflow_id, "runId": near}
        _near(session, "getExecution", ids, body_of(run.reads[-1]))


def _probe_near_ids(session: CheckSession, run: KnownRun, limit: int) -> None:
    """Request a run and its workflow by ids that differ slightly, and compare what is returned."""
    _probe_near_run(session, run, limit)
    detail = {"id": run.workflow_id, "runId": run.run_id}
    known = body_of(run.reads[-1])
    for near in [one for one in near_ids(run.workflow_id) if one not in session.workflows][:limit]:
        _near(session, "getExecution", {**detail, "id": near}, known)
    template = session.operations["getExecution"].path
    for doubled in (
        template.replace("/{id}", "//{id}"),
        template.replace("/{runId}", "//{runId}"),
        template.replace("/executions", "//executions"),
    )[: max(1, limit // 3)]:
        _near(session, "getExecution", detail, known, doubled)
    pages = session.workflows[run.workflow_id].pages if run.workflow_id in session.workflows else []
    described = session.workflows[run.workflow_id].described if pages else None
    for near in [one for one in near_ids(run.workflow_id) if one not in session.workflows][
        : max(1, limit // 3)
    ]:
        if pages:
            _near(session, "listExecutions", {"id": near}, body_of(pages[0]))
        if described and "getWorkflow" in session.present:
            _near(session, "getWorkflow", {"id": near}, {"data": described})


def _near(
    session: CheckSession,
    operation_id: str,
    parameters: Mapping[str, str],
    known: Json,
    path: str = "",
) -> None:
    exchange = session.request(operation_id, parameters, intent=Intent.NEAR_ID, path=path)
    session.recorder.apply(
        Scope.NEAR_ID,
        exchange,
        known,
        context=session.context(),
        exchange=exchange,
        document=body_of(exchange),
    )


def _probe_isolation(session: CheckSession, runs: list[KnownRun], limit: int) -> None:
    """Request each run under other workflows: known ones in turn, and one that does not exist."""
    others = list(session.workflows) or []
    unknown_workflow = invented(session, "wf_")
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
                _foreign(session, ids, run)


def _foreign(session: CheckSession, ids: Mapping[str, str], run: KnownRun) -> None:
    exchange = session.request("getExecution", ids, intent=Intent.FOREIGN_RUN, validated=False)
    found, known = execution_of(exchange), members(run.execution)
    own = {members(found).get(name) == known.get(name) for name in ("id", "started_at")}
    if found is not None and own == {False} and found.get("workflow_id") == ids["id"]:
        return  # Another run that has this id too: ids may be unique within a workflow only.
    session.validate_exchange(exchange)


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
        known = session.workflows.get(workflow_id)
        beyond = [FAR_PAGE, -(-known.total // 20) + 2] if known and known.total else [FAR_PAGE]
        for page in beyond:
            session.request(
                "listExecutions",
                {"id": workflow_id},
                query={"page": str(page), "page_size": "20"},
                intent=Intent.PAGE_BEYOND_END,
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
        ids = {"id": invented(session, "wf_"), "runId": invented(session, "run_")}
    for method in methods:
        session.request("getExecution", ids, method=method, intent=Intent.WRONG_METHOD)
