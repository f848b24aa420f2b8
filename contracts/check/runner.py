"""Run a check, from the first request to the report."""

import itertools
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.redaction import SHORTEST_KEY, SecretRedactor
from deadringer.contracts.rules import Scope, select
from deadringer.contracts.specification import operations
from deadringer.contracts.timestamps import format_timestamp

from .baseline import is_failed
from .http.client import BudgetSpentError, Client
from .interruption import Interruption, signal_name
from .options import CheckOptions, SampleSizes, sample_sizes_for
from .phases.connection import connect, wait_for_server
from .phases.credits import probe_costs
from .phases.discovery import discover
from .phases.fuzzing import fuzz
from .phases.live_runs import test_run, watch_runs
from .phases.negative import probe_refusals
from .phases.reads import (
    compare_with_lists,
    look_up_in_list,
    pick_runs,
    read_more,
    read_run,
    read_runs,
    read_variables,
)
from .recorder import ResultRecorder
from .report import Conclusion, Phase, Report
from .session import CheckSession, KnownRun

Progress = Callable[[str], None]
WAITING = "waiting"
"""The start of a progress line while the check waits and sends nothing."""


def run_check(
    options: CheckOptions,
    *,
    progress: Progress = lambda _phase: None,
    sleep: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = time.monotonic,
    interruption: Interruption | None = None,
) -> Report:
    """Validate the server at `options.base_url` with every selected rule.

    Sends no writes unless `options.writes_allowed`. No behaviour of the server raises an exception.

    With `interruption`, a signal ends the check; the report states that, with the findings so far.

    Raises:
        OptionError: if a rule or group named in `only` or `skip` does not exist.
    """
    return _Check(options, progress, sleep, now_s, interruption).run()


