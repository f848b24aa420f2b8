"""What is asked of the generator is what comes out; what cannot be is said at once."""

import itertools
from collections import Counter
from datetime import UTC, datetime

import pytest

from deadringer.contracts import parse_timestamp
from deadringer.fixtures.generator import Recipe, generate, generate_many, locales, operation_kinds


def some(count=200, **arguments):
    return list(itertools.islice(generate_many(11, **arguments), count))


def test_by_default_most_runs_complete_some_fail_and_few_still_run():
    statuses = Counter(execution["status"] for execution in some(4000))

    assert 0.86 < statuses["completed"] / 4000 < 0.90
    assert 0.075 < statuses["failed"] / 4000 < 0.105
    assert 0.02 < statuses["running"] / 4000 < 0.04


def test_a_share_leaves_the_rest_completed():
    statuses = Counter(execution["status"] for execution in some(2000, status={"failed": 0.3}))

    assert set(statuses) == {"completed", "failed"}
    assert 0.26 < statuses["failed"] / 2000 < 0.34


@pytest.mark.parametrize("status", ["completed", "failed", "running"])
def test_one_status_is_the_status_of_all(status):
    assert {execution["status"] for execution in some(status=status)} == {status}


@pytest.mark.parametrize("steps", [(1, 1), (3, 12), (5, 5), (20, 30), (0, 2)])
@pytest.mark.parametrize("status", ["completed", "failed", "running"])
def test_every_run_lists_as_many_steps_as_asked(steps, status):
    counts = {len(execution["steps"]) for execution in some(60, steps=steps, status=status)}

    assert min(counts) >= steps[0]
    assert max(counts) <= steps[1]


def test_a_run_of_two_thousand_steps_can_be_asked_for():
    assert len(generate(1, steps=2000, status="completed")["steps"]) == 2000
    assert len(generate(1, steps=2000, loops=False, status="completed")["steps"]) == 2000


@pytest.mark.parametrize("kinds", [["http_request"], ["delay", "copy_writer", "signal"]])
def test_only_the_operations_asked_for_occur(kinds):
    found = {s["operation"] for execution in some(operations=kinds) for s in execution["steps"]}

    assert found <= set(kinds)
    assert found


@pytest.mark.parametrize("kind", operation_kinds())
def test_every_operation_can_be_generated_alone(kind):
    [step] = generate(3, operations=[kind], steps=1, status="completed")["steps"]

    assert step["operation"] == kind
    assert step["output"]["result"]


@pytest.mark.parametrize("columns", [0, 1, 3])
def test_as_many_columns_as_asked(columns):
    assert {len(e["column_config"] or []) for e in some(columns=columns)} == {columns}


def test_loops_are_there_or_not_as_asked():
    with_loop = some(loops=True, status="completed")
    without = some(loops=False)

    assert all(any("iteration" in step for step in e["steps"]) for e in with_loop)
    assert not any("iteration" in step for e in without for step in e["steps"])


@pytest.mark.parametrize("locale", locales())
def test_every_locale_has_its_own_people(locale):
    execution = generate(
        1, locale=locale, operations=["person_enrichment"], steps=1, status="completed"
    )

    person = execution["steps"][0]["output"]["result"]
    assert all(person[name] for name in ("firstName", "lastName", "companyName", "country"))


def test_runs_start_within_the_window_asked_for():
    after, before = datetime(2024, 2, 28, tzinfo=UTC), "2024-03-01T12:00:00Z"

    starts = [
        parse_timestamp(e["started_at"]) for e in some(started_after=after, started_before=before)
    ]

    assert min(starts) >= after
    assert max(starts) < parse_timestamp(before)


def test_runs_follow_a_given_workflow():
    workflow = Recipe(77).workflow(0)

    executions = some(30, workflow=workflow)

    ids = {action["id"] for action in workflow["workflow"]["actions"]}
    assert {execution["workflow_id"] for execution in executions} == {workflow["id"]}
    assert {step["step_id"] for e in executions for step in e["steps"]} <= ids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"status": "done"}, "completed, failed, running"),
        ({"status": {"failed": -1}}, "0 or more"),
        ({"status": {"failed": 0}}, "above 0"),
        ({"steps": (5, 3)}, "low and high"),
        ({"operations": ["telepathy"]}, "generic_agent"),
        ({"operations": []}, "generic_agent"),
        ({"locale": "xx_XX"}, "en_US"),
        ({"started_after": "yesterday"}, "2026-03-27T10:15:00Z"),
        ({"started_after": "2026-01-02", "started_before": "2026-01-01"}, "later than"),
        ({"columns": 9, "steps": 1}, "9 columns"),
        ({"workflow": {}}, "definition"),
        ({"workflow": Recipe(1).workflow(0), "loops": True}, "leave them out"),
        ({"index": -1}, "does not exist"),
        ({"index": 2**60}, "does not exist"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(1, **arguments)


def test_a_given_workflow_that_never_lists_so_many_steps_says_how_many_it_lists():
    workflow = Recipe(1, steps=3, loops=False).workflow(0)

    with pytest.raises(ValueError, match="lists 3 steps, not 40 to 40"):
        generate(1, workflow=workflow, steps=40)
