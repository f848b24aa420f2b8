"""Rules about two reads of one run: it only moves forward, and a finished run does not change."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import differences, elements, members, name_one_moment, number, shown, text
from .model import Context, Group, Mismatch, Scope, rule

TERMINAL = frozenset({"completed", "failed"})
STARTED = frozenset({"running", "completed", "failed"})
MAX_DIFFERENCES = 5

_RUN_MOVES = {
    "running": {"running", "completed", "failed"},
    "completed": {"completed"},
    "failed": {"failed"},
}
_STEP_MOVES = {
    "pending": {"pending", "running", "completed", "failed", "skipped"},
    "running": {"running", "completed", "failed"},
    "completed": {"completed"},
    "failed": {"failed"},
    "skipped": {"skipped"},
}
_RUN_MEMBERS = frozenset(
    {"id", "run_id", "workflow_id", "status", "started_at", "ended_at", "duration_ms"}
    | {"event_name", "created", "column_config", "steps", "error"}
)
_STEP_MEMBERS = frozenset(
    {"step_id", "step_name", "operation", "status", "started_at", "ended_at", "duration_ms"}
    | {"input", "output", "mapped_output", "error", "iteration", "total_items"}
)
_TWICE = "a run read twice"

Key = tuple[str, float | None]


@dataclass(frozen=True, slots=True)
class _Step:
    """A step that can be found again in another read; `index` is its place in `steps`."""

    index: int
    key: Key
    status: str

    @property
    def has_started(self) -> bool:
        return self.status in STARTED

    @property
    def label(self) -> str:
        name, iteration = self.key
        return shown(name) if iteration is None else f"{shown(name)} (iteration {iteration:g})"


def _steps(execution: Json) -> list[_Step]:
    found = []
    for index, step in enumerate(elements(members(execution).get("steps"))):
        step_id, status = text(members(step).get("step_id")), text(members(step).get("status"))
        if step_id is not None and status is not None:
            found.append(_Step(index, (step_id, number(step.get("iteration"))), status))
    return found


def _by_key(steps: list[_Step]) -> dict[Key, list[_Step]]:
    grouped: dict[Key, list[_Step]] = {}
    for step in steps:
        grouped.setdefault(step.key, []).append(step)
    return grouped


def _pairs(earlier: list[_Step], later: list[_Step]) -> Iterator[tuple[_Step, _Step]]:
    """Match the n-th occurrence of each step; only started steps if the others changed."""
    after = _by_key(later)
    for key, before in _by_key(earlier).items():
        now = after.get(key, [])
        if len(before) != len(now):
            before = [step for step in before if step.has_started]
            now = [step for step in now if step.has_started]
        yield from zip(before, now, strict=False)


def _is_one_run(earlier: Json, later: Json, _context: Context | None = None) -> bool:
    if not isinstance(earlier, dict) or not isinstance(later, dict):
        return False
    # Rule DR001 reports another run under the same URL.
    run_ids = text(earlier.get("run_id")), text(later.get("run_id"))
    return None in run_ids or run_ids[0] == run_ids[1]


def _has_ended(earlier: Json, later: Json, _context: Context) -> bool:
    return _is_one_run(earlier, later) and text(earlier.get("status")) in TERMINAL


def _has_started_steps(earlier: Json, later: Json, _context: Context) -> bool:
    comparable = _is_one_run(earlier, later) and isinstance(later.get("steps"), list)
    return comparable and any(step.has_started for step in _steps(earlier))


@rule(
    "DR038",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.READS,
    source="Execution Detail, `status` of the execution and of a step",
    when=_is_one_run,
    needs=_TWICE,
)
def status_only_moves_forward(earlier: Json, later: Json, _context: Context) -> Iterator[Mismatch]:
    """The status of a run and of its steps only moves forward.

    A polling client stops at the first final status and never sees later changes. The documented
    values imply the order: a run goes from running to completed or failed; a step from pending to
    running to completed or failed, or from pending to skipped. Example: a run that was `completed`
    and is `running` now.
    """
    before, now = text(earlier.get("status")), text(later.get("status"))
    if now in _RUN_MOVES and now not in _RUN_MOVES.get(before or "", {now}):
        yield _moved_back("/status", before, now, "a run")
    for one, other in _pairs(_steps(earlier), _steps(later)):
        if other.status in _STEP_MOVES and other.status not in _STEP_MOVES.get(
            one.status, {other.status}
        ):
            place = pointer_to("steps", other.index, "status")
            yield _moved_back(place, one.status, other.status, f"step {one.label}")


def _moved_back(pointer: str, before: str | None, now: str | None, subject: str) -> Mismatch:
    return Mismatch(
        pointer,
        f"{subject} that was {shown(before)} not to become {shown(now)}",
        f"{shown(before)} in the read before, {shown(now)} now",
        "never write an older status over a newer one; read from one up-to-date store",
    )


@rule(
    "DR039",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.READS,
    source="Execution Detail, `steps`: ordered list of steps",
    when=_has_started_steps,
    needs=_TWICE,
)
def started_steps_stay_in_order(
    earlier: Json, later: Json, _context: Context
) -> Iterator[Mismatch]:
    """A step that has started never disappears, and started steps keep their order.

    Clients that show progress refer to steps they have seen. `steps` is an ordered list, so new
    steps may appear in between, but no started step may disappear or move. A step is identified by
    its `step_id`, its `iteration` and its occurrence. Example: first `a, b`, in the next read `b,
    a`, or `b` alone.
    """
    after = _by_key(_steps(later))
    seen: Counter[Key] = Counter()
    last: tuple[int, _Step] | None = None
    for step in _steps(earlier):
        if not step.has_started:
            continue
        nth, seen[step.key] = seen[step.key], seen[step.key] + 1
        place = _nth(after.get(step.key, []), nth)
        if place is None:
            yield Mismatch(
                "/steps",
                f"step {step.label} of the read before, which had started",
                "no such step",
                "include every started step in `steps`",
            )
        elif last is not None and place < last[0]:
            yield Mismatch(
                pointer_to("steps", place),
                f"step {step.label} after step {last[1].label}, as in the read before",
                f"index {place}, before index {last[0]}",
                "sort `steps` the same way in every response, ties included",
            )
        else:
            last = place, step


def _nth(candidates: list[_Step], nth: int) -> int | None:
    """Return the index of the n-th started step, else of the n-th step; None if there is none."""
    started = [step for step in candidates if step.has_started]
    for steps in (started, candidates):
        if nth < len(steps):
            return steps[nth].index
    return None


@rule(
    "DR040",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.READS,
    source="Execution Detail, `id`, `started_at`, `event_name`, `created`",
    when=_is_one_run,
    needs=_TWICE,
)
def origin_never_changes(earlier: Json, later: Json, _context: Context) -> Iterator[Mismatch]:
    """A run's id, start, event name and creation never change between reads.

    They are fixed when the run begins; clients key and sort by them. Timestamps are compared as
    moments. Example: a new `id` in every response.
    """
    for name in ("id", "event_name"):
        before, now = text(earlier.get(name)), text(later.get(name))
        if before is not None and now is not None and before != now:
            yield _changed(name, before, now)
    for name in ("started_at", "created"):
        before, now = earlier.get(name), later.get(name)
        if name_one_moment(before, now) is False:
            yield _changed(name, before, now)


def _changed(name: str, before: Json, now: Json) -> Mismatch:
    return Mismatch(
        pointer_to(name),
        f"{shown(before)}, as in the read before",
        shown(now),
        f"store `{name}` once and return the stored value",
    )


@rule(
    "DR041",
    group=Group.READS,
    severity=Severity.ERROR,
    scope=Scope.READS,
    source="Execution Detail: the complete trace of one execution",
    when=_has_ended,
    needs="a finished run read twice",
)
def finished_runs_never_change(earlier: Json, later: Json, _context: Context) -> Iterator[Mismatch]:
    """A finished run is immutable: two reads of it are equal.

    Clients cache finished runs and never request them again. Numbers are compared as numbers, an
    absent member equals null, and differences in undocumented members are only warnings. At most 5
    differences are reported. Example: the `output` of a step that changes with every response.
    """
    for count, (path, before, now) in enumerate(differences(earlier, later)):
        if count == MAX_DIFFERENCES:
            return
        yield Mismatch(
            pointer_to(*path),
            f"{shown(before)}, as in the read before",
            shown(now),
            "return a finished run as it was stored when it ended",
            None if _is_known(path) else Severity.WARNING,
        )


def _is_known(path: tuple[str | int, ...]) -> bool:
    if not path or path[0] not in _RUN_MEMBERS:
        return not path
    return path[0] != "steps" or len(path) < 3 or path[2] in _STEP_MEMBERS


RULES = (
    status_only_moves_forward,
    started_steps_stay_in_order,
    origin_never_changes,
    finished_runs_never_change,
)
