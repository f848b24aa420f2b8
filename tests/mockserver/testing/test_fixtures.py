"""The fixtures in real runs of pytest: reset for each test, one mock per xdist worker."""

import json
import subprocess
import sys

import pytest

from deadringer.mockserver.testing.process import run_mock
from tests.mockserver.testing import PLUGIN, WITH_WORKERS

pytest_plugins = ("pytester",)

HEAVY = {"flask", "httptools", "httpx", "hypothesis", "jsonschema", "schemathesis", "yaml"}

CHANGES = """
    import json
    import httpx
    import pytest

    OTHER = {"X-Mock-Session": "other"}
    CHANGES = {
        "clock": lambda api: (api.advance(100), api.thaw(5)),
        "run": lambda api: api.start_run(drive="manual"),
        "fault": lambda api: api.fail_next(3),
        "contract fault": lambda api: api.enable_contract_fault("duration-in-seconds"),
        "put": lambda api: api.put(api.advance_run(api.start_run(drive="manual"), 99)),
        "delete": lambda api: api.delete(api.run("wf_abc123", "run_x7k9m2")),
        "session": lambda api: httpx.put(api.url("/__mock/chaos"), headers=OTHER,
                                         json={"profile": "maintenance"}),
        "key": lambda api: [read(api) for _ in range(5)],
    }

    def api_run(api):
        return api.run("wf_abc123", "run_x7k9m2")

    def read(api):
        return httpx.get(api_run(api).url, headers=api.headers)

    @pytest.mark.parametrize("name", CHANGES)
    def test_nothing_is_left_of_other_tests(execution_api, name):
        assert execution_api.now() == "2026-03-27T10:30:00.000Z"
        assert execution_api.journal() == []
        state = execution_api.state()
        left = ("faults", "contract_faults", "started_runs", "changed_executions")
        assert [state[one] for one in left] == [[], [], [], []]
        response = read(execution_api)
        assert response.status_code == 200
        assert response.headers["RateLimit-Remaining"] == "99"
        url = api_run(execution_api).url
        assert httpx.get(url, headers={**execution_api.headers, **OTHER}).status_code == 200

        CHANGES[name](execution_api)
"""


@pytest.mark.parametrize("order", ["as written", "reversed"])
def test_every_test_meets_the_mock_as_it_is_at_the_start(pytester, order):
    pytester.makepyfile(CHANGES)
    if order == "reversed":
        pytester.makeconftest("def pytest_collection_modifyitems(items): items.reverse()")

    done = pytester.runpytest_subprocess(*PLUGIN, "-W", "error")

    done.assert_outcomes(passed=8)


SEQUENCES = """
    import hashlib, json, pytest

    def store(request, factory, folder):
        made = [factory(), factory(status="failed"), factory.violating("end_is_not_before_start")]
        made += [factory.envelope(), *factory.many(2, steps=2), factory(seed=3), factory(seed=3)]
        assert made[-1] == made[-2]
        text = json.dumps(made, sort_keys=True)
        name = request.node.name.partition("@")[0]
        (folder / f"{request.cls.__name__ if request.cls else ''}.{name}.hash".replace("/", "-")
            ).write_text(hashlib.sha256(text.encode()).hexdigest())

    @pytest.mark.xdist_group("one")
    @pytest.mark.parametrize("number", [1, 2])
    def test_first(request, execution_factory, folder, number):
        store(request, execution_factory, folder)

    def test_second(request, execution_factory, folder):
        store(request, execution_factory, folder)

    class TestThird:
        def test_second(self, request, execution_factory, folder):
            store(request, execution_factory, folder)
"""


def hashes_of(pytester, name: str, *options: str) -> dict[str, str]:
    folder = pytester.mkdir(name)
    conftest = f"""
        import pathlib, pytest
        def pytest_configure(config):
            config.addinivalue_line("markers", "xdist_group: as xdist has it")
        @pytest.fixture
        def folder():
            return pathlib.Path({str(folder)!r})
    """
    if name == "reversed":
        conftest += "\n        def pytest_collection_modifyitems(items): items.reverse()\n"
    pytester.makeconftest(conftest)
    pytester.makepyfile(test_sequences=SEQUENCES)

    pytester.runpytest_subprocess(*options).assert_outcomes(passed=4)
    return {path.stem: path.read_text() for path in folder.iterdir()}


def test_a_test_has_its_own_executions_in_any_order_and_on_any_worker(pytester):
    in_order = hashes_of(pytester, "in_order", *PLUGIN)
    alone = hashes_of(pytester, "reversed", *PLUGIN)
    spread = hashes_of(pytester, "spread", *WITH_WORKERS, "-n", "2", "--dist", "loadgroup")

    assert in_order == alone == spread
    assert len(set(in_order.values())) == len(in_order) == 4


