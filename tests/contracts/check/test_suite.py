"""The contract as a pytest suite, run like a user does: by name, in any folder."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deadringer.contracts.rules import RULES
from tests.contracts.check.small_server import (
    EXECUTIONS,
    KEY,
    SmallServer,
    ignore_the_key,
    send_seconds,
    serving,
)
from tests.project import ROOT

# Most tests share one run, in one process.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("suite")]

WORKFLOW, RUN = next(
    ids for ids, one in EXECUTIONS.items() if one["status"] == "completed" and one["duration_ms"]
)


def run_suite(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--pyargs", "deadringer.contracts.suite"),
            *("-v", "-rs", "-p", "no:cacheprovider", "--color", "no", *options),
        ],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def check_server(server: SmallServer, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    address = ("--deadringer-url", server.url, "--deadringer-key", KEY)
    ids = ("--deadringer-workflow", WORKFLOW, "--deadringer-run", RUN)
    return run_suite(folder, *address, *ids, "--deadringer-quick", "--deadringer-watch", "0", *more)


def outcomes(text: str) -> dict[str, str]:
    """Return the outcome of every rule, by its name."""
    return dict(re.findall(r"::test_rule\[(\w+)\] (PASSED|FAILED|SKIPPED|ERROR)", text))


@pytest.fixture(scope="module")
def correct(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """Return exit code and output for a correct server, with warnings as errors."""
    with serving() as server:
        done = check_server(server, tmp_path_factory.mktemp("elsewhere"), "-W", "error")
    return done.returncode, done.stdout + done.stderr


def test_a_correct_server_passes(correct) -> None:
    code, text = correct

    assert code == 0, text
    assert outcomes(text)["duration_is_end_minus_start"] == "PASSED"


def test_every_promise_is_one_item(correct) -> None:
    _, text = correct

    assert set(outcomes(text)) == {rule.name for rule in RULES}


def test_what_was_not_exercised_is_skipped_with_its_reason(correct) -> None:
    _, text = correct

    reasons = re.findall(r"SKIPPED \[\d+\] \S+ (.+)", text)
    assert outcomes(text)["rows_agree_with_the_detail"] == "SKIPPED"
    assert reasons
    assert all(len(reason) > 10 for reason in reasons)


def test_a_warning_passes_and_is_told_in_the_summary(correct) -> None:
    _, text = correct

    _, _, summary = text.partition("rules passed with a warning")
    assert "RateLimit-Limit" in summary


def test_a_broken_promise_fails_with_its_breaches(tmp_path: Path) -> None:
    with serving(send_seconds) as server:
        done = check_server(server, tmp_path)

    assert done.returncode == 1
    failed = {name for name, outcome in outcomes(done.stdout).items() if outcome == "FAILED"}
    assert failed == {"duration_is_end_minus_start"}
    place = f"GET /v1/workflows/{WORKFLOW}/executions/{RUN} -> 200\n  pointer   /data/duration_ms\n"
    assert place in done.stdout
    assert 'curl -i -g --path-as-is -H "x-api-key: $DEADRINGER_API_KEY"' in done.stdout
    assert "  fix       " in done.stdout
    assert KEY not in done.stdout
    assert "Traceback" not in done.stdout


def test_a_key_nobody_looks_at_fails(tmp_path: Path) -> None:
    with serving(ignore_the_key) as server:
        done = check_server(server, tmp_path)

    assert outcomes(done.stdout)["requests_without_good_key_are_refused"] == "FAILED"


def test_warnings_can_fail(tmp_path: Path) -> None:
    with serving() as server:
        done = check_server(server, tmp_path, "--deadringer-fail-on", "warning")

    assert done.returncode == 1
    assert "rules passed with a warning" not in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "deadringer.contracts.suite needs --deadringer-url URL."),
        (("--deadringer-url", "ftp://nowhere"), "is not an origin"),
    ],
)
def test_bad_options_are_told_without_a_traceback(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = run_suite(tmp_path, *options)

    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_options_are_registered_with_pytest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert (
        project["entry-points"]["pytest11"]["deadringer"] == "deadringer.mockserver.testing.plugin"
    )
