"""What each status allows of each member: null, missing, empty, of a wrong type.

Every combination is refused by a rule or by the schema, or is allowed for a reason that is named
here. The page docs/reference/combinations.md is made of it.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.validation import validate

from .model import Context, Scope
from .validate import apply_rules, validate_execution

STATES = ("null", "missing", "empty", "wrong type")
_MISSING = object()

_END: JsonObject = {"ended_at": "2026-03-27T10:15:02.000Z", "duration_ms": 1900}
_NO_END: JsonObject = {"ended_at": None, "duration_ms": None}
_COLUMN = {"id": "col_1", "stepId": "agent-1", "fieldPath": "result.output", "label": "Summary"}

RUNS = ("running", "completed", "failed")
STEPS = ("pending", "running", "completed", "failed", "skipped")

_NOTE_Q5 = "Absent counts as null: client code finds the member missing"
_NOTE_COLUMNS = "`array | null`: a workflow without columns has none"
_REASONS: Mapping[tuple[str, str, str], str] = {
    ("run", "ended_at", "null"): "`string | null`: the run has not ended",
    ("run", "duration_ms", "null"): "`integer | null`: the run has not ended",
    ("run", "error", "null"): "`string | null`: an error only if the execution failed",
    ("run", "column_config", "null"): _NOTE_COLUMNS,
    ("run", "column_config", "missing"): _NOTE_Q5,
    ("run", "column_config", "empty"): _NOTE_COLUMNS,
    ("run", "steps", "empty"): "No step has begun, or the workflow has no action that must run",
    ("step", "step_name", "null"): "`string | null`: an action without a name",
    ("step", "step_name", "empty"): "Names are texts of users; the definition's name is compared",
    ("step", "ended_at", "null"): "`string | null`: the step has not ended, or was skipped",
    ("step", "duration_ms", "null"): "`integer | null`: the step has not ended, or was skipped",
    ("step", "input", "empty"): "An action without inputs",
    ("step", "output", "null"): "`object | null`: an action need not produce values",
    ("step", "output", "missing"): _NOTE_Q5,
    ("step", "output", "empty"): "`object | null`: an action need not produce values",
    ("step", "mapped_output", "null"): "optional values; a missing one is a warning at most",
    ("step", "mapped_output", "missing"): _NOTE_Q5,
    ("step", "mapped_output", "empty"): "optional values; a missing one is a warning at most",
    ("step", "error", "null"): "`string | object | null`: details if the step failed",
    ("step", "error", "missing"): _NOTE_Q5,
    ("row", "completed_at", "null"): "null while running",
    ("row", "duration", "null"): "null while running",
    ("row", "error", "null"): "filled when failed, null otherwise",
}
"""Why a combination is allowed: (level, member, state) -> the sentence or the decision."""


@dataclass(frozen=True, slots=True)
class Combination:
    """One status of a run, a step or a row with one member in one state.

    `refused_by` names the rules that report it as an error (`schema` is the JSON Schema),
    `warned_by` those that only warn. `reason` is why it is allowed, empty for a refused one.
    """

    level: str
    status: str
    member: str
    state: str
    refused_by: tuple[str, ...]
    warned_by: tuple[str, ...]
    reason: str


def combinations() -> Iterator[Combination]:
    """Yield every combination of status, member and state, with the rules that speak of it."""
    for level, statuses in (("run", RUNS), ("step", STEPS), ("row", RUNS)):
        for status in statuses:
            whole, part = _documents(level, status)
            for member in [name for name in part if name != "status"]:
                for state in STATES:
                    yield _judged(level, status, member, state, whole)


def _judged(level: str, status: str, member: str, state: str, whole: JsonObject) -> Combination:
    changed = copy.deepcopy(whole)
    part = _part(level, changed)
    value = _value(part[member], member, state)
    if value is _MISSING:
        del part[member]
    else:
        part[member] = value
    if level == "row":
        data = {"executions": [changed]}
        violations = list(validate(changed, "execution_row"))
        violations += apply_rules(Scope.LIST_PAGE, data, {})
    else:
        violations = validate_execution(changed, Context())
    # Whether a page's numbers fit is none of this table's business.
    relevant = [one for one in violations if one.rule != "page_arithmetic_holds"]
    errors = {one.rule for one in relevant if one.severity.value == "error"}
    warnings = {one.rule for one in relevant} - errors
    reason = "" if errors else _REASONS.get((level, member, state), "")
    return Combination(
        level, status, member, state, tuple(sorted(errors)), tuple(sorted(warnings)), reason
    )


def _value(present: Json, member: str, state: str) -> object:
    """Return a member's value in a state; `empty` is the empty form of its first type."""
    if state == "null":
        return None
    if state == "missing":
        return _MISSING
    objects = {"input", "output", "mapped_output"}
    if state == "wrong type":
        return 17 if member not in {"duration_ms", "duration"} else "17"
    if member in objects or isinstance(present, dict):
        return {}
    return [] if member in {"steps", "column_config"} else ""


