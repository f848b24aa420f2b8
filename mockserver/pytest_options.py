"""The pytest options of the suite, known to pytest before it looks for tests.

Registered as the pytest plugin `deadringer`: a conftest of a package named with `--pyargs` is
read too late to add options. Every pytest run in the environment imports this module, also where
`contracts` is another project's package: so it lies here and imports nothing of ours.
"""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `contracts.suite`."""
    group = parser.getgroup("deadringer", "the contract of Execution Detail (contracts.suite)")
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
        help="the grade of a breach that fails its test",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell of another `contracts`, which would be looked into for the suite."""
    if not config.getoption("--deadringer-url"):
        return
    from .namesakes import NamesakeError, require_ours

    try:
        require_ours("contracts")
    except NamesakeError as problem:
        raise pytest.UsageError(str(problem)) from problem
