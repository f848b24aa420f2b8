"""Situations derived from the schemas: each status, and each nullable member in each state."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from operator import eq
from typing import NamedTuple

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.schema_files import load_schema

from .model import DocumentedRequest, ExchangePart, Situation, patches, reads


class _State(NamedTuple):
    """A state of a member: its name, what a title adds, and whether a value is in it."""

    name: str
    words: str
    matches: Callable[[Json], bool]


_STATES: Mapping[str, tuple[_State, ...]] = {
    "null": (_State("null", "null", lambda value: value is None),),
    "string": (_State("text", "a text", lambda value: isinstance(value, str)),),
    "array": (
        _State("empty", "empty", lambda value: value == []),
        _State("filled", "filled", lambda value: isinstance(value, list) and value != []),
    ),
    "object": (
        _State("empty", "empty", lambda value: value == {}),
        _State("object", "an object", lambda value: isinstance(value, dict) and value != {}),
    ),
}
"""JSON type to the states of a member that has it; a missing member counts as null."""
_NOT_HERE = {
    ("step", "iteration"): "absent outside loops; the situation `loop` covers it",
    ("step", "total_items"): "absent outside loops; the situation `loop` covers it",
    ("step", "mapped_output", "empty"): "a warning of rule steps_without_columns_map_nothing",
    ("step", "error", "empty"): "an error without members is allowed, but no server sends it",
}
"""Members and states that are no situation of their own, and why."""


_LEVELS: Mapping[str, tuple[str, ExchangePart]] = {
    "run": ("execution", ExchangePart.RUN),
    "step": ("step", ExchangePart.STEP),
    "row": ("execution_row", ExchangePart.ROW),
}
"""Level to the schema of its objects and where they are."""
_BRANCH = ("V1StGXR8_Z5jdHi6B-myT", "run_j3k6m0")
_WAITING = ("V1StGXR8_Z5jdHi6B-myT", "run_k8q2r5")
_NO_PROFILE = ("wf_def456", "run_p3n8q1")
_EXAMPLE = ("wf_abc123", "run_x7k9m2")
_MOOD = ("wf_mood01", "run_e1s3n7")
_LISTS = {"running": "wf_running_forever", "completed": "wf_completed", "failed": "wf_failed"}


def _empty_output() -> tuple[DocumentedRequest, ...]:
    """Return the steps that serve the shortest recorded run with an empty output, and read it."""
    step = {
        "step_id": "mood",
        "step_name": "Rate mood",
        "operation": "get_sentiment",
        "status": "completed",
        "started_at": "2026-03-26T18:20:00.015Z",
        "ended_at": "2026-03-26T18:20:00.757Z",
        "duration_ms": 742,
        "input": {"body": "Third outage this week.", "outputFormat": "text"},
        "output": {},
    }
    return patches(*_MOOD, {"steps": [step]}), *reads(*_MOOD)


_STEPS: Mapping[str, tuple[DocumentedRequest, ...]] = {
    "run_running": reads("wf_abc123", "run_a1b2c3"),
    "run_completed": reads(*_EXAMPLE),
    "run_failed": reads(*_NO_PROFILE),
    "step_pending": reads(*_WAITING),
    "step_running": reads(*_WAITING),
    "step_completed": reads(*_EXAMPLE),
    "step_failed": reads(*_NO_PROFILE),
    "step_skipped": reads(*_BRANCH),
    **{
        f"row_{status}": (DocumentedRequest(f"/v1/workflows/{workflow_id}/executions"),)
        for status, workflow_id in _LISTS.items()
    },
    "column_config_null": reads(*_NO_PROFILE),
    "column_config_empty": reads(*_MOOD),
    "column_config_filled": reads(*_EXAMPLE),
    "step_name_null": reads("k3J9xQ2mZ7pL0sVb4TnWd", "run_q1v8w4"),
    "step_name_text": reads(*_EXAMPLE),
    "output_null": reads(*_NO_PROFILE),
    "output_empty": _empty_output(),
    "output_object": reads(*_EXAMPLE),
    "mapped_output_null": reads(*_EXAMPLE),
    "mapped_output_object": reads(*_EXAMPLE),
    "error_text": reads(*_NO_PROFILE),
    "error_object": reads("wf_def456", "run_c4m8z1"),
}
"""The requests that produce each derived situation; the tests fail for one without them."""


@cache
def derived_situations() -> tuple[Situation, ...]:
    """Return the situations that follow from the schemas of runs, steps and rows."""
    levels = [(*_statuses(level), *_members(level)) for level in ("run", "step")]
    return tuple(one for level in levels for one in level) + tuple(_statuses("row"))


def _statuses(level: str) -> Iterator[Situation]:
    schema, found_in = _LEVELS[level]
    described = load_schema(schema)["properties"]["status"]
    for status in described["enum"]:
        name = f"{level}_{status}"
        yield Situation(
            name,
            f"A {level} that is {status}",
            described["description"],
            f"schema `{schema}`, `status`",
            _STEPS[name],
            found_in,
            _member("status", partial(eq, status)),
        )


def _members(level: str) -> Iterator[Situation]:
    """Yield the states of the nullable members whose type the status does not decide."""
    schema, found_in = _LEVELS[level]
    document = load_schema(schema)
    for member, described in document["properties"].items():
        for state in _states(level, member, document):
            name = f"{member}_{state.name}"
            yield Situation(
                name,
                f"`{member}` of a {level} is {state.words}",
                described["description"],
                f"schema `{schema}`, `{member}`",
                _STEPS[name],
                found_in,
                _member(member, state.matches),
            )


def _states(level: str, member: str, document: JsonObject) -> Iterator[_State]:
    types = document["properties"][member].get("type", "any")
    if "null" not in types or (level, member) in _NOT_HERE:
        return
    variants = document.get("x-variants", {}).get("members", {}).values()
    others = [one[member]["type"] for one in variants if member in one]
    filled = [one for one in others if one != "null"]
    if filled and not isinstance(filled[0], list):
        return  # null in some statuses and of one type in the others
    for one in filled[0] if filled else types:
        yield from (state for state in _STATES[one] if (level, member, state.name) not in _NOT_HERE)


def _member(name: str, matches: Callable[[Json], bool]) -> Callable[[JsonObject], bool]:
    return lambda part: matches(part.get(name))
