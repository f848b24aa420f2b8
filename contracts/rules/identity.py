"""Rules about the identifiers of a run."""

from collections.abc import Iterator

from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.violations import Severity

from .json_values import shown, text
from .model import Context, Group, Mismatch, Scope, rule


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


RULES = (id_differs_from_run_id,)
