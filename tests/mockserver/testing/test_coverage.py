"""`--deadringer-coverage`: over resets and workers, with limits and a report."""

import json

import pytest

from tests.mockserver.testing import PLUGIN, WITH_WORKERS

pytest_plugins = ("pytester",)

TESTS = """
    import httpx
    import pytest

    RUNS = ("wf_abc123/executions/run_x7k9m2", "wf_loop77/executions/run_l4o4p4")

    @pytest.mark.parametrize("number", range(2))
    def test_a_run_is_read(execution_api, number):
        assert execution_api.coverage()["requests"] == 0  # reset before the test
        for run in RUNS[number:]:
            httpx.get(execution_api.url(f"/v1/workflows/{run}"), headers=execution_api.headers)
        assert execution_api.coverage()["requests"] == 2 - number
"""


def test_it_is_reported_over_all_resets_and_fails_below_a_limit(pytester):
    pytester.makepyfile(TESTS)
    options = (
        "--deadringer-coverage-fail-under=situations=90",
        "--deadringer-coverage-report=c.json",
    )

    done = pytester.runpytest_subprocess(*PLUGIN, "--deadringer-coverage", *options)

    done.assert_outcomes(passed=2)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(
        [
            "*= deadringer coverage =*",
            "Coverage of 3 requests",
            "Missing situations",
            "ERROR: situations: *% is below 90%",
        ]
    )
    done.stdout.no_fnmatch_line("  loop: *")
    done.stdout.no_fnmatch_line("*curl *")
    met = json.loads((pytester.path / "c.json").read_text("utf-8"))["met"]
    assert (met["operations/getExecution"], met["situations/loop"]) == (3, 2)


@pytest.mark.slow
def test_verbose_reports_have_the_lines(pytester):
    pytester.makepyfile(TESTS)

    done = pytester.runpytest_subprocess(*PLUGIN, "-v", "--deadringer-coverage")

    assert done.ret == pytest.ExitCode.OK
    done.stdout.fnmatch_lines(["    curl *"])


@pytest.mark.slow
def test_workers_are_added_up(pytester):
    pytester.makepyfile(TESTS)

    done = pytester.runpytest_subprocess(
        *WITH_WORKERS, "-n", "2", "--deadringer-coverage", "--deadringer-coverage-fail-under=1"
    )

    done.assert_outcomes(passed=2)
    assert done.ret == pytest.ExitCode.OK
    done.stdout.fnmatch_lines(["Coverage of 3 requests"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--deadringer-coverage-fail-under=much", "*'much' is no threshold*"),
        ("--deadringer-coverage-report=no/folder.json", "*there is no folder*"),
    ],
)
@pytest.mark.slow
def test_an_impossible_option_is_refused_before_any_test(pytester, option, message):
    pytester.makepyfile(TESTS)

    done = pytester.runpytest_subprocess(*PLUGIN, option)

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: deadringer coverage: {message}"])


@pytest.mark.slow
def test_without_the_options_nothing_is_printed(pytester):
    pytester.makepyfile("def test_nothing(): pass")

    done = pytester.runpytest_subprocess(*PLUGIN)

    done.stdout.no_fnmatch_line("*deadringer coverage*")
