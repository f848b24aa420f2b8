"""The coverage of a whole pytest session: over resets, over mocks, over workers of xdist."""

from pathlib import Path
from typing import Any

import pytest

from deadringer.contracts import json_bytes, load_specification
from deadringer.contracts.check import ReportError, require_writable, write_atomically
from deadringer.contracts.coverage import (
    Address,
    CoverageFormatError,
    CoverageReport,
    CoverageTally,
    Threshold,
    ThresholdError,
    parse_threshold,
    render_coverage,
)
from deadringer.mockserver.config import DEMO_KEY

from .client import ControlError, ExecutionApi

NAME = "deadringer coverage"
"""The name under which the plugin is registered."""
_OUTPUT = "deadringer_coverage"
"""The key in the output of a worker."""


class SessionCoverage:
    """A pytest plugin that adds up what the mocks of a session counted, and reports it at the end.

    A worker of xdist sends its counts to the controller, which alone reports.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tally = CoverageTally()
        self._problems: list[str] = []
        try:
            limits = config.getoption("deadringer_coverage_fail_under")
            self._limits: tuple[Threshold, ...] = tuple(map(parse_threshold, limits))
            path = config.getoption("deadringer_coverage_report")
            self._path = Path(path) if path else None
            if self._path is not None:
                require_writable(self._path)
        except (ThresholdError, ReportError) as problem:
            raise pytest.UsageError(f"deadringer coverage: {problem}") from problem

    def add(self, mock: ExecutionApi) -> None:
        """Add the counts of a mock since its start; called before it is stopped."""
        try:
            self._tally.merge(CoverageTally.from_json(mock.coverage(total=True)))
        except (ControlError, CoverageFormatError) as problem:
            self._problems.append(f"The coverage of a mock could not be read: {problem}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the counts of a worker that has ended."""
        output = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if output is None:
            self._problems.append("A worker ended without sending its coverage")
            return
        self._tally.merge(CoverageTally.from_json(output["coverage"]))
        self._problems += output["problems"]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the counts to the controller; there, write the report and compare the limits."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = {"coverage": self._tally.to_json(), "problems": self._problems}
            return
        if self._path is not None:
            self._write(self._path)
        if session.exitstatus == pytest.ExitCode.OK and self._failures():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, path: Path) -> None:
        text = json_bytes(self._report().to_json(), compact=False).decode() + "\n"
        try:
            write_atomically(path, text)
        except ReportError as problem:
            self._problems.append(str(problem))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the report; with -v it has the lines that produce what is missing."""
        terminalreporter.section(NAME)
        has_lines = self._config.get_verbosity() > 0
        terminalreporter.write(render_coverage(self._report(), has_lines=has_lines))
        if not has_lines:
            terminalreporter.write_line("The requests that produce them are listed with -v.")
        for line in (*self._problems, *self._failures()):
            terminalreporter.write_line(f"ERROR: {line}", red=True)

    def _failures(self) -> list[str]:
        return self._report().failures(self._limits)

    def _report(self) -> CoverageReport:
        address = Address(load_specification()["servers"][0]["url"], DEMO_KEY)
        return CoverageReport(self._tally, address)
