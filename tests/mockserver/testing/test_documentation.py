"""The page about the plugin: every example on it runs, and the failure it shows is real."""

import re

from tests.mockserver.testing import PLUGIN
from tests.project import ROOT

pytest_plugins = ("pytester",)

PAGE = (ROOT / "docs" / "guides" / "pytest.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


def test_every_example_passes(pytester):
    for name, code in BLOCKS:
        (pytester.path / name).write_text(code, "utf-8")
    tests = sum(code.count("\ndef test_") for _, code in BLOCKS)
    # The last examples set a limit of three requests, which the others also respect.
    done = pytester.runpytest_subprocess(*PLUGIN, "-q", "-W", "error", "-p", "no:cacheprovider")

    assert tests >= 10
    assert PAGE.count("```python\n") == len(BLOCKS)
    done.assert_outcomes(passed=tests)


def test_a_failure_reads_as_the_page_shows(pytester):
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    pytester.makepyfile(
        """
        def test_it(assert_keeps_contract, execution_factory):
            execution = execution_factory.recorded("documented_example")
            execution["duration_ms"] = 4
            assert_keeps_contract(execution)
        """
    )

    done = pytester.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider")

    printed = [line.removeprefix("E").strip() for line in done.stdout.str().splitlines()]
    assert "\n".join(line.strip() for line in shown.splitlines()) in "\n".join(printed)
    assert "contracts/testing" not in done.stdout.str()
