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
    """Create one test item for each rule."""
    if "rule_name" in metafunc.fixturenames:
        metafunc.parametrize("rule_name", [rule.name for rule in select()])


@pytest.fixture(scope="session")
def options(request: pytest.FixtureRequest) -> CheckOptions:
    """Return the options of the check, from the command line."""
    option = request.config.getoption
    if not option("--deadringer-url"):
        pytest.fail("deadringer.contracts.suite needs --deadringer-url URL.", pytrace=False)
    try:
        return CheckOptions(
            base_url=option("--deadringer-url"),
            api_key=option("--deadringer-key"),
            workflow_ids=tuple(option("--deadringer-workflow")),
            run_ids=tuple(option("--deadringer-run")),
            seed=option("--deadringer-seed"),
            max_requests=option("--deadringer-max-requests"),
            watch_s=option("--deadringer-watch"),
            timeout_s=option("--deadringer-timeout"),
            quick=option("--deadringer-quick"),
            writes_allowed=option("--deadringer-allow-writes"),
            fail_on=Severity(option("--deadringer-fail-on")),
        )
    except OptionError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def report(options: CheckOptions) -> Report:
    """Return the report of the check that all items share."""
    done = run_check(options)
    if done.conclusion is Conclusion.INCONCLUSIVE:
        pytest.fail(f"inconclusive: {done.reason}", pytrace=False)
    return done


@pytest.fixture
def result(report: Report, rule_name: str) -> RuleResult:
    """Return the result of this item's rule."""
    return next(one for one in report.results if one.rule == rule_name)


@pytest.fixture
def warnings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the findings of rules that pass with a warning, for the summary."""
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
