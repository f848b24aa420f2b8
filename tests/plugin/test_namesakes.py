"""Projects with packages named like ours: their tests run, and what needs ours says so."""

import subprocess
import sys

import pytest

from mockserver.namesakes import NamesakeError, require_ours
from tests.plugin import PLUGIN

pytest_plugins = ("pytester",)

USES_THEIRS = """
    from contracts.models import X
    from fixtures.people import Y

    def test_it():
        assert (X, Y) == (1, 2)
"""


@pytest.fixture
def theirs(pytester):
    """Give packages `contracts` and `fixtures` to the inner run's folder."""
    pytester.mkpydir("contracts").joinpath("models.py").write_text("X = 1\n")
    pytester.mkpydir("fixtures").joinpath("people.py").write_text("Y = 2\n")
    return pytester


@pytest.mark.parametrize("how", ["python -m pytest", "pytest"])
def test_their_packages_are_theirs_however_pytest_is_called(theirs, how, monkeypatch):
    theirs.makepyfile(test_it=USES_THEIRS)
    isolated = () if how == "python -m pytest" else ("-P",)  # `pytest` has no folder in its path
    monkeypatch.delenv("PYTHONPATH", raising=False)

    done = subprocess.run(  # pytester would put the folder in the path
        [sys.executable, *isolated, "-m", "pytest", *PLUGIN, "-q"],
        cwd=theirs.path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_running_mock_needs_neither(theirs):
    theirs.makepyfile(test_it="def test_it(execution_api): assert execution_api.now()")

    theirs.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["execution_factory", "assert_keeps_contract"])
def test_a_fixture_that_needs_ours_says_which_file_shadows_them(theirs, name):
    theirs.makepyfile(test_it=f"def test_it({name}): pass")

    done = theirs.runpytest_subprocess(*PLUGIN)

    done.assert_outcomes(errors=1)
    found = theirs.path / "contracts" / "__init__.py"
    done.stdout.fnmatch_lines([f"*deadringer's package `contracts` is shadowed by {found}*Fix: *"])
    assert "Traceback" not in done.stdout.str()


def test_the_suite_says_which_file_shadows_it(theirs):
    options = ("--pyargs", "contracts.suite", "--deadringer-url", "http://127.0.0.1:9")

    done = theirs.runpytest_subprocess(*PLUGIN, *options)

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*package `contracts` is shadowed by *"])


def test_a_namesake_is_seen_whether_it_is_loaded_or_not(tmp_path, monkeypatch):
    require_ours("contracts", "fixtures")
    namesake = tmp_path / "fixtures.py"
    namesake.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fixtures", raising=False)

    with pytest.raises(NamesakeError, match=str(namesake)):
        require_ours("contracts", "fixtures")


def test_a_project_may_lie_in_a_folder_named_like_ours(pytester):
    inner = pytester.mkdir("fixtures")
    (inner / "test_it.py").write_text("def test_it(execution_factory): execution_factory()")

    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)
