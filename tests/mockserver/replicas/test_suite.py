"""The tests of the API, against three replicas that take turns: they respond as one mock does."""

import re
import subprocess
import sys

import pytest

from tests.project import ROOT

PARTS = (
    "tests/mockserver/api",
    "tests/mockserver/world",
    "tests/mockserver/faults",
    "tests/mockserver/admin/test_control.py",
)
FEWEST = 500


@pytest.mark.slow
def test_the_tests_of_the_api_pass_with_three_replicas_whose_responses_equal_those_of_one():
    plugin = ("-p", "tests.mockserver.replicas.plugin", "-p", "no:cacheprovider", "--tb=short")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, "-m", "not slow", *PARTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= FEWEST
