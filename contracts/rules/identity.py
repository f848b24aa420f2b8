"""Rules about the identifiers of a run."""

from collections.abc import Iterator

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import elements, members, shown, text
from .model import Context, Group, Mismatch, Scope, rule
from .steps import parts_of


def _has_both_ids(execution: JsonObject, _context: Context) -> bool:
    return bool(text(execution.get("id")) and text(execution.get("run_id")))


@rule(
    "DR002",
    group=Group.IDENTITY,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Documentation of Execution Detail: `id` names the log row, `run_id` the run",
    when=_has_both_ids,
    needs="an execution",
)
def id_differs_from_run_id(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """The id of the log row is not the id of the run.

    A client that confuses the two requests runs that do not exist. Example:
    `exec_abc123` is the row, `run_x7k9m2` the run.
    """
    if execution["id"] == execution["run_id"]:
        yield Mismatch(
            "/id",
            "an id of its own",
            f"the run_id, {shown(execution['id'])}",
            "send the identifier of the log row as id",
        )


_RUN_IDS = ("id", "run_id", "workflow_id", "event_name")
_STEP_IDS = ("step_id", "operation")


def _is_blank(value: Json) -> bool:
    return isinstance(value, str) and not value.strip()


@rule(
    "DR142",
    group=Group.IDENTITY,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Documentation of Execution Detail, table of fields: identifiers and names",
    needs="an execution",
)
def identifiers_are_not_empty(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """No identifier of a run or a step is empty or blank.

    An empty text identifies nothing: two runs with it are one to a client. `event_name` and
    `operation` are names of kinds and count too. Example: `"step_id": "agent-1"`.
    """
    for part in parts_of(execution):
        for name in _STEP_IDS if part.pointer else _RUN_IDS:
            if _is_blank(part.get(name)):
                fix = f"send the {name} under which it is stored"
                yield Mismatch(part.at(name), "a text", shown(part.get(name)), fix)


def _some_runs(executions: Json, _context: Context) -> bool:
    return len(elements(executions)) > 1


@rule(
    "DR141",
    group=Group.IDENTITY,
    severity=Severity.ERROR,
    scope=Scope.RUNS,
    source="Documentation of Execution Detail: `id` is the identifier of the execution's log",
    when=_some_runs,
    needs="two runs that can be read",
)
def log_ids_differ_between_runs(executions: Json, _context: Context) -> Iterator[Mismatch]:
    """Two runs never have the same `id`.

    It identifies the log of one execution; clients store logs under it. Example: `exec_abc123` for
    `run_x7k9m2` and for `run_p3n8q1` too.
    """
    owners: dict[str, Json] = {}
    for index, execution in enumerate(elements(executions)):
        log_id, run_id = text(members(execution).get("id")), members(execution).get("run_id")
        if log_id is None or not isinstance(run_id, str):
            continue
        if owners.setdefault(log_id, run_id) != run_id:
            yield Mismatch(
                pointer_to(index, "id"),
                f"an id of its own, as {shown(log_id)} is that of {shown(owners[log_id])}",
                f"{shown(log_id)} for {shown(run_id)}",
                "send the identifier of this run's own log row",
            )


RULES = (id_differs_from_run_id, identifiers_are_not_empty, log_ids_differ_between_runs)
