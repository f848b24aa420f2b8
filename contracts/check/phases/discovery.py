"""Discover workflows, their definitions, the catalogue, and lists of runs."""

from collections.abc import Callable, Mapping

from deadringer.contracts.check.options import SampleSizes
from deadringer.contracts.check.session import CheckSession, KnownRun, KnownWorkflow
from deadringer.contracts.envelopes import elements, members, rows_of, total_of
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.rules import Scope
from deadringer.contracts.traffic import body_of

LARGEST_PAGE = 100
WORKFLOWS_LISTED = 400


def discover(
    session: CheckSession,
    sizes: SampleSizes,
    glance: Callable[[], None] = lambda: None,
) -> None:
    """Discover workflows and runs; if ids are set as options, only these.

    Follow the lists' pages, read both known list shapes, and validate every response.
    `glance` is called after each workflow: live runs do not wait until all lists are read.
    """
    options = session.options
    for workflow_id in options.workflow_ids:
        session.workflows[workflow_id] = KnownWorkflow(workflow_id)
    for run_id in options.run_ids:
        key = (options.workflow_ids[0], run_id)
        session.runs[key] = KnownRun(*key)
    _list_workflows(session)
    _read_catalogue(session)
    examined = list(options.workflow_ids) or _worth_a_look(session, sizes.workflows)
    for workflow_id in examined:
        _read_definition(session, workflow_id)
        list_runs(session, workflow_id, sizes.pages_walked)
        glance()


