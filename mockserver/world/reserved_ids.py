"""Reserved ids of runs and workflows: each shows one situation, for clients that can only set ids.

A reserved run exists under every known workflow. A reserved workflow is in no list and has runs of
its own; a served workflow with the same id replaces it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deadringer.contracts import JsonObject

RESERVED_RUNS: Mapping[str, Mapping[str, str]] = {
    "run_completed": {"status": "completed"},
    "run_failed": {"status": "failed"},
    "run_running_forever": {"status": "running"},
    "run_no_steps": {"example": "failed_before_first_step"},
    "run_many_steps": {"steps": "200"},
    "run_large": {"example": "very_large_output"},
    "run_slow": {"status": "completed", "delay": "3000"},
    "run_400": {"status": "completed", "code": "400"},
    "run_401": {"status": "completed", "code": "401"},
    "run_403": {"status": "completed", "code": "403"},
    "run_404": {"status": "completed", "code": "404"},
    "run_429": {"status": "completed", "code": "429"},
    "run_500": {"status": "completed", "fault": "error-500"},
    "run_503": {"status": "completed", "fault": "error-503"},
    "run_empty_reply": {"status": "completed", "fault": "empty"},
    "run_truncated": {"status": "completed", "fault": "truncate"},
    "run_malformed": {"status": "completed", "fault": "malformed"},
    "run_never_answers": {"status": "completed", "fault": "hang"},
}
"""Run ids and the preferences they stand for: the content of the run, and an error or fault."""

_DAY_S = 86_400
_PAST: tuple[JsonObject, ...] = ({"at_s": -_DAY_S, "every_s": 2_400, "times": 30},)


@dataclass(frozen=True, slots=True)
class ReservedWorkflow:
    """What a reserved workflow id stands for: preferences of every request under it, and runs.

    `runs` are entries as in scenarios. `ending` is the status with which its test runs end.
    """

    preferences: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[JsonObject, ...] = _PAST
    ending: str | None = None


RESERVED_WORKFLOWS: Mapping[str, ReservedWorkflow] = {
    "wf_completed": ReservedWorkflow(ending="completed"),
    "wf_failed": ReservedWorkflow(runs=({**_PAST[0], "status": "failed"},), ending="failed"),
    "wf_running_forever": ReservedWorkflow(
        runs=({"at_s": -600, "every_s": 180, "times": 3, "status": "running"},), ending="running"
    ),
    "wf_no_runs": ReservedWorkflow(runs=()),
    "wf_many_runs": ReservedWorkflow(
        runs=(
            {"at_s": -10 * _DAY_S, "every_s": 900, "times": 900},
            {"at_s": -10 * _DAY_S + 60, "every_s": 8_100, "times": 100, "status": "failed"},
        )
    ),
    "wf_slow": ReservedWorkflow({"delay": "3000"}),
    "wf_400": ReservedWorkflow({"code": "400"}),
    "wf_401": ReservedWorkflow({"code": "401"}),
    "wf_403": ReservedWorkflow({"code": "403"}),
    "wf_404": ReservedWorkflow({"code": "404"}),
    "wf_429": ReservedWorkflow({"code": "429"}),
    "wf_500": ReservedWorkflow({"fault": "error-500"}),
    "wf_503": ReservedWorkflow({"fault": "error-503"}),
    "wf_empty_reply": ReservedWorkflow({"fault": "empty"}),
    "wf_truncated": ReservedWorkflow({"fault": "truncate"}),
    "wf_malformed": ReservedWorkflow({"fault": "malformed"}),
    "wf_never_answers": ReservedWorkflow({"fault": "hang"}),
}


def reserved_preferences(operation_id: str, workflow_id: str, run_id: str) -> dict[str, str]:
    """Return the preferences of reserved ids (none for others); the run precedes the workflow."""
    workflow = RESERVED_WORKFLOWS.get(workflow_id, ReservedWorkflow())
    ending = workflow.ending if operation_id == "testWorkflow" else None
    of_workflow = {**workflow.preferences, **({"status": ending} if ending else {})}
    return preferred_over(operation_id, of_workflow, RESERVED_RUNS.get(run_id, {}))


_DESCRIBING = frozenset({"dynamic", "seed", "status", "steps"})
CONTENT = _DESCRIBING | {"example"}
"""Preferences that choose the content of a response."""
_HONOURED: Mapping[str, frozenset[str]] = {
    "getExecution": CONTENT,
    "getExecutionVariables": CONTENT,
    "testWorkflow": frozenset({"status", "steps"}),
}
"""The content preferences each operation honours; one that is not listed honours none."""


def preferred_over(
    operation_id: str, reserved: Mapping[str, str], sent: Mapping[str, str]
) -> dict[str, str]:
    """Return the preferences of a reserved id merged with those of the request, which win.

    A request that prefers a status or content the operation honours gets it: the error, fault or
    example of the id is dropped. A fault or a delay alone is added to those of the id.
    """
    meant = {name for name, value in sent.items() if (name, value) != ("dynamic", "false")}
    chosen = meant & _HONOURED.get(operation_id, frozenset())
    dropped = {"code", "fault"} if chosen or "code" in meant else set()
    if chosen & _DESCRIBING:
        dropped.add("example")
    return {name: value for name, value in reserved.items() if name not in dropped} | dict(sent)
