"""What reserved ids mean to a request, beside the preferences it sends."""

from collections.abc import Mapping

from deadringer.fixtures import RESERVED_RUNS, RESERVED_WORKFLOWS, ReservedWorkflow

__all__ = [
    "CONTENT",
    "RESERVED_RUNS",
    "RESERVED_WORKFLOWS",
    "ReservedWorkflow",
    "preferred_over",
    "reserved_preferences",
]


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
    dropped = {"code", "fault"} if chosen or meant & {"code", "error"} else set()
    if chosen & _DESCRIBING:
        dropped.add("example")
    return {name: value for name, value in reserved.items() if name not in dropped} | dict(sent)
