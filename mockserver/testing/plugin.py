"""The pytest plugin `deadringer`: fixtures for tests, and the options of suite and coverage.

A conftest of a package named with `--pyargs` is read too late to add options, so a plugin adds
them. Every pytest run in the environment imports this module, so it imports little.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deadringer.fixtures import ExecutionFactory

    from .client import ExecutionApi
    from .process import RunningMock


FROZEN_AT = "2026-03-27T10:30:00.000Z"
"""The time at the start of each test, so that every test sees the same world on every day."""


@pytest.fixture(scope="session")
def execution_server_options() -> Sequence[str]:
    """Options of `deadringer serve` for the mock of the tests; override it in a conftest."""
    return ()


@pytest.fixture(scope="session")
def _running_mock(
    execution_server_options: Sequence[str],
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> "Iterator[RunningMock]":
    from deadringer.mockserver.exceptions import StartError

    from .process import run_mock

    log = tmp_path_factory.mktemp("execution_server") / "log.txt"
    options = ("--freeze", FROZEN_AT, *execution_server_options)
    try:
        with run_mock(options, log) as mock:
            yield mock
            coverage = pytestconfig.pluginmanager.get_plugin("deadringer coverage")
            if coverage is not None:
                coverage.add(mock.api)
    except StartError as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture(scope="session")
def execution_server(_running_mock: "RunningMock") -> "ExecutionApi":
    """A mock that runs for the whole session and is never reset, for session-wide fixtures."""
    return _running_mock.api


@pytest.fixture
def execution_api(execution_server: "ExecutionApi", _running_mock: "RunningMock") -> "ExecutionApi":
    """The mock, reset before each test: `base_url`, `api_key`, `headers`, and control methods."""
    from .client import ControlError

    try:
        execution_server.reset()
    except ControlError as problem:
        pytest.fail(f"{problem} {_running_mock.exit_report}", pytrace=False)
    return execution_server


@pytest.fixture
def execution_factory(request: pytest.FixtureRequest) -> "ExecutionFactory":
    """Generated executions that follow the contract, the same for a test on every run."""
    from deadringer.fixtures import ExecutionFactory

    file, _, name = request.node.location  # not the node id, which plugins change
    return ExecutionFactory(f"{Path(file).as_posix()}::{name}")


@pytest.fixture(scope="session")
def assert_keeps_contract() -> Callable[..., None]:
    """The function that asserts that a response, or parsed JSON, follows the contract."""
    from deadringer.contracts.testing import assert_keeps_contract

    return assert_keeps_contract


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `deadringer.contracts.suite` and of coverage."""
    group = parser.getgroup(
        "deadringer", "the contract of Execution Detail (deadringer.contracts.suite)"
    )
    add = group.addoption
    add("--deadringer-url", metavar="URL", help="origin of the server to check")
    add(
        "--deadringer-key",
        metavar="KEY",
        default=os.environ.get("DEADRINGER_API_KEY", ""),
        help="API key; otherwise DEADRINGER_API_KEY",
    )
    add("--deadringer-workflow", metavar="ID", action="append", default=[], help="repeatable")
    add("--deadringer-run", metavar="ID", action="append", default=[], help="repeatable")
    add("--deadringer-seed", metavar="N", type=int, default=0)
    add("--deadringer-max-requests", metavar="N", type=int, default=500)
    add("--deadringer-watch", metavar="SECONDS", type=float, default=10)
    add("--deadringer-timeout", metavar="SECONDS", type=float, default=10)
    add("--deadringer-quick", action="store_true", help="run a short check that takes seconds")
    add("--deadringer-allow-writes", action="store_true", help="allow the check to start test runs")
    add(
        "--deadringer-fail-on",
        choices=("error", "warning"),
        default="error",
        help="the lowest severity of a violation that fails its test",
    )
    coverage = parser.getgroup(
        "deadringer coverage", "what the requests to `execution_api` met (deadringer coverage)"
    )
    add = coverage.addoption
    add("--deadringer-coverage", action="store_true", help="print it at the end of the session")
    add(
        "--deadringer-coverage-fail-under",
        metavar="[SECTION=]PERCENT",
        action="append",
        default=[],
        help="fail the session below this share of all items, or of operations, statuses, codes "
        "or situations; repeatable",
    )
    add("--deadringer-coverage-report", metavar="PATH", help="also write it as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Add the report of coverage, if one of its options is set."""
    options = ("coverage", "coverage_fail_under", "coverage_report")
    is_wanted = any(config.getoption(f"deadringer_{name}") for name in options)
    if is_wanted and not config.option.collectonly:
        from .coverage import NAME, SessionCoverage

        config.pluginmanager.register(SessionCoverage(config), NAME)