def _list_workflows(session: CheckSession) -> None:
    if not session.offers("listWorkflows"):
        return
    data = _workflow_page(session, {})
    total = total_of(data)
    if total is None or total < 2:
        return
    # Read the list again in two halves: limit and offset must return the same list.
    half = min(-(-total // 2), LARGEST_PAGE)
    for offset in range(half, min(total, WORKFLOWS_LISTED), half):
        _workflow_page(session, {"limit": str(half), "offset": str(offset)})
    _workflow_page(session, {"limit": str(half), "offset": str(total)})
    status = members(next(iter(elements(members(data).get("items"))), None)).get("status")
    if isinstance(status, str):
        _workflow_page(session, {"status": status})


def _workflow_page(session: CheckSession, query: Mapping[str, str]) -> Json:
    exchange = session.request("listWorkflows", query=query, optional=not query)
    data = session.good_data(exchange)
    if data is None:
        return None
    session.recorder.apply(
        Scope.WORKFLOW_PAGE,
        data,
        dict(query),
        context=session.context(),
        exchange=exchange,
        document=body_of(exchange),
        below="/data",
    )
    for item in elements(members(data).get("items")):
        workflow_id = members(item).get("id")
        if isinstance(workflow_id, str) and workflow_id:
            known = KnownWorkflow(workflow_id, described=item)
            session.workflows.setdefault(workflow_id, known)
    return data


def _worth_a_look(session: CheckSession, limit: int) -> list[str]:
    """Return workflows that together have every feature, busy and published ones first.

    Traces of loops, branches and unnamed actions are the most error-prone, so a workflow that adds
    a feature comes first.
    """

    def rank(known: KnownWorkflow) -> tuple[bool, bool]:
        described = members(known.described)
        return (described.get("execution_count") == 0, described.get("status") == "DRAFT")

    waiting = sorted(session.workflows.values(), key=rank)
    chosen: list[str] = []
    seen: set[str] = set()
    while waiting and len(chosen) < limit:
        best = max(waiting, key=lambda known: len(_features(known) - seen))
        waiting.remove(best)
        chosen.append(best.workflow_id)
        seen |= _features(best)
    return chosen


def _features(known: KnownWorkflow) -> set[str]:
    definition = members(members(known.described).get("workflow"))
    actions = [members(action) for action in elements(definition.get("actions"))]
    edges = [members(edge) for edge in elements(definition.get("edges"))]
    kinds = {members(edge.get("conditional")).get("type") for edge in edges}
    features = {f"edge {kind}" for kind in kinds if isinstance(kind, str)}
    if any(action.get("name") is None for action in actions):
        features.add("unnamed action")
    status = members(known.described).get("status")
    return features | {f"{len(actions) > 1} {status}"}


def _read_catalogue(session: CheckSession) -> None:
    if not session.offers("listActions"):
        return
    data = _catalogue_page(session, {})
    kinds = {members(item).get("kind") for item in elements(members(data).get("items"))}
    named = frozenset(kind for kind in kinds if isinstance(kind, str))
    session.catalogue = named or None
    categories = [members(item).get("category") for item in elements(members(data).get("items"))]
    category = next((one for one in categories if isinstance(one, str) and one), None)
    if category:
        _catalogue_page(session, {"category": category})


def _catalogue_page(session: CheckSession, query: Mapping[str, str]) -> Json:
    exchange = session.request("listActions", query=query, optional=not query)
    data = session.good_data(exchange)
    if data is not None:
        session.recorder.apply(
            Scope.CATALOGUE,
            data,
            dict(query),
            context=session.context(),
            exchange=exchange,
            document=body_of(exchange),
            below="/data",
        )
    return data


def _read_definition(session: CheckSession, workflow_id: str) -> None:
    if not session.offers("getWorkflow"):
        return
    known = session.workflows[workflow_id]
    exchange = session.request("getWorkflow", {"id": workflow_id}, optional=known.described is None)
    data = session.good_data(exchange)
    if not isinstance(data, dict):
        return
    known.described = data
    session.recorder.apply(
        Scope.WORKFLOW,
        data,
        context=session.context(),
        exchange=exchange,
        document=body_of(exchange),
        below="/data",
    )


def list_runs(session: CheckSession, workflow_id: str, pages_walked: int) -> None:
    """Read the run list of one workflow: the default page, then all pages of a smaller size."""
    known = session.workflows[workflow_id]
    if not session.offers("listExecutions"):
        return
    data = read_page(session, known, {})
    known.total = total_of(data)
    if data is None or not known.total or known.total < 2:
        return
    if known.total <= LARGEST_PAGE * pages_walked:
        _walk(session, known, known.total, pages_walked)
    else:
        last = -(-known.total // LARGEST_PAGE)
        for page in (1, 2, last):
            read_page(session, known, {"page": str(page), "page_size": str(LARGEST_PAGE)})


def _walk(session: CheckSession, known: KnownWorkflow, total: int, page_limit: int) -> None:
    size = max(1, -(-total // min(page_limit, total)))
    pages: list[Json] = []
    exchange = None
    for page in range(1, -(-total // size) + 1):
        query = {"page": str(page), "page_size": str(size)}
        data = read_page(session, known, query)
        if data is None:
            return
        exchange = known.pages[-1]
        pages.append(data)
    if exchange is not None:
        session.recorder.apply(
            Scope.LIST_WALK,
            pages,
            size,
            context=session.context(),
            exchange=exchange,
            document=pages,
        )


def read_page(session: CheckSession, known: KnownWorkflow, query: Mapping[str, str]) -> Json:
    """Read and validate one page of a workflow's runs, and record the runs on it."""
    first = not known.pages
    exchange = session.request(
        "listExecutions", {"id": known.workflow_id}, query=query, optional=first
    )
    data = session.good_data(exchange)
    if data is None:
        return None
    known.pages.append(exchange)
    session.recorder.apply(
        Scope.LIST_PAGE,
        members(body_of(exchange)).get("data"),
        dict(query),
        context=session.context(),
        exchange=exchange,
        document=body_of(exchange),
        below="/data",
    )
    for row in rows_of(data):
        run_id = row.get("run_id")
        if isinstance(run_id, str) and run_id:
            key = (known.workflow_id, run_id)
            _note_row(session, session.runs.setdefault(key, KnownRun(*key)), row, exchange)
    return data


def _note_row(session: CheckSession, run: KnownRun, row: JsonObject, exchange: Exchange) -> None:
    """Take note of a run's row, and validate it against the row read before."""
    if run.row is not None:
        session.recorder.apply(
            Scope.ROWS,
            run.row,
            row,
            context=session.context(),
            exchange=exchange,
            document=row,
        )
    run.row = row
    run.note_read("list", row.get("status"), exchange)
