"""Rules about the order of steps and about repeated steps."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.timestamps import milliseconds_between
from deadringer.contracts.violations import Severity

from .graph import Graph, graph_of
from .json_values import coarseness_ms, number, shown
from .model import Context, Group, Mismatch, Scope, rule
from .steps import Step, derived, steps_of


@derived
def _started(execution: Json) -> tuple[Step, ...]:
    return tuple(step for step in steps_of(execution) if step.has_started and step.started)


@rule(
    "DR021",
    group=Group.ORDERING,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Documentation of Execution Detail, field `steps`: ordered list of steps",
    when=lambda execution, _context: len(_started(execution)) > 1,
    needs="a run with two started steps",
)
def steps_stand_in_order_of_start(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """Steps are in the order in which they started.

    A trace is read from top to bottom. Pending and skipped steps are left out: their
    `started_at` is when they were queued. Example: 10:15:00.100 before 10:15:02.500.
    """
    started = _started(execution)
    for before, after in pairwise(started):
        behind_ms = _behind_ms(after, before.started)
        if behind_ms <= 0:
            continue
        first, second = before.get("started_at"), after.get("started_at")
        if behind_ms > coarseness_ms(first, second):
            yield Mismatch(
                after.at("started_at"),
                f"a moment not before the previous step, {shown(first)}",
                shown(second),
                "sort steps by started_at",
            )


def _behind_ms(step: Step, moment: datetime | None) -> float:
    """Return how far, in ms, a step starts before a moment; 0 if either is not known."""
    if step.started is None or moment is None:
        return 0.0
    return milliseconds_between(step.started, moment)


def _graph_and_started(execution: JsonObject, context: Context) -> bool:
    return graph_of(context) is not None and len(_started(execution)) > 1


@rule(
    "DR025",
    group=Group.DEFINITION,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Documentation of workflow definitions: an edge leads from one action to the next",
    when=_graph_and_started,
    needs="a run of two steps, and its workflow's definition",
)
def edges_are_followed_in_time(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """Where an edge leads from one step to another, the first ends before the second starts.

    The second step reads what the first produced. Steps inside loops, and steps that did not
    start, are left out. Example: `agent-1` ends 10:15:02.450, `slack-1` starts 10:15:02.500.
    """
    graph = graph_of(context)
    if graph is None:
        return
    single = _single_steps(execution, graph)
    for start, end, _ in graph.edges:
        before, after = single.get(start), single.get(end)
        if before is not None and after is not None:
            yield from _overlap(before, after, context)


def _single_steps(execution: JsonObject, graph: Graph) -> dict[str, Step]:
    counts = Counter(step.step_id for step in steps_of(execution))
    return {
        step.step_id: step
        for step in _started(execution)
        if step.step_id is not None
        and counts[step.step_id] == 1
        and not step.is_iteration
        and step.step_id not in graph.inside_loops
    }


def _overlap(before: Step, after: Step, context: Context) -> Iterator[Mismatch]:
    start, end = after.get("started_at"), before.get("ended_at")
    if before.ended is None:
        if before.status == "running":
            yield _too_early(after, before, "which has not ended")
        return
    allowed_ms = context.settings.containment_tolerance_ms + coarseness_ms(start, end)
    if _behind_ms(after, before.ended) > allowed_ms:
        yield _too_early(after, before, f"which ended {shown(end)}")


def _too_early(after: Step, before: Step, how: str) -> Mismatch:
    return Mismatch(
        after.at("started_at"),
        f"a start after step {shown(before.step_id)}, {how}",
        shown(after.get("started_at")),
        "start a step when every step before it has ended",
    )


@rule(
    "DR028",
    group=Group.ORDERING,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Documentation of Execution Detail, field `step_id`; client code: repeated in loops",
    when=lambda execution, _context: any(not step.is_iteration for step in steps_of(execution)),
    needs="a step outside loops",
)
def step_id_is_unique_outside_loops(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """Outside loops, a step occurs once.

    A step sent twice is counted and shown twice. If the definition is not known, a repeated step
    may have run in a loop, so this is only a warning. Example: `agent-1` and `slack-1`.
    """
    graph = graph_of(context)
    seen: dict[str, int] = {}
    for step in steps_of(execution):
        step_id = step.step_id
        if step_id is None or step.is_iteration:
            continue
        if graph is not None and step_id in graph.inside_loops:
            continue
        if step_id in seen:
            known = _is_certain(graph, step_id, context)
            yield Mismatch(
                step.at("step_id"),
                f"a unique step_id; {shown(step_id)} is at /steps/{seen[step_id]} too",
                shown(step_id),
                "send each step once, and send `iteration` for the steps of a loop",
                None if known else Severity.WARNING,
            )
        seen.setdefault(step_id, step.index)


def _is_certain(graph: Graph | None, step_id: str, context: Context) -> bool:
    if graph is None or context.definition_may_have_changed:
        return False
    return step_id in graph.actions


@derived
def _iterations(execution: Json) -> tuple[Step, ...]:
    return tuple(step for step in steps_of(execution) if step.is_iteration)


@rule(
    "DR029",
    group=Group.ORDERING,
    severity=Severity.WARNING,
    scope=Scope.EXECUTION,
    source="Client code: `iteration` is an index if it is whole and not negative",
    when=lambda execution, _context: bool(_iterations(execution)),
    needs="a run with a loop",
)
def iterations_can_be_told_apart(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """Inside a loop, each pair of step id and iteration occurs once, and the counts are consistent.

    User interfaces group the steps of a loop by iteration. Example: `enrich` with `iteration` 0, 1,
    2 and
    `total_items` 3.
    """
    by_id: dict[str, list[Step]] = defaultdict(list)
    for step in _iterations(execution):
        iteration = number(step.get("iteration")) or 0
        if iteration < 0 or iteration != int(iteration):
            yield Mismatch(
                step.at("iteration"),
                "a whole number not below 0",
                shown(step.get("iteration")),
                "count iterations from 0",
            )
        if step.step_id is not None:
            by_id[step.step_id].append(step)
    for steps in by_id.values():
        yield from _repeated(steps)
        yield from _unequal_totals(steps)


def _repeated(steps: list[Step]) -> Iterator[Mismatch]:
    seen: set[float | None] = set()
    for step in steps:
        iteration = number(step.get("iteration"))
        if iteration in seen:
            yield Mismatch(
                step.at("iteration"),
                f"a unique iteration of {shown(step.step_id)}",
                f"{shown(step.get('iteration'))} again",
                "send each iteration once",
            )
        seen.add(iteration)


def _unequal_totals(steps: list[Step]) -> Iterator[Mismatch]:
    totals = [(step, number(step.get("total_items"))) for step in steps]
    sent = [(step, total) for step, total in totals if total is not None]
    distinct = len({number(step.get("iteration")) for step in steps})
    for step, total in sent:
        if total != sent[0][1] or total < distinct:
            yield Mismatch(
                step.at("total_items"),
                f"the same number on every iteration, not below {distinct}",
                shown(step.get("total_items")),
                "send the number of items the loop runs over",
            )


RULES = (
    steps_stand_in_order_of_start,
    edges_are_followed_in_time,
    step_id_is_unique_outside_loops,
    iterations_can_be_told_apart,
)
