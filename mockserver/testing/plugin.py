"""The pytest options of the suite, known to pytest before it looks for tests.

Registered as the pytest plugin `deadringer`: a conftest of a package named with `--pyargs` is
read too late to add options. Every pytest run in the environment imports this module, also where
`contracts` is another project's package: so it lies here and imports nothing of ours.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deadringer.fixtures import ExecutionFactory

    from .client import ExecutionApi
    from .process import Attended


FROZEN_AT = "2026-03-27T10:30:00.000Z"
"""The time at the start of each test: the same world for all of them, on every day."""


@pytest.fixture(scope="session")
def execution_server_options() -> Sequence[str]:
    """Options of `deadringer serve` for the mock of the tests; override it in a conftest."""
    return ()


@pytest.fixture(scope="session")
def _attended_mock(
    execution_server_options: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Attended]":
    from deadringer.mockserver.exceptions import StartError

    from .process import attended_mock

    log = tmp_path_factory.mktemp("execution_server") / "log.txt"
    options = ("--freeze", FROZEN_AT, *execution_server_options)
    try:
        with attended_mock(options, log) as attended:
            yield attended
    except StartError as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture(scope="session")
def execution_server(_attended_mock: "Attended") -> "ExecutionApi":
    """A mock that runs for the whole session, for fixtures that need its address; never reset."""
    return _attended_mock.api


@pytest.fixture
def execution_api(execution_server: "ExecutionApi", _attended_mock: "Attended") -> "ExecutionApi":
    """The mock as it is at the start: `base_url`, `api_key`, `headers`, and what steers it."""
    from .client import ControlError

    try:
        execution_server.reset()
    except ControlError as problem:
        pytest.fail(f"{problem} {_attended_mock.fate}", pytrace=False)
    return execution_server


@pytest.fixture
def execution_factory(request: pytest.FixtureRequest) -> "ExecutionFactory":
    """Executions that keep the contract: the same for a test whenever and wherever it runs."""
    from deadringer.fixtures import ExecutionFactory

    file, _, name = request.node.location  # not the node id, to which plugins add
    return ExecutionFactory(f"{Path(file).as_posix()}::{name}")


@pytest.fixture(scope="session")
def assert_keeps_contract() -> Callable[..., None]:
    """The function that asserts that a response, or parsed JSON, keeps the contract."""
    from deadringer.contracts.testing import assert_keeps_contract

    return assert_keeps_contract


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `deadringer.contracts.suite`."""
    group = parser.getgroup(
        "deadringer", "the contract of Execution Detail (deadringer.contracts.suite)"
    )
    add = group.addoption
    add("--deadringer-url", metavar="URL", help="origin of the server to judge")
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
    add("--deadringer-quick", action="store_true", help="look at little, in seconds")
    add("--deadringer-allow-writes", action="store_true", help="let the check start test runs")
    add(
        "--deadringer-fail-on",
        choices=("error", "warning"),
        default="error",
        help="the severity of a breach that fails its test",
    )
