"""Following live runs in list and detail: found ones, and ones started with Test Workflow."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deadringer.contracts.check.options import SampleSizes
from deadringer.contracts.check.session import CheckSession, KnownRun, KnownWorkflow, execution_of
from deadringer.contracts.envelopes import elements, members
from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.rules import Scope
from deadringer.contracts.timestamps import parse_timestamp
from deadringer.contracts.traffic import body_of

from .discovery import LARGEST_PAGE, read_page
from .inventions import invented
from .reads import TERMINAL, look_up_in_list, read_run

ROUNDS_AT_ONCE = 12
"""So many rounds have no pause: mocked runs are over within a fraction of a second."""
SHORTEST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
RUNS_WATCHED = 5
LONGEST_TEST_RUN_S = 45.0
GRACE_S = 5.0
AFTER_THE_END_S = 4.0
"""How long a run is polled after its end; longer than list and detail may disagree."""
YOUNG_S = 300.0
"""A run that started longer ago is not expected to move at once."""
LATE_S = 5.5
"""How long after the end a run is read once more at the earliest."""

Sleep = Callable[[float], None]


@dataclass(slots=True)
class LiveRuns:
    """The runs that were followed, and when each was first seen to have ended (monotonic s)."""

    session: CheckSession
    sleep: Sleep
    runs: list[KnownRun] = field(default_factory=list)
    limit: int = RUNS_WATCHED
    ended_at_s: dict[str, float] = field(default_factory=dict)

    def follow(self, runs: list[KnownRun], longest_s: float, rounds: int) -> None:
        """Poll runs in list and detail until well after their end, or until time is over."""
        runs = list(runs)
        self.runs += [run for run in runs if run not in self.runs]
        stops_at_s = self.session.client.time_left_s - longest_s
        pause_s = SHORTEST_PAUSE_S
        at_once = ROUNDS_AT_ONCE if rounds > 2 * ROUNDS_AT_ONCE else 0
        for turn in range(rounds):
            if not self._unsettled(runs) or self.session.client.time_left_s <= stops_at_s:
                return
            unsettled = self._unsettled(runs)
            lively = [run for run in unsettled if _is_young(run) and run.status not in TERMINAL]
            # What moves is read densely, what has ended or stands still in every fourth round.
            self._read_once(unsettled if turn % 4 == 0 or not lively else lively)
            # Runs that have begun meanwhile are seen from their first steps on.
            room = self.limit - len(self._unsettled(runs))
            joining = [run for run in _running(self.session) if run not in runs]
            runs += joining[: max(0, room)]
            self.runs += [run for run in joining[: max(0, room)] if run not in self.runs]
            if turn >= at_once:
                self.sleep(pause_s)
                pause_s = min(pause_s * 1.25, LONGEST_PAUSE_S)

    def glance(self) -> None:
        """Read every run once that is known to be running, unless only one is to be followed."""
        if self.limit < 2:
            return
        running = _running(self.session)[: self.limit]
        self.runs += [run for run in running if run not in self.runs]
        self._read_once([run for run in self.runs if not self._is_settled(run)])

    def _unsettled(self, runs: list[KnownRun]) -> list[KnownRun]:
        return [run for run in runs if not self._is_settled(run)]

    def _is_settled(self, run: KnownRun) -> bool:
        ended_at_s = self.ended_at_s.get(run.run_id)
        if ended_at_s is None or not run.timeline:
            return False
        return float(run.timeline[-1]["sent_s"]) - ended_at_s >= AFTER_THE_END_S

    def _read_once(self, runs: list[KnownRun]) -> None:
        """Read each run's list, then its detail, and compare the two."""
        for workflow_id in dict.fromkeys(run.workflow_id for run in runs):
            known = self.session.workflows.get(workflow_id)
            if known is not None and self.session.offers("listExecutions"):
                self._read_list(known, [run for run in runs if run.workflow_id == workflow_id])
        for run in runs:
            row, exchange = run.row, read_run(self.session, run)
            execution = execution_of(exchange)
            if row is not None and execution is not None:
                self._compare(run, row, execution, exchange)
            if run.status in TERMINAL:
                self.ended_at_s.setdefault(run.run_id, exchange.sent_at_s)

    def _read_list(self, known: KnownWorkflow, runs: list[KnownRun]) -> None:
        """Read the page that shows the runs; the first if it is not known."""
        wanted = {run.run_id for run in runs}
        page = next(
            (one for one in reversed(known.pages) if wanted & _run_ids(one)),
            None,
        )
        query = {"page": "1", "page_size": str(LARGEST_PAGE)} if page is None else page.query
        read_page(self.session, known, query)
        if len(known.pages) > 1 and known.pages[-1].query == query and page is not None:
            known.pages.remove(page)  # Each page is stored once, as last read.

    def _compare(
        self, run: KnownRun, row: JsonObject, execution: JsonObject, exchange: Exchange
    ) -> None:
        # Where the status differs one of the two is late, which the rules on timelines report.
        if row.get("status") == execution.get("status"):
            self.session.recorder.apply(
                Scope.LISTED_RUN,
                row,
                execution,
                context=self.session.context(execution),
                exchange=exchange,
                document={"row": row, "execution": execution},
            )

    def read_again(self) -> None:
        """Read every followed run once more, those that have ended late enough after the end."""
        readable = [run for run in self.runs if run.reads]
        if not readable:
            return
        ends = [end for run in readable if (end := self.ended_at_s.get(run.run_id)) is not None]
        if ends:
            last = max(float(run.timeline[-1]["received_s"]) for run in readable)
            self.sleep(max(0.0, min(LATE_S, max(ends) + LATE_S - last)))
        self._read_once(readable)


