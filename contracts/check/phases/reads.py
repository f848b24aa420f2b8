"""Read runs: choose them, read them several times, and compare the reads of each run."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from deadringer.contracts.check.session import CheckSession, KnownRun, KnownWorkflow, execution_of
from deadringer.contracts.envelopes import members, rows_of, total_of
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json
from deadringer.contracts.rules import ANY_STATUS, Scope
from deadringer.contracts.traffic import body_of

from .discovery import LARGEST_PAGE, read_page

WHOLE_LIST_PAGES = 4
"""A list with more full pages is not read completely."""

LOST_READ_AGAIN = 10
"""So many listed runs with 404 are read again at the end of the check."""

TERMINAL = frozenset({"completed", "failed"})


def pick_runs(session: CheckSession, limit: int) -> list[KnownRun]:
    """Return runs that represent every workflow, status, first and last page.

    Runs named in the options come first. Then follow one run of each (workflow, status) in turn,
    newest, oldest, and from the middle, up to `limit` runs.
    """
    named = [run for run in session.runs.values() if run.run_id in session.options.run_ids]
    if named:
        return named
    classes: dict[tuple[str, str], list[KnownRun]] = defaultdict(list)
    for run in session.runs.values():
        classes[run.workflow_id, run.status].append(run)
    # Rare statuses first, so that two failed runs among two hundred completed ones are read.
    queues = [_ends_first(runs) for runs in sorted(classes.values(), key=len)]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*queues))
    return [run for run in turns if run is not None][:limit]


def _ends_first(runs: list[KnownRun]) -> list[KnownRun]:
    """Return the runs of one class ordered: first, last, middle, then the rest."""
    order = [0, len(runs) - 1, len(runs) // 2, *range(len(runs))]
    return [runs[index] for index in dict.fromkeys(order)]


def read_run(session: CheckSession, run: KnownRun) -> Exchange:
    """Read a run's detail once, and validate it alone and against the previous read."""
    ids = {"id": run.workflow_id, "runId": run.run_id}
    exchange = session.request("getExecution", ids)
    if exchange.status == 404:
        run.not_found.append(exchange)
        run.note_read("detail", None, exchange)
        if run.reads and len(run.timeline) > 1 and run.timeline[-2]["status"] is not None:
            return read_run(session, run)  # Two in a row are a finding, one is not.
    execution = session.good_execution(exchange)
    if execution is None:
        return exchange
    run.note_read("detail", execution.get("status"), exchange)
    if run.reads:
        session.recorder.apply(
            Scope.READS,
            execution_of(run.reads[-1]),
            execution,
            context=session.context(execution),
            exchange=exchange,
            document=body_of(exchange),
            below="/data",
        )
    run.reads.append(exchange)
    return exchange


def read_runs(session: CheckSession, runs: Iterable[KnownRun]) -> None:
    """Read each run once, and compare with the list where rows stood still meanwhile."""
    for run in runs:
        read_run(session, run)


