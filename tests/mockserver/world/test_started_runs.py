"""Started runs are columns: they behave as single runs do, and a page reads only what it shows."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from deadringer.contracts import format_timestamp
from deadringer.fixtures import Window
from deadringer.mockserver import Settings
from deadringer.mockserver.world.documents import load_executions
from deadringer.mockserver.world.listing import Held, Listing
from deadringer.mockserver.world.service import Service
from deadringer.mockserver.world.started_runs import PlanCache, SessionPlans, StartedRuns
from tests.mockserver.conftest import _COMPLETED

WORKFLOW = _COMPLETED["workflow_id"]
WORLD = "1"


def body_of(run_id: int, workflow_id: str, minute: int, number: float):
    return {
        "workflow_id": workflow_id,
        "run_id": f"run_{run_id}",
        "started_at": format_timestamp(datetime(2026, 3, 31, 23, minute, 0, 7_000, UTC)),
        "price": number,
        "world": WORLD,
        "workflow": {"id": workflow_id},
        "overrides": {"n": number},
    }


def empty() -> StartedRuns:
    return StartedRuns(SessionPlans(lambda body: body, PlanCache()))


BODIES = st.builds(
    body_of,
    st.integers(0, 9),
    st.sampled_from(("wf_a", "wf_b")),
    st.integers(0, 59),
    st.sampled_from((1, 1.0, True, 2)),
)


@given(st.lists(st.tuples(BODIES, st.integers(0, 2))), st.booleans())
def test_columns_hold_what_single_runs_would(steps, is_restored):
    runs, bodies, moved = empty(), {}, {}
    for body, transitions in steps:
        runs.add(body)
        bodies[body["run_id"]] = body
        runs.move(body["run_id"], transitions)
        moved[body["run_id"]] = transitions
    if is_restored:
        again = empty()
        assert again.restore(json.loads(json.dumps(runs.as_json())), WORLD) == []
        runs = again

    # Equal numbers of different types differ in what a run shows.
    assert json.dumps([run.body for run in runs.values()], sort_keys=True) == json.dumps(
        [*bodies.values()], sort_keys=True
    )
    assert {run_id: run.transitions for run_id, run in runs.items()} == moved
    assert runs.spent_in(datetime(2026, 3, 1, tzinfo=UTC)) == sum(
        body["price"] for body in bodies.values()
    )
    assert runs.spent_in(datetime(2026, 4, 1, tzinfo=UTC)) == 0
    for workflow_id in ("wf_a", "wf_b"):
        newest_first = sorted(
            (run for run in reversed([*runs.values()]) if run.workflow_id == workflow_id),
            key=lambda run: -run.started_at,
        )
        count, found = runs.of_workflow(workflow_id)
        assert count == len(newest_first)
        assert [*found] == [(run.started_at, run.run_id) for run in newest_first]


def test_runs_of_another_world_are_returned_to_be_planned_anew():
    runs, body = empty(), body_of(1, "wf_a", 7, 2)
    runs.add(body)
    other = empty()

    assert other.restore(runs.as_json(), "2") == [body]
    assert len(other) == 0


@given(
    st.lists(st.integers(-3, 23), max_size=12),
    st.lists(st.integers(-3, 23), max_size=8),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 12),
)
def test_a_page_is_a_part_of_the_whole_order(moments, gaps, oldest, newest, offset):
    moments = sorted(moments, reverse=True)
    held = [Held(f"run_{place}", at * 10, dict) for place, at in enumerate(moments)]
    numbers = {*range(oldest, newest + 1)} - {*gaps}
    # The run of number k starts at 10 k: one in memory of that time precedes it.
    whole = sorted(
        [*held, *numbers],
        key=lambda one: one.started_at if isinstance(one, Held) else 10 * one,
        reverse=True,
    )

    def listing() -> Listing:
        window = Window(oldest, newest)
        return Listing(iter(held), len(held), window, gaps, lambda moment: moment // 10)

    assert listing().count == len(whole)
    assert [*listing().page(offset, 5)] == whole[offset : offset + 5]


def test_a_page_reads_no_more_runs_than_it_shows():
    read = []

    def held():
        for number in range(1_000_000):
            read.append(number)
            yield Held(f"run_{number}", -number, dict)

    listing = Listing(held(), 1_000_000, Window(0, -1), (), lambda _moment: -1)

    assert listing.count == 1_000_000
    assert len([*listing.page(40, 20)]) == 20
    assert len(read) < 65


def test_plans_of_few_runs_are_in_memory_however_many_are_started(clock):
    service = Service(Settings(), load_executions(()), clock)
    service._plans._most = 10
    for _ in range(30):
        service.start_run(service.snapshot(), WORKFLOW, {}, may_overdraw=True)
    snapshot = service.snapshot()
    before = [snapshot.find(WORKFLOW, run_id) for run_id in service.session().started]

    assert [snapshot.find(WORKFLOW, run_id) for run_id in service.session().started] == before
    assert len(before) == 30
    assert len(service._plans) == 10


def test_a_stopped_server_leaves_no_event_to_repeat(tmp_path, clock):
    settings = Settings(state=tmp_path / "state.sqlite")
    service = Service(settings, load_executions(()), clock)
    service.start_run(service.snapshot(), WORKFLOW, {})
    service.close()
    again = Service(settings, load_executions(()), clock)

    assert [*again.events.since(0)] == []
    assert len(again.session().started) == 1
    again.close()