def _run_ids(page: Exchange) -> set[str]:
    data = members(members(body_of(page)).get("data"))
    rows = elements(data.get("executions", data.get("items")))
    return {str(members(row).get("run_id")) for row in rows}


def watch_runs(session: CheckSession, live: LiveRuns, watch_s: float, rounds: int) -> None:
    """Follow runs that were found running."""
    running = [*live.runs, *(run for run in _running(session) if run not in live.runs)]
    if running and rounds:
        live.follow(running[: live.limit], watch_s, rounds)


def _running(session: CheckSession) -> list[KnownRun]:
    """Return the runs last seen running, the newest first: an old one may stand still."""
    running = [run for run in session.runs.values() if run.status == "running"]
    return sorted(running, key=_start_of, reverse=True)


def _is_young(run: KnownRun) -> bool:
    return not run.reads or time.time() - _start_of(run) < YOUNG_S


def _start_of(run: KnownRun) -> float:
    started = parse_timestamp(members(run.execution or run.row).get("started_at"))
    return started.timestamp() if started is not None else 0.0


def test_runs(session: CheckSession, live: LiveRuns, sizes: SampleSizes) -> None:
    """Start runs with Test Workflow, every action mocked, and follow them to their end together."""
    chosen = _testable(session)
    if not chosen or not session.offers("testWorkflow"):
        return
    # Two of one workflow, and one of another: runs must not be confused.
    turns = [chosen[0], chosen[0], *chosen[1:2]][: sizes.runs_started]
    for known in dict.fromkeys(one.workflow_id for one in turns):
        if session.offers("listExecutions"):
            read_page(session, session.workflows[known], {"page_size": str(LARGEST_PAGE)})
    started = [one for known in turns if (one := _start(session, known)) is not None]
    for _, _, run in started:
        _read_when_there(session, run, live.sleep)
    runs = [run for _, _, run in started if run.reads]
    watch_s = max(session.options.watch_s, LONGEST_TEST_RUN_S)
    live.follow(runs, watch_s, sizes.polls * 4)
    for exchange, body, run in started:
        _check_test_run(session, exchange, body, run)
    looked_up = {run.workflow_id: run for _, _, run in reversed(started)}
    for run in looked_up.values():
        look_up_in_list(session, run)
    _probe_test_refusals(session, chosen[0])


def _start(session: CheckSession, known: KnownWorkflow) -> tuple[Exchange, Json, KnownRun] | None:
    body = _test_body(known)
    exchange = session.request("testWorkflow", {"id": known.workflow_id}, body=body, optional=True)
    run_id = members(session.good_data(exchange)).get("test_run_id")
    if not isinstance(run_id, str) or not run_id:
        return None
    run = session.runs.setdefault((known.workflow_id, run_id), KnownRun(known.workflow_id, run_id))
    return exchange, body, run


def _testable(session: CheckSession) -> list[KnownWorkflow]:
    """Return workflows, those first that are published, enabled and have actions."""

    def rank(known: KnownWorkflow) -> tuple[bool, bool, bool, float]:
        described = members(known.described)
        actions = mockable_actions(described)
        return (
            not actions,
            described.get("status") != "PUBLISHED",
            described.get("enabled") is not True,
            # Two or three actions show the most in the least time.
            abs(len(actions) - 2) if actions else math.inf,
        )

    return sorted(session.workflows.values(), key=rank)


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
        sleep(0.25)
        waited_s += 0.25
        read_run(session, run)


def _check_test_run(session: CheckSession, started: Exchange, body: Json, run: KnownRun) -> None:
    if len(run.not_found) and run.reads:
        session.notes.append(f"{run.run_id} was a 404 {len(run.not_found)} times at first")
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
    wrong = {"x-api-key": invented(session, "trig_", turn=3)}
    session.request("testWorkflow", ids, body={}, headers={})
    session.request("testWorkflow", ids, body={}, headers=wrong, intent=Intent.BAD_KEY)
    broken = {"test_config": {"mode": "no_such_mode"}}
    session.request("testWorkflow", ids, body=broken, intent=Intent.BAD_BODY)
