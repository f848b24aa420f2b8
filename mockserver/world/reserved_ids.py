"""Reserved ids, of runs and workflows, that show one situation: for clients that alter ids alone.

A reserved run is one under any known workflow. A reserved workflow is in no list, has runs of its
own, and gives way to a workflow of the same id that is served.
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
"""Run ids and the preferences they stand for: the run there is, and what keeps it from callers."""

_DAY_S = 86_400
_PAST: tuple[JsonObject, ...] = ({"at_s": -_DAY_S, "every_s": 2_400, "times": 30},)


@dataclass(frozen=True, slots=True)
class ReservedWorkflow:
    """What a workflow id stands for: preferences of every request under it, and its runs.

    `runs` are entries as scenarios have them. `ending` is how its test runs end.
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
    """Return what reserved ids stand for ("" for others); the run goes before the workflow."""
    workflow = RESERVED_WORKFLOWS.get(workflow_id, ReservedWorkflow())
    ending = workflow.ending if operation_id == "testWorkflow" else None
    of_workflow = {**workflow.preferences, **({"status": ending} if ending else {})}
    return preferred_over(operation_id, of_workflow, RESERVED_RUNS.get(run_id, {}))


_DESCRIBING = frozenset({"dynamic", "seed", "status", "steps"})
CONTENT = _DESCRIBING | {"example"}
"""Preferences that choose what a response tells."""
_HONOURED: Mapping[str, frozenset[str]] = {
    "getExecution": CONTENT,
    "testWorkflow": frozenset({"status", "steps"}),
}
"""Which of them an operation honours; one that is not here honours none."""


def preferred_over(
    operation_id: str, reserved: Mapping[str, str], sent: Mapping[str, str]
) -> dict[str, str]:
    """Join what an id stands for with what the request prefers, which goes before it.

    Who asks for a status or a kind of run, where it can be had, is to see it: the error or fault
    of the id, and the example it shows, give way. A fault or a delay alone comes on top.
    """
    meant = {name for name, value in sent.items() if (name, value) != ("dynamic", "false")}
    chosen = meant & _HONOURED.get(operation_id, frozenset())
    given_up = {"code", "fault"} if chosen or "code" in meant else set()
    if chosen & _DESCRIBING:
        given_up.add("example")
    return {name: value for name, value in reserved.items() if name not in given_up} | dict(sent)
