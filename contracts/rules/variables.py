"""Rules about the variables of a run, which agree with its detail."""

from collections.abc import Iterator

from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import elements, equal, members, shown, text
from .model import Context, Group, Mismatch, Scope, rule

TERMINAL = frozenset({"completed", "failed"})
_SOURCE = "Client code: GET /v1/workflows/{id}/executions/{runId}/variables"
_NEEDS = "the variables of a run"


def _both_known(data: Json, execution: Json, _context: Context) -> bool:
    return isinstance(data, dict) and isinstance(execution, dict)


def _run_has_ended(data: Json, execution: Json, context: Context) -> bool:
    known = _both_known(data, execution, context)
    return known and text(execution.get("status")) in TERMINAL


def _keys_can_be_validated(data: Json, execution: Json, context: Context) -> bool:
    ended = _run_has_ended(data, execution, context)
    return ended and bool(members(data.get("steps"))) and isinstance(execution.get("steps"), list)


def _outputs_can_be_validated(data: Json, execution: Json, context: Context) -> bool:
    known = _both_known(data, execution, context)
    return known and next(_outputs(data, execution), None) is not None


def _outputs(data: Json, execution: Json) -> Iterator[tuple[str, Json, Json]]:
    """Yield (step id, output in the variables, output in the detail) where both must agree."""
    listed = members(data.get("steps"))
    steps = [members(step) for step in elements(execution.get("steps"))]
    step_ids = [text(step.get("step_id")) for step in steps]
    for step, step_id in zip(steps, step_ids, strict=True):
        if step_id is None or step_ids.count(step_id) > 1 or step.get("iteration") is not None:
            continue
        pair = members(listed.get(step_id)).get("output"), step.get("output")
        if step.get("status") == "completed" and None not in pair:
            yield step_id, *pair


@rule(
    "DR042a",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.VARIABLES,
    source=_SOURCE,
    when=_both_known,
    needs=_NEEDS,
)
def variables_are_of_the_run(data: Json, execution: Json, _context: Context) -> Iterator[Mismatch]:
    """The variables carry the run's id, and its status once it has ended.

    Clients show both responses side by side. The status of a running run may change between the two
    reads, and the status of a halted test run is not known: neither is tested. Example:
    `running` in the variables of a run with `completed` in its detail.
    """
    for name in ("run_id", "status"):
        listed, detailed = text(data.get(name)), text(execution.get(name))
        if name == "status" and (detailed not in TERMINAL or data.get("halted_at") is not None):
            continue
        if listed is not None and detailed is not None and listed != detailed:
            yield Mismatch(
                pointer_to(name),
                f"{shown(detailed)}, as in Execution Detail",
                shown(listed),
                "build the variables from the same stored run as the detail",
            )


@rule(
    "DR042b",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.VARIABLES,
    source=_SOURCE,
    when=_keys_can_be_validated,
    needs=_NEEDS,
)
def variables_name_steps_of_the_run(
    data: Json, execution: Json, context: Context
) -> Iterator[Mismatch]:
    """The variables of a finished run are keyed by step ids of that run.

    Clients find the step by the key. The key of an action without a step is only a warning.
    Example: the step's name as key.
    """
    ran = {text(members(step).get("step_id")) for step in elements(execution.get("steps"))}
    actions = elements(members(context.definition).get("actions"))
    defined = {text(members(action).get("id")) for action in actions}
    for key in members(data.get("steps")):
        if key not in ran:
            yield Mismatch(
                pointer_to("steps", key),
                "a `step_id` of the run",
                shown(key),
                "key the variables by `step_id`, for the steps of the run",
                Severity.WARNING if key in defined else None,
            )


@rule(
    "DR042c",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.VARIABLES,
    source=_SOURCE,
    when=_outputs_can_be_validated,
    needs="the variables of a run with a completed step outside of loops",
)
def variables_repeat_the_outputs(
    data: Json, execution: Json, _context: Context
) -> Iterator[Mismatch]:
    """The outputs in the variables equal those of the steps in the detail.

    Tested for completed steps that occur once, outside of loops, if both sides have an output.
    Example: `{"result": {"ok": true}}` in the detail and `{"ok": true}` here.
    """
    for step_id, listed, detailed in _outputs(data, execution):
        if not equal(listed, detailed):
            yield Mismatch(
                pointer_to("steps", step_id, "output"),
                f"{shown(detailed)}, as in Execution Detail",
                shown(listed),
                "build the variables from the same stored steps as the detail",
            )


RULES = (
    variables_are_of_the_run,
    variables_name_steps_of_the_run,
    variables_repeat_the_outputs,
)