class _Check:
    def __init__(
        self,
        options: CheckOptions,
        progress: Progress,
        sleep: Callable[[float], None],
        now_s: Callable[[], float],
        interruption: Interruption | None,
    ) -> None:
        self._options = options
        self._progress = progress
        self._sleep = sleep
        self._now_s = now_s
        self._interruption = interruption
        self._is_partial = bool(options.quick or options.workflow_ids or options.run_ids)
        self._notes: list[str] = []
        self._phases: list[tuple[str, float]] = []
        self._has_no_contact = False
        self._interrupted_by = 0
        self._last_by_key: dict[str, Exchange] = {}
        self._client = Client(
            options,
            observe=self._observe,
            log=self._add_note,
            now_s=now_s,
            sleep=self._wait,
            before=interruption.require_none if interruption else lambda: None,
        )
        self._redactor = SecretRedactor(
            [options.api_key], shortest=SHORTEST_KEY, others=options.access.secrets()
        )
        self._recorder = ResultRecorder(
            select(only=options.only, skip=options.skip),
            options.base_url,
            self._add_note,
            self._redactor,
            options.seed,
            options.access,
        )
        self._session = CheckSession(
            options=options,
            client=self._client,
            recorder=self._recorder,
            operations={one.operation_id: one for one in operations()},
            notes=self._notes,
        )

    def run(self) -> Report:
        started_at, began_at_s = format_timestamp(datetime.now(UTC)), self._now_s()
        stopped = ""
        try:
            unchecked = self._explore()
            if self._interruption:
                self._interruption.require_none()
        except KeyboardInterrupt:
            if self._interruption is None:
                raise
            unchecked = stopped = self._interrupted()
        except BudgetSpentError as error:
            unchecked, stopped = "", str(error)
            self._add_note(f"stopped early: {error}; increase --max-requests to continue")
        finally:
            self._client.close()
        if stopped:
            self._is_partial = True
            self._recorder.explain(
                (rule.name for rule in self._recorder.rules), f"the check stopped early: {stopped}"
            )
        return self._report(unchecked, started_at, began_at_s, self._now_s())

    def _interrupted(self) -> str:
        number = self._interruption.signal if self._interruption else 0
        self._interrupted_by = number or signal.SIGINT
        name = signal_name(self._interrupted_by)
        return f"incomplete: interrupted by {name}; what was found so far is reported"

    def _begin(self, phase: str) -> None:
        """Show that a phase begins, and note when."""
        self._phases.append((phase, self._now_s()))
        self._progress(phase)

    def _timed_phases(self, ended_at_s: float) -> tuple[Phase, ...]:
        ends = [*(began_at_s for _, began_at_s in self._phases[1:]), ended_at_s]
        return tuple(
            Phase(name, end - began_at_s)
            for (name, began_at_s), end in zip(self._phases, ends, strict=True)
        )

    def _explore(self) -> str:
        """Run the phases; return the reason if nothing could be checked."""
        session = self._session
        if self._options.wait_s:
            self._progress(f"{WAITING} up to {self._options.wait_s:g} s for the server")
            wait_for_server(session, self._sleep, self._now_s)
        self._begin("discovering workflows and runs")
        contact = connect(session)
        if contact.problem:
            self._has_no_contact = True
            return contact.problem
        sizes = sample_sizes_for(quick=self._options.quick, limit=self._client.rate_limiter.limit)
        discover(session, sizes)
        runs = pick_runs(session, sizes.runs)
        self._begin(f"reading {len(runs)} runs")
        read_runs(session, runs)
        compare_with_lists(session, runs, sizes.list_pages)
        for run in runs:
            if run.run_id in self._options.run_ids:
                look_up_in_list(session, run)
        readable = [run for run in runs if run.reads]
        if readable:
            self._examine(readable, sizes)
        elif not self._options.writes_allowed:
            return self._nothing_to_read(runs, contact.hint)
        return ""

    def _examine(self, runs: list[KnownRun], sizes: SampleSizes) -> None:
        session, first = self._session, runs[0]
        self._begin("polling running runs")
        watch_s = min(self._options.watch_s, sizes.watch_s)
        watch_runs(session, runs, watch_s, sizes.polls, self._sleep)
        self._begin("reading what belongs to the runs")
        read_variables(session, _finished_first(runs)[: sizes.variables])
        probe_costs(session, first, self._sleep)
        self._begin("sending requests that must be refused")
        probe_refusals(session, runs, sizes)
        if self._options.writes_allowed:
            self._begin("starting a test run")
            test_run(session, self._sleep)
        self._begin("reading runs again")
        for run in _finished_first(runs)[: sizes.again]:
            read_run(session, run)
        read_more(session, sizes.more_runs)
        self._begin("generating requests")
        cases = self._options.generated_cases
        fuzz(session, sizes.generated if cases is None else cases)

    def _nothing_to_read(self, runs: list[KnownRun], hint: str) -> str:
        options = self._options
        if runs:
            if self._recorder.failed:
                return ""
            named = [run for run in runs if run.run_id in options.run_ids]
            reason = "no run could be read. Specify one with --workflow and --run."
            if named:
                place = f"{named[0].run_id} of workflow {named[0].workflow_id}"
                reason = f"run {place} cannot be read. Specify another with --workflow and --run."
        elif options.workflow_ids:
            reason = f"workflow {options.workflow_ids[0]} lists no runs. Specify one with --run."
        else:
            reason = "no workflow with runs was found. Specify one with --workflow ID --run ID."
        return reason + hint

    def _observe(self, exchange: Exchange) -> None:
        """Validate the RateLimit headers of consecutive responses for one key."""
        key = exchange.request_headers.get("x-api-key", "")
        last = self._last_by_key.get(key)
        if last is not None and exchange.failure is None:
            self._recorder.apply(
                Scope.EXCHANGES,
                last,
                exchange,
                context=self._session.context(),
                exchange=exchange,
            )
        if exchange.failure is None:
            self._last_by_key[key] = exchange

    def _wait(self, seconds: float) -> None:
        self._progress(f"{WAITING} {seconds:.0f} s for the server's rate limit")
        self._sleep(seconds)
        if self._phases:
            self._progress(self._phases[-1][0])

    def _add_note(self, line: str) -> None:
        if line not in self._notes:
            self._notes.append(line)

    def _report(
        self, unchecked: str, started_at: str, began_at_s: float, ended_at_s: float
    ) -> Report:
        report = Report(
            base_url=self._options.base_url,
            started_at=started_at,
            elapsed_s=ended_at_s - began_at_s,
            requests=self._client.requests,
            seed=self._options.seed,
            conclusion=Conclusion.PASSED,
            results=self._recorder.results(),
            notes=tuple(self._notes),
            phases=self._timed_phases(ended_at_s),
            fail_on=self._options.fail_on,
            interrupted_by=self._interrupted_by,
            is_partial=self._is_partial or bool(unchecked),
        )
        if self._interrupted_by:
            return replace(report, conclusion=Conclusion.INCONCLUSIVE, reason=unchecked)
        if not self._has_no_contact and is_failed(report, self._options.fail_on):
            return replace(report, conclusion=Conclusion.FAILED)
        if unchecked:
            return replace(
                report, conclusion=Conclusion.INCONCLUSIVE, reason=self._redactor(unchecked)
            )
        return report


def _finished_first(runs: list[KnownRun]) -> list[KnownRun]:
    """Return the runs ordered: finished ones first, one of each status in turn."""
    by_status: dict[str, list[KnownRun]] = {"failed": [], "completed": []}
    for run in runs:
        by_status.setdefault(run.status, []).append(run)
    turns = itertools.zip_longest(by_status.pop("completed"), by_status.pop("failed"))
    finished = [run for pair in turns for run in pair if run is not None]
    return finished + [run for rest in by_status.values() for run in rest]
