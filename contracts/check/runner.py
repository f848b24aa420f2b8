"""Run a check, from the first request to the report."""

import itertools
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import Json
from deadringer.contracts.redaction import SHORTEST_KEY, SecretRedactor
from deadringer.contracts.rules import select
from deadringer.contracts.specification import operations
from deadringer.contracts.timestamps import format_timestamp
from deadringer.contracts.traffic import RateSeries
from deadringer.contracts.violations import printable

from .baseline import is_failed
from .http.client import BudgetSpentError, Client
from .interruption import Interruption, signal_name
from .options import CheckOptions, SampleSizes, sample_sizes_for
from .phases.connection import connect, wait_for_server
from .phases.credits import probe_costs, probe_whole_cost, read_balance
from .phases.discovery import discover
from .phases.fuzzing import fuzz
from .phases.inventions import near_keys
from .phases.live_runs import LiveRuns, test_runs, watch_runs
from .phases.negative import probe_refusals
from .phases.reads import (
    check_unreadable,
    compare_runs,
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

LONGEST_CAUSE = 160


def run_check(
    options: CheckOptions,
    *,
    progress: Progress = lambda _phase: None,
    sleep: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = time.monotonic,
    interruption: Interruption | None = None,
) -> Report:
    """Validate the server at `options.base_url` with every selected rule.

    Sends no writes unless `options.writes_allowed`. No behaviour of the server raises an exception:
    a bug of the check ends in an inconclusive report that names it.

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
        self._has_no_contact = True
        self._is_discovered = False
        self._has_crashed = False
        self._interrupted_by = 0
        self._rates: dict[str, RateSeries] = {}
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
            [key for pair in near_keys(options.api_key, options.seed) for key in pair],
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
            unchecked, stopped = self._explore_within_budget()
            if self._interruption:
                self._interruption.require_none()
        except KeyboardInterrupt:
            if self._interruption is None:
                raise
            unchecked = stopped = self._interrupted()
        except Exception as error:
            unchecked = stopped = self._crashed(error)
        finally:
            self._client.close()
        if stopped:
            self._is_partial = True
            self._recorder.explain(
                (rule.name for rule in self._recorder.rules), f"the check stopped early: {stopped}"
            )
        return self._report(unchecked, started_at, began_at_s, self._now_s())

    def _explore_within_budget(self) -> tuple[str, str]:
        """Run the phases; return why nothing could be checked, and why the check stopped early."""
        try:
            return self._explore(), ""
        except BudgetSpentError as error:
            stopped = str(error)
        more = "increase --max-time or --max-requests to continue"
        self._add_note(f"stopped early: {stopped}; {more}")
        if self._has_no_contact:
            self._recorder.withdraw()
        compare_runs(self._session)
        if self._is_discovered and self._recorder.has_tested:
            return "", stopped
        where = (
            "before all runs were listed"
            if self._recorder.has_tested
            else "before any rule was tested"
        )
        return f"the check stopped {where}: {stopped}; {more}.", stopped

    def _crashed(self, error: Exception) -> str:
        """Return what went wrong in the check itself, as the reason of an inconclusive report."""
        self._has_crashed = True
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}, {last.name}"
        what = f"{type(error).__name__} at {place}: {printable(str(error))[:LONGEST_CAUSE]}"
        return f"incomplete: a bug of the check, please report it: {what}"

    def _interrupted(self) -> str:
        number = self._interruption.signal if self._interruption else 0
        self._interrupted_by = number or signal.SIGINT
        name = signal_name(self._interrupted_by)
        return f"incomplete: interrupted by {name}; what was found so far is reported"

    def _begin(self, phase: str, requests: int = 0) -> None:
        """Show that a phase begins, and note when; `requests` is about how many it sends."""
        self._phases.append((phase, self._now_s()))
        self._progress(f"{phase}{self._estimate(requests)}")

    def _estimate(self, requests: int) -> str:
        """Return how long a phase takes at the server's rate, and what is left of the time."""
        if not requests:
            return ""
        limiter, takes = self._client.rate_limiter, ""
        room = limiter.left(self._options.api_key)
        if room is not None and limiter.limit and requests > room:
            minutes = -(-(requests - room) // limiter.limit)
            takes = f"up to {minutes} min at {limiter.limit} requests a minute, "
        return f" ({takes}{self._client.time_left_s:.0f} s left)"

    def _timed_phases(self, ended_at_s: float) -> tuple[Phase, ...]:
        ends = [began_at_s for _, began_at_s in self._phases[1:]]
        ends += [ended_at_s] if self._phases else []
        return tuple(
            Phase(name, end - began_at_s)
            for (name, began_at_s), end in zip(self._phases, ends, strict=True)
        )

    def _explore(self) -> str:
        """Run the phases; return the reason if nothing could be checked."""
        session = self._session
        if self._options.wait_s:
            self._progress(f"{WAITING} up to {self._options.wait_s:g} s for the server")
            if late := wait_for_server(session, self._sleep, self._now_s):
                return late
        self._begin("discovering workflows and runs")
        contact = connect(session)
        if contact.problem:
            return contact.problem
        self._has_no_contact = False
        sizes = sample_sizes_for(quick=self._options.quick, limit=self._client.rate_limiter.limit)
        balance = read_balance(session)
        live = LiveRuns(session, self._sleep, limit=sizes.runs_watched)
        discover(session, sizes, live.glance)
        self._is_discovered = True
        self._begin("polling running runs", 2 * sizes.polls)
        watch_runs(session, live, min(self._options.watch_s, sizes.watch_s), sizes.polls)
        runs = pick_runs(session, sizes.runs)
        self._begin(f"reading {len(runs)} runs", 2 * len(runs))
        read_runs(session, runs)
        if self._options.run_ids:  # Named runs are known to be running now that they were read.
            watch_runs(session, live, min(self._options.watch_s, sizes.watch_s), sizes.polls)
        compare_with_lists(session, runs, sizes.list_pages)
        for run in runs:
            if run.run_id in self._options.run_ids:
                look_up_in_list(session, run)
        readable = [run for run in runs if run.reads]
        if readable:
            self._examine(readable, sizes, balance, live)
        check_unreadable(session)
        compare_runs(session)
        session.settle_passing_failures()
        if not readable and not self._options.writes_allowed:
            return self._nothing_to_read(runs, contact.hint)
        return ""

    def _examine(
        self, runs: list[KnownRun], sizes: SampleSizes, balance: Json, live: LiveRuns
    ) -> None:
        session, first = self._session, runs[0]
        live.glance()
        self._begin("reading what belongs to the runs", 30)
        read_variables(session, _finished_first(runs)[: sizes.variables])
        probe_costs(session, first, self._sleep, times=sizes.reads_between)
        live.glance()
        self._begin("sending requests that must be refused", 3 * sizes.near_ids + sizes.foreign)
        probe_refusals(session, runs, sizes)
        if balance is not None:
            probe_whole_cost(session, first, balance, self._sleep)
        if self._options.writes_allowed:
            self._begin("starting test runs", 12 * sizes.polls)
            test_runs(session, live, sizes)
        live.glance()
        self._begin("reading runs again", sizes.again + sizes.more_runs)
        for run in _finished_first(runs)[: sizes.again]:
            read_run(session, run)
        read_more(session, sizes.more_runs)
        cases = self._options.generated_cases
        cases = sizes.generated if cases is None else cases
        if cases:
            self._begin("generating requests", cases)
            fuzz(session, cases)
        self._begin("reading followed runs for the last time", 2 * len(live.runs))
        live.read_again()

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
        """Validate the RateLimit headers of responses for one key; windows of our own key only."""
        key = exchange.request_headers.get("x-api-key", "")
        if key not in self._rates:
            is_own = key == self._options.api_key
            self._rates[key] = RateSeries(has_windows=is_own, is_alone=True)
        context = self._session.context()
        for scope, subject, _ in self._rates[key].parts(exchange):
            self._recorder.apply(scope, *subject, context=context, exchange=exchange)

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
        if self._interrupted_by or self._has_crashed:
            reason = self._redactor(unchecked)
            return replace(report, conclusion=Conclusion.INCONCLUSIVE, reason=reason)
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
