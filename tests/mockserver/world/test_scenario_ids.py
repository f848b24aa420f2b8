"""The ids that a 404 suggests in a scenario: known without planning the runs."""

from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, build_app
from tests.mockserver.conftest import SettableClock


def test_ids_are_suggested_without_planning_a_run():
    clock = SettableClock()
    service = build_app(Settings(scenario="busy-day"), clock=clock).extensions[EXTENSION]
    clock.advance(36_000)
    snapshot = service.snapshot()

    ids = snapshot.repository.newest_run_ids(snapshot.session, "wf_follow8", snapshot.now_ms)

    assert snapshot.repository.script._plan.cache_info().misses == 0
    assert len(ids) == len(set(ids)) == 200
