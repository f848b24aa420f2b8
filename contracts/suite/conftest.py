"""One check for the whole session; its warnings are listed in the summary."""

import pytest

from deadringer.contracts.check import (
    CheckOptions,
    Conclusion,
    OptionError,
    Report,
    RuleResult,
    run_check,
)
from deadringer.contracts.rules import select
from deadringer.contracts.violations import Severity

WARNINGS = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the stash for warnings."""
    config.stash[WARNINGS] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item of each rule."""
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
    """The report of the one check behind all items."""
    done = run_check(options)
    if done.conclusion is Conclusion.INCONCLUSIVE:
        pytest.fail(f"inconclusive: {done.reason}", pytrace=False)
    return done


@pytest.fixture
def result(report: Report, rule_name: str) -> RuleResult:
    """The result of this item's rule."""
    return next(one for one in report.results if one.rule == rule_name)


@pytest.fixture
def warnings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The findings of rules that pass with a warning, for the summary."""
    return request.config.stash[WARNINGS]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """List the findings of rules that passed with a warning."""
    found = config.stash.get(WARNINGS, {})
    if found:
        terminalreporter.section("rules passed with a warning", yellow=True)
        for text in found.values():
            terminalreporter.write_line(text + "\n")
