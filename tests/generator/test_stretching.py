"""Stretching changes how long a run takes, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadringer.contracts.rules import judge_execution
from deadringer.fixtures import World, plan_run, stretched, view_run

NOW_MS = 1_774_606_500_000
WORKFLOWS = list(World(1, 10).workflows.values())


@settings(max_examples=60, deadline=None)
@given(
    workflow=st.sampled_from(WORKFLOWS),
    run=st.integers(0, 1000),
    status=st.sampled_from(["completed", "failed"]),
    duration_ms=st.sampled_from([1, 2, 7, 250, 90_061, 3 * 3_600_000, 31_536_000_000]),
    share=st.floats(0, 1),
)
def test_a_stretched_run_keeps_every_promise_at_any_time(workflow, run, status, duration_ms, share):
    plan = plan_run(1, workflow, run, NOW_MS, status=status)

    longer = stretched(plan, duration_ms)

    last, amid = view_run(longer), view_run(longer, NOW_MS + int(duration_ms * share))
    assert judge_execution(last) == judge_execution(amid) == []
    assert last["duration_ms"] == duration_ms
    before = view_run(plan)
    assert last["started_at"] == before["started_at"]
    assert [(one["step_id"], one["status"], one["output"]) for one in last["steps"]] == [
        (one["step_id"], one["status"], one["output"]) for one in before["steps"]
    ]


def test_a_plan_is_not_changed_by_stretching_it():
    plan = plan_run(1, WORKFLOWS[0], 3, NOW_MS, status="completed")
    before = view_run(plan)

    stretched(plan, 10 * (plan.ended_at - plan.started_at))

    assert view_run(plan) == before


@pytest.mark.parametrize(("status", "duration_ms"), [("running", 1000), ("completed", 0)])
def test_impossible_durations_are_refused(status, duration_ms):
    plan = plan_run(1, WORKFLOWS[0], 3, NOW_MS, status=status)

    with pytest.raises(ValueError, match=r"never ends|cannot take"):
        stretched(plan, duration_ms)