def _part(level: str, whole: JsonObject) -> JsonObject:
    part: JsonObject = whole["steps"][0] if level == "step" else whole
    return part


def _documents(level: str, status: str) -> tuple[JsonObject, JsonObject]:
    """Return a valid document with that status at that level, and the part that has the status."""
    if level == "row":
        row = _row(status)
        return row, row
    run_status = {"pending": "running", "skipped": "completed"}.get(status, status)
    step_status = {"running": "running"}.get(run_status, run_status)
    step = _step(status if level == "step" else step_status)
    run: JsonObject = {
        "id": "exec_abc123",
        "run_id": "run_x7k9m2",
        "workflow_id": "wf_abc123",
        "status": run_status,
        "started_at": "2026-03-27T10:15:00.000Z",
        "ended_at": "2026-03-27T10:15:04.320Z",
        "duration_ms": 4320,
        "event_name": "workflows/new-post",
        "created": "2026-03-27T10:15:00.000Z",
        "column_config": [_COLUMN],
        "steps": [step],
        "error": "Step 'Summarise Post' failed: timed out" if run_status == "failed" else None,
    }
    if run_status == "running":
        run |= _NO_END
    return run, _part(level, run)


def _step(status: str) -> JsonObject:
    step: JsonObject = {
        "step_id": "agent-1",
        "step_name": "Summarise Post",
        "operation": "generic_agent",
        "status": status,
        "started_at": "2026-03-27T10:15:00.100Z",
        "ended_at": None,
        "duration_ms": None,
        "input": {"prompt": "Summarise this post"},
        "output": None,
        "mapped_output": None,
        "error": "timed out" if status == "failed" else None,
    }
    if status in {"completed", "failed"}:
        step |= _END
    if status == "completed":
        step["output"] = {"result": {"output": "Short."}}
        step["mapped_output"] = {"col_1": "Short."}
    return step


def _row(status: str) -> JsonObject:
    is_over = status != "running"
    return {
        "run_id": "run_x7k9m2",
        "status": status,
        "started_at": "2026-03-27T10:15:00.000Z",
        "completed_at": "2026-03-27T10:15:04.320Z" if is_over else None,
        "duration": 4320 if is_over else None,
        "error": "timed out" if status == "failed" else None,
    }


_INTRODUCTION = """# Combinations of status and members

What each status of a run, a step and a row of the list allows of each member. Every combination is
refused by a rule or by the schema, or is allowed for the reason that stands there. *Empty* is an
empty text, object or array, *wrong type* a number (a text for a number). Warnings are in brackets.
"""


def page() -> str:
    """Return docs/reference/combinations.md."""
    parts, title = [_INTRODUCTION], ""
    for one in combinations():
        heading = f"## A {one.level} that is {one.status}"
        if heading != title:
            title = heading
            parts.append(f"\n{title}\n\n| member | state | |\n|---|---|---|")
        verdict = f"allowed: {one.reason}".replace("|", "\\|")
        if one.refused_by:
            verdict = "refused: " + ", ".join(f"`{name}`" for name in one.refused_by)
        if one.warned_by:
            verdict += " (warning: " + ", ".join(f"`{name}`" for name in one.warned_by) + ")"
        parts.append(f"| `{one.member}` | {one.state} | {verdict} |")
    return "\n".join(parts) + "\n"
