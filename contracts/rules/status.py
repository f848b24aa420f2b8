"""Rules about the members that each status of a run or a step allows."""

from collections.abc import Callable, Iterator

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.timestamps import milliseconds_between
from deadringer.contracts.violations import Severity

from .graph import graph_of
from .json_values import moment, shown, text
from .model import Context, Group, Mismatch, Scope, rule
from .steps import ENDED, Step, step_statuses, steps_of

LIST_PAGE = "Documentation of List Workflow Executions: null while running, error filled if failed"
FIELDS = "Documentation of Execution Detail, table of fields"
EXAMPLES = "Documentation of Execution Detail, published example"
END_MEMBERS = ("ended_at", "duration_ms")


def _run_is(*statuses: str) -> Callable[[JsonObject, Context], bool]:
    return lambda execution, _context: execution.get("status") in statuses


def _some_step_is(*statuses: str) -> Callable[[JsonObject, Context], bool]:
    return lambda execution, _context: not step_statuses(execution).isdisjoint(statuses)


def _must_be_null(pointer: str, value: object, why: str) -> Iterator[Mismatch]:
    if value is not None:
        yield Mismatch(pointer, f"null, since {why}", shown(value), "send null until it is known")


@rule(
    "DR005",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=LIST_PAGE,
    when=_run_is("running"),
    needs="a running run",
)
def running_run_has_no_end(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A running run has neither an end nor a duration.

    User interfaces show a running clock while the end is null; an end stops it. Example:
    `"status": "running", "ended_at": null, "duration_ms": null`.
    """
    for name in END_MEMBERS:
        yield from _must_be_null(f"/{name}", execution.get(name), "the run is running")


@rule(
    "DR006",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=EXAMPLES,
    when=_run_is("completed", "failed"),
    needs="a finished run",
)
def finished_run_has_an_end(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A completed or failed run has an end and a duration.

    A finished run without both cannot be sorted or summed. Example: `"status": "completed",
    "ended_at": "2026-03-27T10:15:04.320Z", "duration_ms": 4320`.
    """
    for name in END_MEMBERS:
        if execution.get(name) is None:
            yield Mismatch(
                f"/{name}",
                f"a value, since the run is {execution['status']}",
                "null" if name in execution else "nothing there",
                f"send {name} of every finished run",
            )


@rule(
    "DR010a",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=_some_step_is("pending", "running", "skipped"),
    needs="a pending, running or skipped step",
)
def unfinished_step_has_no_output(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """The output of a pending, running or skipped step is null.

    Clients take an output as proof that the action ran. Example: `"status": "skipped", "output":
    null`.
    """
    for step in steps_of(execution):
        if step.status in {"pending", "running", "skipped"}:
            why = f"the step is {step.status}"
            yield from _must_be_null(step.at("output"), step.get("output"), why)


@rule(
    "DR011a",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=_some_step_is("pending", "running"),
    needs="a pending or running step",
)
def unfinished_step_has_no_end(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A pending or running step has neither an end nor a duration.

    As for runs, a step that has not ended has no end. Example: `"status": "running", "ended_at":
    null, "duration_ms": null`.
    """
    for step in steps_of(execution):
        if step.status in {"pending", "running"}:
            for name in END_MEMBERS:
                why = f"the step is {step.status}"
                yield from _must_be_null(step.at(name), step.get(name), why)


@rule(
    "DR011b",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=lambda execution, _context: bool(steps_of(execution)),
    needs="a step",
)
def step_end_and_duration_come_together(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """A step has both an end and a duration, or neither.

    One of them alone cannot be drawn on a time axis. Example of a skipped step: `"ended_at":
    null, "duration_ms": null`.
    """
    for step in steps_of(execution):
        ended_at, duration_ms = step.get("ended_at"), step.get("duration_ms")
        if (ended_at is None) != (duration_ms is None) and step.status not in {
            "pending",
            "running",
        }:
            missing, there = END_MEMBERS if ended_at is None else reversed(END_MEMBERS)
            yield Mismatch(
                step.at(missing),
                f"a value, since {there} has one",
                "null",
                "send both or neither",
            )


@rule(
    "DR013",
    group=Group.STATUS,
    severity=Severity.WARNING,
    scope=Scope.EXECUTION,
    source="Inferred from the meaning of `completed`",
    when=lambda execution, _context: (
        execution.get("status") == "completed" and bool(steps_of(execution))
    ),
    needs="a completed run with steps",
)
def completed_run_has_only_finished_steps(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """A completed run has no failed and no unfinished step.

    Whether a run may complete despite a failed step is not documented, so this is a warning.
    Example: every step of a completed run is `completed` or `skipped`.
    """
    for step in steps_of(execution):
        if step.status in {"failed", "running", "pending"}:
            yield Mismatch(
                step.at("status"),
                "completed or skipped, since the run is completed",
                shown(step.status),
                "end the step before the run, or fail the run",
            )


@rule(
    "DR014",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=_some_step_is("running"),
    needs="a running step",
)
def running_step_means_running_run(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """While a step is running, its run is running.

    If a run ends before its running step, the result of that step is never known. Example:
    `"status":
    "running"` on both.
    """
    status = text(execution.get("status"))
    running = [step for step in steps_of(execution) if step.status == "running"]
    # A completed run with a running step violates another rule too, as a warning.
    if status in ENDED:
        for step in running:
            yield _unfinished(step, status)


def _unfinished(step: Step, status: str) -> Mismatch:
    return Mismatch(
        step.at("status"),
        f"an ended step, since the run is {status}",
        '"running"',
        "end every started step before the run",
    )


@rule(
    "DR143",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{FIELDS}: `ended_at` step end, `duration_ms` duration; null in no example of an end",
    when=_some_step_is("completed", "failed"),
    needs="a completed or failed step",
)
def ended_step_has_an_end(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A completed or failed step has an end and a duration.

    A step that has ended ended at some time. Without it, no time axis shows the step. Example:
    `"status": "failed", "ended_at": "2026-03-27T09:00:02.100Z", "duration_ms": 2000`.
    """
    for step in steps_of(execution):
        if step.status not in ENDED:
            continue
        # Another rule reports one of the two alone.
        if step.get("ended_at") is None and step.get("duration_ms") is None:
            for name in END_MEMBERS:
                yield Mismatch(
                    step.at(name),
                    f"a value, since the step is {step.status}",
                    "null" if name in step.document else "nothing there",
                    f"write {name} together with the final status",
                )


def _runs_on(execution: JsonObject, now: Json, _context: Context) -> bool:
    steps = steps_of(execution)
    is_over = bool(steps) and all(step.status in ENDED | {"skipped"} for step in steps)
    return execution.get("status") == "running" and moment(now) is not None and is_over


def _is_last(execution: JsonObject, context: Context) -> bool:
    """Return whether no step can follow: each action has one, or one has failed."""
    steps, graph = steps_of(execution), graph_of(context)
    if any(step.status == "failed" for step in steps):
        return True
    if graph is None or context.definition_may_have_changed or graph.inside_loops:
        return False
    ran = {step.step_id for step in steps}
    kinds = {name: str(action.get("kind")) for name, action in graph.actions.items()}
    return all(name in ran for name, kind in kinds.items() if not kind.startswith("builtin:"))


@rule(
    "DR145",
    group=Group.STATUS,
    severity=Severity.ERROR,
    scope=Scope.AGED,
    source=f"{FIELDS}: a run is running, completed or failed; `ended_at` is the execution end",
    when=_runs_on,
    needs="a running run whose steps have all ended",
)
def run_ends_with_its_last_step(
    execution: JsonObject, now: Json, context: Context
) -> Iterator[Mismatch]:
    """A run does not go on running when its steps are over.

    A client polls it for ever. It may take 30 seconds after the last step if every action of
    the workflow has a step or a step has failed, and 15 minutes if another step may still begin.
    Example: all steps completed yesterday, and `"status": "running"`.
    """
    read_at = moment(now)
    ends = [step.ended for step in steps_of(execution) if step.ended is not None]
    if read_at is None or not ends:
        return
    is_last, settings = _is_last(execution, context), context.settings
    patience_s = settings.last_step_patience_s if is_last else settings.next_step_patience_s
    over_s = milliseconds_between(max(ends), read_at) / 1000
    if over_s > patience_s:
        yield Mismatch(
            "/status",
            f"completed or failed, {patience_s:g} s after the last step ended at the latest",
            f'"running" {over_s:.0f} s after it',
            "end the run with its last step",
        )


RULES = (
    running_run_has_no_end,
    finished_run_has_an_end,
    unfinished_step_has_no_output,
    unfinished_step_has_no_end,
    step_end_and_duration_come_together,
    completed_run_has_only_finished_steps,
    running_step_means_running_run,
    ended_step_has_an_end,
    run_ends_with_its_last_step,
)
