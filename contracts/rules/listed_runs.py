"""Rules that join the list of runs with the detail of a run."""

from collections.abc import Iterator

from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import elements, members, name_one_moment, number, shown, text
from .list_shapes import DURATION, END, named_value
from .model import Context, Group, Mismatch, Scope, rule

ROUNDING_MS = 1
ANY_STATUS = "any status"
_STATUSES = frozenset({"running", "completed", "failed"})
_NAMES = {"ended_at": END, "duration_ms": DURATION}


def _is_one_run(row: Json, execution: Json, _context: Context) -> bool:
    run_id = text(members(row).get("run_id"))
    return run_id is not None and run_id == text(members(execution).get("run_id"))


@rule(
    "DR035",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LISTED_RUN,
    source="List Workflow Executions and Execution Detail, their common members",
    when=_is_one_run,
    needs="a run in the list that can be read",
)
def rows_agree_with_the_detail(row: Json, execution: Json, _context: Context) -> Iterator[Mismatch]:
    """A run in the list has the status, start, end, duration and error of its detail.

    Users open the detail from the list and must find the same run. End and duration are compared
    under either known name, timestamps as moments, at the precision of the coarser one. Only rows
    that did not change while the detail was read are validated. Example:
    `duration` 4 in the list, `duration_ms` 4320 in the detail.
    """
    for name in ("status", "started_at", "ended_at", "duration_ms", "error"):
        reported = named_value(row, _NAMES.get(name, (name, name)))
        # A member that is missing on either side is reported by its schema.
        if reported is None or (name not in execution and name != "error"):
            continue
        detailed = execution.get(name)
        if _differ(name, reported[1], detailed):
            yield Mismatch(
                pointer_to("row", reported[0]),
                f"{shown(detailed)}, as in Execution Detail (`{name}`)",
                f"{shown(reported[1])} in the list, for run {shown(members(row).get('run_id'))}",
                "build the list and the detail from the same stored run",
            )


def _differ(name: str, listed: Json, detailed: Json) -> bool:
    if (listed is None) != (detailed is None):
        return _is_of_its_type(name, listed) and _is_of_its_type(name, detailed)
    if name in {"started_at", "ended_at"}:
        return name_one_moment(listed, detailed) is False
    if name == "duration_ms":
        listed_ms, detailed_ms = number(listed), number(detailed)
        if listed_ms is None or detailed_ms is None:
            return False
        # Two roundings of one measurement may differ by a millisecond.
        return abs(listed_ms - detailed_ms) > ROUNDING_MS
    texts = text(listed), text(detailed)
    return None not in texts and texts[0] != texts[1]


def _is_of_its_type(name: str, value: Json) -> bool:
    if value is None:
        return name in {"ended_at", "duration_ms", "error"}
    return number(value) is not None if name == "duration_ms" else isinstance(value, str)


def _was_counted(status: Json, lost: Json, read: Json, _context: Context) -> bool:
    counted = all(isinstance(one, int) for one in (lost, read))
    return isinstance(status, str) and counted and read > 0


@rule(
    "DR120",
    group=Group.LISTING,
    severity=Severity.WARNING,
    scope=Scope.LISTED_STATUS,
    source="Execution Detail: the trace of one execution; client code: a listed run may get 404",
    when=_was_counted,
    needs="listed runs of one status",
)
def listed_runs_are_readable(
    status: Json, lost: Json, read: Json, _context: Context
) -> Iterator[Mismatch]:
    """Every run in the list can be read.

    Single listed runs with 404 occur in practice and are only a warning. More than half of the
    runs of one status, and at least two of them, are an error, and so are more than a tenth of all
    runs, and at least three of them. Example: every failed run is a 404.
    """
    if lost <= 0:
        return
    is_a_class = status in _STATUSES and lost >= 2 and lost * 2 > read
    is_a_class = is_a_class or (status == ANY_STATUS and lost >= 3 and lost * 10 > read)
    yield Mismatch(
        "",
        f"the {read} listed runs{_of_status(status)} to be readable",
        f"404 for {lost} of them",
        "store the detail of a run for as long as it is listed, whatever its status",
        Severity.ERROR if is_a_class else None,
    )


def _of_status(status: Json) -> str:
    return "" if status == ANY_STATUS else f" that are {shown(status)}"


@rule(
    "DR123",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LISTING,
    source="List Workflow Executions: the runs of the workflow",
    needs="a run named with --run, or a test run, and its workflow's whole list",
)
def readable_runs_are_listed(run_id: Json, listed: Json, _context: Context) -> Iterator[Mismatch]:
    """A run that can be read is in the list of its workflow.

    A run that is missing from the history cannot be found. Tested for runs that are known from
    another source, against the whole list. Example: failed runs are left out of the list.
    """
    if run_id not in elements(listed):
        yield Mismatch(
            "",
            f"run {shown(run_id)} in the list of its workflow",
            f"{len(elements(listed))} other runs",
            "list every run of the workflow, whatever its status and start",
        )


def _is_listed_twice(owners: Json, _context: Context) -> bool:
    return len(elements(owners)) > 0


@rule(
    "DR156",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.OWNERS,
    source="List Workflow Executions: the runs of the workflow; `run_id`: unique identifier",
    when=_is_listed_twice,
    needs="a list of runs",
)
def runs_are_listed_under_one_workflow(owners: Json, _context: Context) -> Iterator[Mismatch]:
    """A run is in the list of one workflow only.

    A list with the runs of other workflows shows data of other automations. Rows of two
    workflows with one run id are one run if start and end are equal too. Example: `run_x7k9m2` in
    the lists of `wf_abc123` and `wf_def456`.
    """
    first: dict[str, Json] = {}
    for index, owner in enumerate(map(members, elements(owners))):
        row = members(owner.get("row"))
        same = f"{row.get('run_id')} {row.get('started_at')} {named_value(row, END)}"
        workflow_id = first.setdefault(same, owner.get("workflow_id"))
        if workflow_id != owner.get("workflow_id"):
            yield Mismatch(
                pointer_to(index, "workflow_id"),
                f"{shown(workflow_id)} only",
                f"run {shown(row.get('run_id'))} in the list of {shown(owner.get('workflow_id'))}",
                "filter the list by the workflow id of the path, on every page",
            )


def _were_listed(before: Json, after: Json, _kind: Json, _context: Context) -> bool:
    return bool(elements(before)) and isinstance(after, list)


@rule(
    "DR155",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.LISTS,
    source="Execution Detail, List Workflow Executions: operations that read",
    when=_were_listed,
    needs="a list of runs before and after reads of one kind",
)
def reads_change_no_list(
    before: Json, after: Json, kind: Json, _context: Context
) -> Iterator[Mismatch]:
    """Reading neither adds nor removes runs, and does not change their order.

    A client that polls must not move what it looks at. Tested on lists that stand still while
    nothing is read, after several reads of each kind. Example: each read of a detail moves its run
    to the front of the list.
    """
    one, other = elements(before), elements(after)
    if one != other:
        ids = [{run_id for run_id in some if isinstance(run_id, str)} for some in (one, other)]
        added, removed = len(ids[1] - ids[0]), len(ids[0] - ids[1])
        yield Mismatch(
            "",
            f"the same {len(one)} runs in the same order after reading {kind}",
            f"{added} added, {removed} removed" if added or removed else "another order",
            "change nothing when something is read",
        )


RULES = (
    rows_agree_with_the_detail,
    listed_runs_are_readable,
    readable_runs_are_listed,
    runs_are_listed_under_one_workflow,
    reads_change_no_list,
)
