"""The pytest plugin: a running mock, executions and the contract as fixtures, nothing to import.

Every pytest run of the environment imports this module, so whatever costs time, and `contracts` and
`fixtures`, which may be another project's there, are imported by the fixture that needs them.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures import ExecutionFactory

    from .attending import Attended
    from .execution_api import ExecutionApi

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
    from .attending import attended_mock
    from .start_errors import StartError

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
    from .execution_api import ControlError

    try:
        execution_server.reset()
    except ControlError as problem:
        pytest.fail(f"{problem} {_attended_mock.fate}", pytrace=False)
    return execution_server


@pytest.fixture
def execution_factory(request: pytest.FixtureRequest) -> "ExecutionFactory":
    """Executions that keep the contract: the same for a test whenever and wherever it runs."""
    _require_ours()
    from fixtures import ExecutionFactory

    file, _, name = request.node.location  # not the node id, to which plugins add
    return ExecutionFactory(f"{Path(file).as_posix()}::{name}")


@pytest.fixture(scope="session")
def assert_keeps_contract() -> Callable[..., None]:
    """The function that asserts that a response, or parsed JSON, keeps the contract."""
    _require_ours()
    from contracts.assertions import assert_keeps_contract

    return assert_keeps_contract


def _require_ours() -> None:
    from .namesakes import NamesakeError, require_ours

    try:
        require_ours("contracts", "fixtures")
    except NamesakeError as problem:
        pytest.fail(str(problem), pytrace=False)
