"""Following live runs: found ones by polling, and new ones started with Test Workflow."""

from collections.abc import Callable

from deadringer.contracts.check.session import Inspection, KnownRun, KnownWorkflow, body_of
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
    inspection: Inspection, runs: list[KnownRun], watch_s: float, most_polls: int, sleep: Sleep
) -> None:
    """Poll running runs until they end or the watch time is over; every pair of reads is judged."""
    running = [run for run in runs if run.reads and run.status == "running"][:RUNS_WATCHED]
    if running:
        _poll(inspection, running, watch_s, most_polls, sleep)


def _poll(
    inspection: Inspection, runs: list[KnownRun], watch_s: float, most: int, sleep: Sleep
) -> None:
    ends_at_s = inspection.client.time_left_s - watch_s
    pause_s, polls = FIRST_PAUSE_S, 0
    watched = list(runs)
    while watched and polls < most and inspection.client.time_left_s > ends_at_s:
        sleep(pause_s)
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
        for run in list(watched):
            polls += 1
            read_run(inspection, run)
            if run.status in TERMINAL or not run.reads:
                watched.remove(run)


def test_run(inspection: Inspection, sleep: Sleep) -> None:
    """Start a run with Test Workflow, one action mocked, and follow it to its end."""
    known = _testable(inspection)
    if known is None or not inspection.offers("testWorkflow"):
        return
    body = _test_body(known)
    exchange = inspection.ask("testWorkflow", {"id": known.workflow_id}, body=body, optional=True)
    data = inspection.good_data(exchange)
    run_id = members(data).get("test_run_id")
    if not isinstance(run_id, str) or not run_id:
        return
    run = KnownRun(known.workflow_id, run_id)
    inspection.runs[known.workflow_id, run_id] = run
    patience_s = max(inspection.options.watch_s, LONGEST_TEST_RUN_S)
    _read_when_there(inspection, run, sleep)
    if run.reads and run.status not in TERMINAL:
        _poll(inspection, [run], patience_s, POLLS_AT_MOST, sleep)
    _judge_test_run(inspection, exchange, body, run)
    look_up_in_list(inspection, run)
    _probe_test_refusals(inspection, known)


def _testable(inspection: Inspection) -> KnownWorkflow | None:
    """Prefer a workflow that is published, enabled and has actions."""

    def rank(known: KnownWorkflow) -> tuple[bool, bool, bool]:
        described = members(known.described)
        return (
            not mockable_actions(described),
            described.get("status") != "PUBLISHED",
            described.get("enabled") is not True,
        )

    return min(inspection.workflows.values(), key=rank, default=None)


def mockable_actions(workflow: JsonObject) -> list[str]:
    """Give the ids of a workflow's actions that are not built in."""
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


def _read_when_there(inspection: Inspection, run: KnownRun, sleep: Sleep) -> None:
    waited_s = 0.0
    read_run(inspection, run)
    while not run.reads and waited_s < GRACE_S:
        sleep(FIRST_PAUSE_S)
        waited_s += FIRST_PAUSE_S
        read_run(inspection, run)


def _judge_test_run(inspection: Inspection, started: Exchange, body: Json, run: KnownRun) -> None:
    if len(run.not_found) and run.reads:
        inspection.notes.append(f"{run.run_id} was a 404 {len(run.not_found)} times at first")
    inspection.ledger.judge(
        Scope.TEST_RUN,
        body,
        members(body_of(started)).get("data"),
        run.execution,
        context=inspection.context(),
        exchange=run.reads[-1] if run.reads else started,
        document=run.execution,
    )


def _probe_test_refusals(inspection: Inspection, known: KnownWorkflow) -> None:
    ids = {"id": known.workflow_id}
    wrong = {"x-api-key": "trig_no_such_key_00000000"}
    inspection.ask("testWorkflow", ids, body={}, headers={})
    inspection.ask("testWorkflow", ids, body={}, headers=wrong, intent=Intent.BAD_KEY)
    broken = {"test_config": {"mode": "no_such_mode"}}
    inspection.ask("testWorkflow", ids, body=broken, intent=Intent.BAD_BODY)