def test_every_worker_has_a_mock_of_its_own(pytester):
    folder = pytester.mkdir("seen")
    pytester.makepyfile(
        f"""
        import json, os, pathlib, time, pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(execution_api, _running_mock, worker_id, number):
            assert execution_api.state()["started_runs"] == []
            run = execution_api.start_run()
            seen = {{"worker": worker_id, "url": execution_api.base_url,
                     "pid": _running_mock.process.pid}}
            name = f"{{worker_id}}-{{number}}"
            (pathlib.Path({str(folder)!r}) / name).write_text(json.dumps(seen))
            runs = execution_api.state()["started_runs"]
            assert [one["run_id"] for one in runs] == [run.run_id]
        """
    )

    pytester.runpytest_subprocess(*WITH_WORKERS, "-n", "2", "--dist", "each").assert_outcomes(
        passed=16
    )

    seen = [json.loads(path.read_text()) for path in folder.iterdir()]
    assert len(seen) == 16
    assert {one["worker"] for one in seen} == {"gw0", "gw1"}
    assert len({one["url"] for one in seen}) == len({one["pid"] for one in seen}) == 2
    assert all(not is_alive(one["pid"]) for one in seen)


def is_alive(pid: int) -> bool:
    return (
        subprocess.run(["kill", "-0", str(pid)], capture_output=True, check=False).returncode == 0
    )


def test_a_run_that_does_not_use_them_imports_and_starts_nothing():
    code = "import sys, pytest, deadringer.mockserver.testing.plugin\nprint(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.split())
    assert "deadringer.mockserver.testing.plugin" in loaded
    assert loaded & HEAVY == set()
    assert not {
        name for name in loaded if name.startswith(("deadringer.fixtures", "deadringer.contracts"))
    }


def test_variables_and_project_files_do_not_reach_the_mock(pytester, monkeypatch):
    monkeypatch.setenv("DEADRINGER_PORT", "garbage")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    pytester.makepyprojecttoml("[tool.deadringer]\nport = 'garbage'\n")
    pytester.makepyfile("def test_it(execution_server): assert execution_server.now()")

    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


def test_modules_in_the_working_folder_do_not_reach_the_mock(tmp_path, monkeypatch):
    for name in ("deadringer.py", "json.py"):
        (tmp_path / name).write_text("raise AssertionError('imported by the mock')")
    monkeypatch.chdir(tmp_path)

    with run_mock((), tmp_path / "log.txt") as mock:
        assert mock.api.now()


def test_options_of_ones_own_reach_it(pytester):
    pytester.makeconftest(
        """
        import pytest
        @pytest.fixture(scope="session")
        def execution_server_options():
            return ["--api-key", "trig_another", "--control-token", "t", "--seed", "7"]
        """
    )
    pytester.makepyfile(
        """
        import urllib.request
        def test_it(execution_api):
            assert execution_api.state()["seed"] == 7
            assert execution_api.api_key == "trig_another"
            request = urllib.request.Request(execution_api.url("/v1/workflows"),
                                             headers=execution_api.headers)
            with urllib.request.urlopen(request) as response:
                assert response.status == 200
        """
    )

    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--fixtures", "nowhere"], "nowhere: "),
        (["--seed", "garbage"], "Setting seed: 'garbage' is not a whole number"),
        (["--prot", "1"], "No such option"),
    ],
)
def test_a_mock_that_cannot_start_says_why(pytester, options, reason):
    pytester.makeconftest(
        f"""
        import pytest
        @pytest.fixture(scope="session")
        def execution_server_options():
            return {options}
        """
    )
    pytester.makepyfile("def test_it(execution_api): pass")

    done = pytester.runpytest_subprocess(*PLUGIN)

    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([f"*The mock did not start: deadringer: {reason}*"])
    assert "Traceback" not in done.stdout.str()


def test_commands_that_are_refused_say_why(pytester):
    pytester.makepyfile(
        """
        import pytest
        from deadringer.mockserver.testing.client import ControlError

        def test_it(execution_api, execution_factory):
            with pytest.raises(ControlError, match="400 VALIDATION_ERROR.*expected one of"):
                execution_api.add_fault("gremlin")
            with pytest.raises(ControlError, match="404 NOT_FOUND: There is no such workflow"):
                execution_api.start_run("wf_nowhere")
            with pytest.raises(ControlError, match="1 violation.*[?]force=true"):
                execution_api.put(execution_factory.violating("end_is_not_before_start"))
            with pytest.raises(ValueError, match="has no run_id"):
                execution_api.put({"status": "failed"})
            execution_api.put(execution_factory.violating("end_is_not_before_start"), force=True)
            with pytest.raises(ValueError, match="documented_example"):
                execution_factory.recorded("documented_exmaple")
        """
    )

    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)