def read_more(session: CheckSession, limit: int) -> None:
    """Read runs known from lists only, as many as the rate limit allows without waiting."""
    room = session.client.rate_limiter.left(session.options.api_key)
    spare = limit if room is None else min(limit, room // 2)
    unread = [run for run in session.runs.values() if not run.reads and not run.not_found]
    for run in unread[: 0 if session.options.run_ids else spare]:
        read_run(session, run)


def read_variables(session: CheckSession, runs: list[KnownRun]) -> None:
    """Read the variables companion of finished runs and compare it with the detail."""
    for run in runs:
        if "getExecutionVariables" not in session.operations:
            return
        ids = {"id": run.workflow_id, "runId": run.run_id}
        exchange = session.request("getExecutionVariables", ids, optional=True)
        # One run may have variables and the next may get 404 (API facts, section 1).
        session.absent.discard("getExecutionVariables")
        data = session.good_data(exchange)
        if data is not None:
            session.recorder.apply(
                Scope.VARIABLES,
                data,
                run.execution,
                context=session.context(),
                exchange=exchange,
                document=body_of(exchange),
                below="/data",
            )


def look_up_in_list(session: CheckSession, run: KnownRun) -> None:
    """Test that a run known from elsewhere is in its workflow's list, if that list is short."""
    known = session.workflows.get(run.workflow_id)
    if known is None or not session.offers("listExecutions") or not run.reads:
        return
    listed = _whole_list(session, known, WHOLE_LIST_PAGES)
    if listed is None:
        return
    exchange = known.pages[-1]
    session.recorder.apply(
        Scope.LISTING,
        run.run_id,
        listed,
        context=session.context(),
        exchange=exchange,
        document=body_of(exchange),
    )


def _whole_list(session: CheckSession, known: KnownWorkflow, page_limit: int) -> list[str] | None:
    """Return the ids of all listed runs, or None if there are too many or the list changed."""
    listed: list[str] = []
    totals: set[int | None] = set()
    for page in range(1, page_limit + 1):
        query = {"page": str(page), "page_size": str(LARGEST_PAGE)}
        data = read_page(session, known, query)
        rows, total = rows_of(data), total_of(data)
        listed += [str(row.get("run_id")) for row in rows]
        totals.add(total)
        if total is None or len(totals) > 1 or not rows or total > LARGEST_PAGE * page_limit:
            return None
        if len(listed) >= total:
            return listed if len(set(listed)) == total else None
    return None


def compare_with_lists(session: CheckSession, runs: Iterable[KnownRun], page_limit: int) -> None:
    """Read list pages again and compare rows that did not change with the details."""
    wanted = {(run.workflow_id, run.run_id) for run in runs if run.reads}
    pages = [
        (known, page)
        for known in session.workflows.values()
        for page in _pages_worth_it(known, wanted)
    ]
    for known, page in pages[:page_limit]:
        before = _rows_by_id(page)
        read_page(session, known, page.query)
        again = known.pages.pop()
        if again is page:
            known.pages.append(page)
            continue
        _compare_page(session, known, before, again)


def _pages_worth_it(known: KnownWorkflow, wanted: set[tuple[str, str]]) -> list[Exchange]:
    """Return pages that together contain every wanted run, as few as possible."""
    chosen, missing = (
        [],
        {run_id for workflow_id, run_id in wanted if workflow_id == known.workflow_id},
    )
    for page in known.pages:
        shown = missing & _rows_by_id(page).keys()
        if shown:
            chosen.append(page)
            missing -= shown
    return chosen


def _compare_page(
    session: CheckSession, known: KnownWorkflow, before: Mapping[str, Json], again: Exchange
) -> None:
    for index, row in enumerate(_rows(again)):
        run = session.runs.get((known.workflow_id, str(row.get("run_id"))))
        if run is None or not run.reads or before.get(run.run_id) != row:
            continue
        execution = execution_of(run.reads[-1])
        session.recorder.apply(
            Scope.LISTED_RUN,
            row,
            execution,
            context=session.context(execution),
            exchange=again,
            document={"row": row, "index": index, "execution": execution},
            below="",
        )


def _rows(page: Exchange) -> list[Json]:
    return rows_of(members(body_of(page)).get("data"))


def _rows_by_id(page: Exchange) -> dict[str, Json]:
    return {str(row.get("run_id")): row for row in _rows(page)}


def check_unreadable(session: CheckSession) -> None:
    """Test listed runs that return 404, also when read again: single ones may happen."""
    by_status: dict[str, list[KnownRun]] = defaultdict(list)
    for run in session.runs.values():
        if run.row is not None and (run.reads or run.not_found):
            by_status[run.status].append(run)
    for run in itertools.islice(_lost(itertools.chain(*by_status.values())), LOST_READ_AGAIN):
        read_run(session, run)
    by_status[ANY_STATUS] = [run for runs in by_status.values() for run in runs]
    for status, listed in by_status.items():
        lost = list(_lost(listed))
        if not listed:
            continue
        shown = lost[0].not_found[-1] if lost else listed[0].reads[-1]
        session.recorder.apply(
            Scope.LISTED_STATUS,
            status,
            len(lost),
            len(listed),
            context=session.context(),
            exchange=shown,
            document=body_of(shown),
        )


def _lost(runs: Iterable[KnownRun]) -> Iterator[KnownRun]:
    return (run for run in runs if run.not_found and not run.reads)


def compare_runs(session: CheckSession) -> None:
    """Validate what shows between runs and over time: ids, owners, timelines. Sends nothing."""
    context, read = session.context(), [run for run in session.runs.values() if run.reads]
    if read:
        executions = [run.execution for run in read]
        shown = read[-1].reads[-1]
        session.recorder.apply(
            Scope.RUNS, executions, context=context, exchange=shown, document=executions
        )
    for run in read:
        session.recorder.apply(
            Scope.TIMELINE,
            run.timeline,
            context=context,
            exchange=run.reads[-1],
            document=run.timeline,
        )
    by_run_id: dict[str, list[KnownRun]] = defaultdict(list)
    for run in session.runs.values():
        if run.row is not None:
            by_run_id[run.run_id].append(run)
    for listed in by_run_id.values():
        owners: list[Json] = [{"workflow_id": one.workflow_id, "row": one.row} for one in listed]
        pages = session.workflows[listed[-1].workflow_id].pages
        if pages:
            session.recorder.apply(
                Scope.OWNERS, owners, context=context, exchange=pages[-1], document=owners
            )
