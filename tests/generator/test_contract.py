"""Everything generated keeps the contract: errors and warnings alike, in every view of a run."""

import json
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, find, given, settings

from deadringer.contracts import Grade, validate
from deadringer.contracts.rules import judge_pair
from deadringer.fixtures.generator import Recipe, json_bytes, locales, view_run
from deadringer.fixtures.strategies import envelopes, execution_histories, executions, steps

from .judging import context_of, judged

QUICK = settings(deadline=None, derandomize=True, database=None)


def test_ten_thousand_draws_break_no_promise():
    drawn = 0

    @settings(QUICK, max_examples=10_000)
    @given(executions())
    def draw(execution):
        nonlocal drawn
        drawn += 1
        assert judged(execution) == []

    draw()
    assert drawn >= 10_000


@settings(QUICK, max_examples=500)
@given(execution_histories())
def test_successive_reads_of_a_run_only_move_forward(history):
    for execution in history:
        assert judged(execution) == []
    for earlier, later in pairwise(history):
        assert judge_pair(earlier, later) == []


@settings(QUICK, max_examples=200)
@given(envelopes())
def test_envelopes_keep_their_schema(envelope):
    assert list(validate(envelope, "execution_envelope")) == []


@settings(QUICK, max_examples=200)
@given(steps(status="failed"))
def test_steps_keep_their_schema(step):
    assert list(validate(step, "step")) == []


@pytest.mark.parametrize(
    "arguments",
    [{}, {"loops": True}, {"columns": True}, {"steps": (10, 40)}, {"status": "failed"}]
    + [{"locale": locale} for locale in locales()],
    ids=str,
)
def test_runs_agree_with_definition_and_catalogue(arguments):
    recipe = Recipe("contract", **arguments)

    for index in range(150):
        assert judged(recipe.execution(index), recipe.workflow(index)) == []


def test_every_moment_of_a_run_keeps_the_contract():
    recipe = Recipe("moments", status={"completed": 1, "failed": 1})

    for index in range(60):
        plan, workflow = recipe.plan(index), recipe.workflow(index)
        times = {plan.started_at - 1, plan.started_at, plan.ended_at - 1, plan.ended_at}
        for step in plan.steps:
            times |= {step.queued_at, step.started_at, step.ended_at}
        views = [view_run(plan, now) for now in sorted(times)]
        for view in views:
            assert judged(view, workflow) == []
        for earlier, later in pairwise(views):
            assert judge_pair(earlier, later, context_of(workflow)) == []
        assert views[-1] == view_run(plan) == recipe.execution(index)


def test_a_run_passes_through_pending_and_running_before_it_ends():
    recipe = Recipe("stages", status="completed", steps=2, loops=False)
    plan = recipe.plan(0)
    first, second = plan.steps

    statuses = [
        [step["status"] for step in view_run(plan, now)["steps"]]
        for now in (
            plan.started_at,
            first.started_at,
            first.ended_at,
            second.started_at,
            plan.ended_at,
        )
    ]

    assert statuses == [
        ["pending", "pending"],
        ["running", "pending"],
        ["completed", "pending"],
        ["completed", "running"],
        ["completed", "completed"],
    ]


def test_a_run_that_never_ends_is_running_for_ever():
    plan = Recipe("endless", status="running").plan(0)

    assert view_run(plan)["status"] == "running"
    assert view_run(plan, "9999-12-31T00:00:00Z") == view_run(plan)


def test_changing_one_view_changes_no_other():
    plan = Recipe("views", columns=True, status="completed").plan(0)
    before = view_run(plan)

    view = view_run(plan)
    view["steps"][0]["status"] = "changed"
    view["column_config"].clear()

    assert view_run(plan) == before


@pytest.mark.parametrize("arguments", [{}, {"columns": True}, {"steps": (2, 6)}], ids=str)
def test_edge_mode_is_legal_and_only_spells_timestamps_unusually(arguments):
    recipe = Recipe("edge", edge=True, **arguments)

    for index in range(120):
        found = judged(recipe.execution(index), recipe.workflow(index))
        assert {v.rule for v in found} <= {"timestamps_have_the_documented_form"}
        assert all(v.grade is Grade.WARNING for v in found)


def test_edge_mode_has_all_its_edges():
    executions = [Recipe("edges", edge=True).execution(index) for index in range(400)]
    text = "".join(map(repr, executions))

    assert any(not e["steps"] for e in executions)
    assert any(len(e["steps"]) >= 1000 for e in executions)
    assert any((e["duration_ms"] or 0) > 2**32 for e in executions)
    assert any(len(repr(e)) > 50_000 and len(e["steps"]) < 10 for e in executions)
    assert any(e["started_at"].startswith("0001-") for e in executions)
    assert any(e["started_at"].startswith("9999-") for e in executions)
    assert any(not e["started_at"].endswith("Z") for e in executions)
    assert any("" in step["input"].values() for e in executions for step in e["steps"])
    assert "\U0001f469" in text
    assert "مرحبا" in text


@settings(QUICK, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(executions() | executions(edge=True))
def test_what_is_written_reads_back_as_it_was(execution):
    assert json.loads(json_bytes(execution)) == execution


@settings(QUICK, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(executions(edge=True))
def test_edge_executions_can_be_drawn(execution):
    assert all(violation.grade is Grade.WARNING for violation in judged(execution))


def test_the_simplest_execution_is_a_completed_run_of_one_step():
    simplest = find(executions(), lambda _: True, settings=QUICK)

    assert simplest["status"] == "completed"
    assert simplest["column_config"] is None
    [step] = simplest["steps"]
    assert step["status"] == "completed"
    assert "iteration" not in step


def test_a_failure_shrinks_to_one_failed_step():
    simplest = find(executions(), lambda e: e["status"] == "failed", settings=QUICK)

    assert [step["status"] for step in simplest["steps"]] == ["failed"]


@pytest.mark.parametrize(
    ("arguments", "promise"),
    [
        ({"status": "failed"}, lambda e: e["status"] == "failed"),
        ({"status": {"failed": 1, "running": 1}}, lambda e: e["status"] != "completed"),
        ({"steps": (4, 6)}, lambda e: 4 <= len(e["steps"]) <= 6),
        ({"columns": 1}, lambda e: len(e["column_config"]) == 1),
        (
            {"operations": ["http_request"]},
            lambda e: all(step["operation"] == "http_request" for step in e["steps"]),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_strategies_take_the_arguments_of_generate(arguments, promise):
    @settings(QUICK, max_examples=60)
    @given(executions(**arguments))
    def draw(execution):
        assert promise(execution)

    draw()
