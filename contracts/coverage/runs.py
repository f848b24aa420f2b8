"""Situations of Execution Detail that no schema names: shapes, sizes and texts of a run."""

import re
from collections.abc import Callable

from deadringer.contracts.json_text import json_bytes
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.schema_files import load_schema

from .model import ExchangePart, Situation, patches, reads
from .parts import steps_of

HUNDREDS = 200
LARGE_BYTES = 100_000
DEEP = 20
LONG_MS = 3_600_000
_OTHER_SCRIPT = re.compile(
    "[\u0370-\u1dff\u1f00-\u1fff\u2c00-\u2c5f\u2d00-\u2dff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Letters of scripts other than Latin."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_MARKUP = re.compile(r"<[a-zA-Z][^<>]*>")
_SCRIPTS = reads("wf_world1", "run_t8b4c9")
_FAILED = ("wf_def456", "run_p3n8q1")
_EXAMPLE = ("wf_abc123", "run_x7k9m2")


def _is_of_a_loop(step: JsonObject) -> bool:
    return step.get("iteration") is not None


def _has_skipped_branch(run: JsonObject) -> bool:
    statuses = {step.get("status") for step in steps_of(run)}
    return run.get("status") == "completed" and {"skipped", "completed"} <= statuses


def _has_large_output(step: JsonObject) -> bool:
    output = step.get("output")
    return bool(output) and len(json_bytes(output)) >= LARGE_BYTES


def _depth(value: Json) -> int:
    """Return how deep arrays and objects are nested, 0 for any other value; stops at DEEP."""
    level, depth = [value], 0
    while depth < DEEP:
        holders = [one for one in level if isinstance(one, dict | list)]
        if not holders:
            break
        depth += 1
        level = [
            inner for one in holders for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _contains(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.search(text) is not None


def _has_new_members(run: JsonObject) -> bool:
    known = load_schema("execution")["properties"].keys()
    known_of_step = load_schema("step")["properties"].keys()
    return bool(run.keys() - known) or any(step.keys() - known_of_step for step in steps_of(run))


def _lasts_hours(run: JsonObject) -> bool:
    duration = run.get("duration_ms")
    return isinstance(duration, int | float) and duration >= LONG_MS


RUN_SITUATIONS = (
    Situation(
        "no_steps",
        "A run without steps",
        "A table or a timeline has nothing to show, and `steps[0]` does not exist.",
        "schema `execution`, `steps`",
        reads("wf_abc123", "run_a1b2c3"),
        found_in=ExchangePart.RUN,
        matches=lambda run: run.get("steps") == [],
    ),
    Situation(
        "failed_before_first_step",
        "A run that failed before its first step",
        "The run has an error, and no step does.",
        "rule `failed_run_has_a_failed_step`",
        reads("wf_mood01", "run_g5t1v4"),
        found_in=ExchangePart.RUN,
        matches=lambda run: run.get("status") == "failed" and run.get("steps") == [],
    ),
    Situation(
        "hundreds_of_steps",
        f"A run of {HUNDREDS} steps or more",
        "A view that draws every step at once becomes slow.",
        "no limit is documented",
        reads("wf_bulk200", "run_v3f7g1"),
        found_in=ExchangePart.RUN,
        matches=lambda run: len(steps_of(run)) >= HUNDREDS,
    ),
    Situation(
        "loop",
        "A loop: steps with an `iteration`",
        "The same `step_id` occurs once for each item, so it is no unique key.",
        "schema `step`, `iteration`",
        reads("wf_loop77", "run_l4o4p4"),
        found_in=ExchangePart.STEP,
        matches=_is_of_a_loop,
    ),
    Situation(
        "loop_failed",
        "A loop with a failed iteration",
        "Only one of the steps with the same `step_id` has the error.",
        "schema `step`, `iteration`",
        reads("wf_loop77", "run_m2n9q7"),
        found_in=ExchangePart.STEP,
        matches=lambda step: _is_of_a_loop(step) and step.get("status") == "failed",
    ),
    Situation(
        "skipped_branch",
        "A completed run with a skipped branch",
        "Not every step of a completed run has an end and an output.",
        "rule `one_branch_of_an_if_runs`",
        reads("V1StGXR8_Z5jdHi6B-myT", "run_j3k6m0"),
        found_in=ExchangePart.RUN,
        matches=_has_skipped_branch,
    ),
    Situation(
        "large_output",
        f"An output of {LARGE_BYTES // 1000} kB or more",
        "Output has no documented limit; a view that formats all of it stops responding.",
        "schema `step`, `output`",
        reads("wf_scrape5", "run_w5h9j3"),
        found_in=ExchangePart.STEP,
        matches=_has_large_output,
    ),
    Situation(
        "deep_output",
        f"An output nested {DEEP} levels deep or more",
        "A recursive view runs out of space, or of stack.",
        "schema `step`, `output`",
        reads("wf_deep42", "run_u2d6e5"),
        found_in=ExchangePart.STEP,
        matches=lambda step: _depth(step.get("output")) >= DEEP,
    ),
    Situation(
        "instant_run",
        "A run with a duration of 0 ms",
        "A duration of 0 is not a missing duration, and no bar has a width.",
        "schema `execution`, `duration_ms`: minimum 0",
        reads("wf_mood01", "run_f0f0f0"),
        found_in=ExchangePart.RUN,
        matches=lambda run: run.get("duration_ms") == 0,
    ),
    Situation(
        "run_of_hours",
        "A run that took an hour or more",
        "Durations need hours, and short steps vanish on a common scale.",
        "no limit is documented",
        reads("wf_night9", "run_s5z1a3"),
        found_in=ExchangePart.RUN,
        matches=_lasts_hours,
    ),
    Situation(
        "other_scripts",
        "Text in scripts other than Latin",
        "Names and outputs are texts of users, in any language.",
        "schema `step`, `step_name`",
        _SCRIPTS,
        found_in=ExchangePart.TEXT,
        matches=_contains(_OTHER_SCRIPT),
    ),
    Situation(
        "right_to_left",
        "Text that is written from right to left",
        "It reorders the text around it unless it is isolated.",
        "schema `step`, `step_name`",
        _SCRIPTS,
        found_in=ExchangePart.TEXT,
        matches=_contains(_RIGHT_TO_LEFT),
    ),
    Situation(
        "emoji",
        "Characters beyond U+FFFF, such as emoji",
        "They are two units in JavaScript; cutting a text between them damages it.",
        "schema `step`, `step_name`",
        _SCRIPTS,
        found_in=ExchangePart.TEXT,
        matches=_contains(_ASTRAL),
    ),
    Situation(
        "markup_in_text",
        "Text that contains HTML",
        "A page that inserts it as HTML runs it.",
        "errors and outputs repeat what other services sent",
        (
            patches(
                *_FAILED, {"error": "Step 'Enrich profile' failed: profile not found <img src=x>"}
            ),
            *reads(*_FAILED),
        ),
        found_in=ExchangePart.TEXT,
        matches=_contains(_MARKUP),
    ),
    Situation(
        "new_members",
        "Members that are not documented",
        "They may appear at any time; clients must ignore them.",
        "`openapi.yaml`, Responses",
        (patches(*_EXAMPLE, {"region": "eu-1"}), *reads(*_EXAMPLE)),
        found_in=ExchangePart.RUN,
        matches=_has_new_members,
    ),
)
