"""One check for the whole session; its warnings are told at the end."""

import pytest

from deadringer.contracts.check import (
    CheckOptions,
    OptionError,
    Promise,
    Report,
    Verdict,
    run_check,
)
from deadringer.contracts.rules import select
from deadringer.contracts.violations import Severity

WARNED = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the place where warned promises are kept until the summary."""
    config.stash[WARNED] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item of each promise."""
    if "rule_name" in metafunc.fixturenames:
        metafunc.parametrize("rule_name", [rule.name for rule in select()])


@pytest.fixture(scope="session")
def options(request: pytest.FixtureRequest) -> CheckOptions:
    """The options of the check, from the command line."""
    given = request.config.getoption
    if not given("--deadringer-url"):
        pytest.fail("deadringer.contracts.suite needs --deadringer-url URL.", pytrace=False)
    try:
        return CheckOptions(
            base_url=given("--deadringer-url"),
            api_key=given("--deadringer-key"),
            workflow_ids=tuple(given("--deadringer-workflow")),
            run_ids=tuple(given("--deadringer-run")),
            seed=given("--deadringer-seed"),
            max_requests=given("--deadringer-max-requests"),
            watch_s=given("--deadringer-watch"),
            timeout_s=given("--deadringer-timeout"),
            quick=given("--deadringer-quick"),
            writes_allowed=given("--deadringer-allow-writes"),
            fail_on=Severity(given("--deadringer-fail-on")),
        )
    except OptionError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def report(options: CheckOptions) -> Report:
    """The report of the one check all items speak of."""
    done = run_check(options)
    if done.verdict is Verdict.UNCHECKED:
        pytest.fail(f"could not check: {done.could_not_check}", pytrace=False)
    return done


@pytest.fixture
def promise(report: Report, rule_name: str) -> Promise:
    """What became of the promise this item is about."""
    return next(one for one in report.promises if one.rule == rule_name)


@pytest.fixture
def tell_later(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where a passing item leaves what its reader should know: told in the summary."""
    return request.config.stash[WARNED]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tell of promises that passed with a warning."""
    warned = config.stash.get(WARNED, {})
    if warned:
        terminalreporter.section("promises kept with a warning", yellow=True)
        for text in warned.values():
            terminalreporter.write_line(text + "\n")
