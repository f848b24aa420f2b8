"""Rules about how a failure is reported, from the failed step to the run."""

from collections.abc import Iterator, Sequence

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Severity

from .json_values import elements, members, shown, text
from .model import Context, Group, Mismatch, Scope, rule
from .steps import Step, step_statuses, steps_of

FIELDS = "Documentation of Execution Detail, field `error`"


def _failed_run(execution: JsonObject, _context: Context) -> bool:
    return execution.get("status") == "failed"


def _failed_run_with_steps(execution: JsonObject, context: Context) -> bool:
    return _failed_run(execution, context) and bool(steps_of(execution))


@rule(
    "DR007",
    group=Group.ERRORS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{FIELDS}; List Workflow Executions: filled when failed",
    when=_failed_run,
    needs="a failed run",
)
def failed_run_says_why(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A failed run has a non-empty error.

    Lists and alerts show the error of the run. Example: `Step 'Enrich profile' failed: profile not
    found`.
    """
    error = execution.get("error")
    if error is None or (isinstance(error, str) and not error.strip()):
        yield Mismatch(
            "/error",
            "a non-empty text, since the run failed",
            shown(error),
            "describe why it failed",
        )


@rule(
    "DR008",
    group=Group.ERRORS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{FIELDS}: top-level error message if the execution failed",
    when=lambda execution, _context: text(execution.get("status")) in {"completed", "running"},
    needs="a completed or running run",
)
def run_that_did_not_fail_has_no_error(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """A completed or running run has no error.

    An error left over from a retry makes a successful run look failed. Example: `"status":
    "completed", "error": null`.
    """
    if execution.get("error") is not None:
        yield Mismatch(
            "/error",
            f"null, since the run is {execution['status']}",
            shown(execution["error"]),
            "clear the error when the run goes on",
        )


@rule(
    "DR009",
    group=Group.ERRORS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{FIELDS} of a step: details if the step failed",
    when=lambda execution, _context: "failed" in step_statuses(execution),
    needs="a failed step",
)
def failed_step_says_why(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A failed step has an error, as text or as an object.

    It is the first information needed to repair the workflow. Example: `"profile not found"`.
    """
    for step in steps_of(execution):
        if step.status == "failed" and step.get("error") in (None, ""):
            yield Mismatch(
                step.at("error"),
                "a text or an object, since the step failed",
                shown(step.get("error")),
                "send the error of the action",
            )


@rule(
    "DR010b",
    group=Group.ERRORS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{FIELDS} of a step: details if the step failed",
    when=lambda execution, _context: not step_statuses(execution) <= {"failed", None},
    needs="a step that did not fail",
)
def step_that_did_not_fail_has_no_error(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """A step that did not fail has no error.

    Clients mark a step with an error as failed. Example: `"status": "completed", "error": null`.
    """
    for step in steps_of(execution):
        if step.status in {"pending", "running", "completed", "skipped"}:
            error = step.get("error")
            if error is not None:
                yield Mismatch(
                    step.at("error"),
                    f"null, since the step is {step.status}",
                    shown(error),
                    "clear the error of a step that did not fail",
                )


@rule(
    "DR012",
    group=Group.ERRORS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Documented error texts: a run fails because a step failed",
    when=_failed_run_with_steps,
    needs="a failed run with steps",
)
def failed_run_has_a_failed_step(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A failed run with steps has a failed step.

    Otherwise the place of the failure cannot be found. A run without steps may have failed before
    its first step. Example: `"status": "failed"` on the run and on one step.
    """
    statuses = step_statuses(execution)
    if statuses.isdisjoint({"failed", None}):
        yield Mismatch(
            "/steps",
            "at least one failed step, since the run failed",
            f"steps that are {', '.join(sorted(map(str, statuses)))}",
            "mark the step that made the run fail",
        )


@rule(
    "DR015",
    group=Group.ERRORS,
    severity=Severity.WARNING,
    scope=Scope.EXECUTION,
    source="Inferred from the documented text `Step 'Enrich profile' failed: profile not found`",
    when=lambda execution, context: (
        _failed_run_with_steps(execution, context)
        and bool(text(execution.get("error")))
        and "failed" in step_statuses(execution)
    ),
    needs="a failed run with a failed step",
)
def run_error_names_the_failed_step(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """The error of a failed run names a failed step and repeats its error.

    Only one example documents the form of the text, so another form is a warning. A text of this
    form that names a step which did not fail is an error: it blames the wrong step. Example: `Step
    'Enrich profile' failed: profile not found`.
    """
    steps = steps_of(execution)
    failed = [step for step in steps if step.status == "failed"]
    message = text(execution.get("error")) or ""
    if not any(_names_failed_step(message, step) for step in failed):
        yield Mismatch(
            "/error",
            f"Step '{_name(failed[0])}' failed: {_error_text(failed[0].get('error'))}",
            shown(message),
            "name the failed step and repeat its error",
            Severity.ERROR if _blames_another(message, steps, context) else None,
        )


def _blames_another(message: str, steps: Sequence[Step], context: Context) -> bool:
    """Return whether the text names a step, by name or id, none of whose occurrences failed."""
    failed: set[str] = set()
    others: set[str] = set()
    for step in steps:
        names = {one for one in (text(step.get("step_name")), step.step_id) if one}
        (failed if step.status == "failed" else others).update(names)
    for action in elements(members(context.definition).get("actions")):
        named = [text(members(action).get(name)) for name in ("id", "name")]
        others |= {one for one in named if one}
    blamed = {one for one in others | failed if message.startswith(f"Step '{one}' failed")}
    return bool(blamed) and not blamed & failed


def _names_failed_step(message: str, step: Step) -> bool:
    start = f"Step '{_name(step)}' failed:"
    return message.startswith(start) and _error_text(step.get("error")) in message


def _name(step: Step) -> str:
    return text(step.get("step_name")) or step.step_id or ""


def _error_text(error: Json) -> str:
    return text(error) or text(members(error).get("message")) or ""


RULES = (
    failed_run_says_why,
    run_that_did_not_fail_has_no_error,
    failed_step_says_why,
    step_that_did_not_fail_has_no_error,
    failed_run_has_a_failed_step,
    run_error_names_the_failed_step,
)
