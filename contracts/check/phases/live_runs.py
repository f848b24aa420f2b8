"""Follow live runs: existing ones by polling, and new ones started with Test Workflow."""

from collections.abc import Callable

from deadringer.contracts.check.session import CheckSession, KnownRun, KnownWorkflow, body_of
from deadringer.contracts.envelopes import elements, members
from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.rules import Scope

from .reads import TERMINAL, look_up_in_list, read_run

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 2.0
POLLS_AT_MOST = 25
RUNS_WATCHED = 2
LONGEST_TEST_RUN_S = 30.0
GRACE_S = 5.0

Sleep = Callable[[float], None]


def watch_runs(
    session: CheckSession, runs: list[KnownRun], watch_s: float, poll_limit: int, sleep: Sleep
) -> None:
    """Poll running runs until they end or the time is up; validate every pair of reads."""
    running = [run for run in runs if run.reads and run.status == "running"][:RUNS_WATCHED]
    if running:
        _poll(session, running, watch_s, poll_limit, sleep)


def _poll(
    session: CheckSession, runs: list[KnownRun], watch_s: float, limit: int, sleep: Sleep
) -> None:
    ends_at_s = session.client.time_left_s - watch_s
    pause_s, polls = FIRST_PAUSE_S, 0
    watched = list(runs)
    while watched and polls < limit and session.client.time_left_s > ends_at_s:
        sleep(pause_s)
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
        for run in list(watched):
            polls += 1
            read_run(session, run)
            if run.status in TERMINAL or not run.reads:
                watched.remove(run)


def test_run(session: CheckSession, sleep: Sleep) -> None:
    """Start a run with Test Workflow, one action mocked, and follow it to its end."""
    known = _testable(session)
    if known is None or not session.offers("testWorkflow"):
        return
    body = _test_body(known)
    exchange = session.request("testWorkflow", {"id": known.workflow_id}, body=body, optional=True)
    data = session.good_data(exchange)
    run_id = members(data).get("test_run_id")
    if not isinstance(run_id, str) or not run_id:
        return
    run = KnownRun(known.workflow_id, run_id)
    session.runs[known.workflow_id, run_id] = run
    watch_s = max(session.options.watch_s, LONGEST_TEST_RUN_S)
    _read_when_there(session, run, sleep)
    if run.reads and run.status not in TERMINAL:
        _poll(session, [run], watch_s, POLLS_AT_MOST, sleep)
    _check_test_run(session, exchange, body, run)
    look_up_in_list(session, run)
    _probe_test_refusals(session, known)


def _testable(session: CheckSession) -> KnownWorkflow | None:
    """Return the workflow to test, preferably a published, enabled one with actions."""

    def rank(known: KnownWorkflow) -> tuple[bool, bool, bool]:
        described = members(known.described)
        return (
            not mockable_actions(described),
            described.get("status") != "PUBLISHED",
            described.get("enabled") is not True,
        )

    return min(session.workflows.values(), key=rank, default=None)


def mockable_actions(workflow: JsonObject) -> list[str]:
    """Return the ids of a workflow's actions that are not built in."""
    definition = members(workflow.get("workflow"))
    actions = [members(action) for action in elements(definition.get("actions"))]
    return [
        action["id"]
        for action in actions
        if isinstance(action.get("id"), str)
        and not str(action.get("kind", "")).startswith("builtin:")
    ]


def _test_body(known: KnownWorkflow) -> JsonObject:
    actions = mockable_actions(members(known.described))
    mocked = {"enabled": True, "output": {"result": {"ok": True, "note": "deadringer"}}}
    config: JsonObject = {"mode": "real_with_override"}
    if actions:
        config["action_mocks"] = dict.fromkeys(actions, mocked)
    return {"overrides": {"text": "A post for testing", "likes": 3}, "test_config": config}


def _read_when_there(session: CheckSession, run: KnownRun, sleep: Sleep) -> None:
    waited_s = 0.0
    read_run(session, run)
    while not run.reads and waited_s < GRACE_S:
        sleep(FIRST_PAUSE_S)
        waited_s += FIRST_PAUSE_S
        read_run(session, run)


def _check_test_run(session: CheckSession, started: Exchange, body: Json, run: KnownRun) -> None:
    if len(run.not_found) and run.reads:
        session.notes.append(f"{run.run_id} got 404 {len(run.not_found)} times at first")
    session.recorder.apply(
        Scope.TEST_RUN,
        body,
        members(body_of(started)).get("data"),
        run.execution,
        context=session.context(),
        exchange=run.reads[-1] if run.reads else started,
        document=run.execution,
    )


def _probe_test_refusals(session: CheckSession, known: KnownWorkflow) -> None:
    ids = {"id": known.workflow_id}
    wrong = {"x-api-key": "trig_no_such_key_00000000"}
    session.request("testWorkflow", ids, body={}, headers={})
    session.request("testWorkflow", ids, body={}, headers=wrong, intent=Intent.BAD_KEY)
    invalid_body = {"test_config": {"mode": "no_such_mode"}}
    session.request("testWorkflow", ids, body=invalid_body, intent=Intent.BAD_BODY)
