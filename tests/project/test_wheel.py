"""The wheel is complete: installed into an empty environment, it serves."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.project import ROOT
from tests.project.environment import Environment

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]  # one wheel, in one process


def test_the_wheel_brings_the_pytest_plugin(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        """
import httpx

def test_it(execution_api, execution_factory, assert_keeps_contract, pytestconfig):
    run = execution_api.put(execution_factory(status="failed"))
    assert_keeps_contract(httpx.get(run.url, headers=execution_api.headers))
    assert pytestconfig.getoption("--deadringer-url") is None
"""
    )

    done = environment.run("python", "-m", "pytest", "-W", "error", "-q", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_wheel_serves_outside_the_repository(environment: Environment, tmp_path: Path) -> None:
    with environment.serving(cwd=tmp_path) as (url, key):
        run = "/v1/workflows/wf_abc123/executions/run_x7k9m2"
        with urlopen(Request(url + run, headers={"x-api-key": key}), timeout=10) as response:
            execution = json.load(response)["data"]
        with urlopen(url + "/openapi.json", timeout=10) as response:
            specification = json.load(response)
        with urlopen(f"{url}/__mock/ui/runs/wf_abc123/run_x7k9m2", timeout=10) as response:
            page = response.read().decode()
        assets = re.findall(r'"(/__mock/ui/assets/[^"]+)"', page)
        for asset in assets:
            with urlopen(url + asset, timeout=10) as response:
                assert response.read(1)

    parsing = "import sys; sys.modules['yaml'] = None; "
    parsing += "from deadringer.contracts import operations; operations()"
    environment.python(parsing, cwd=tmp_path)

    assert execution["status"] == "completed"
    assert [step["step_id"] for step in execution["steps"]] == ["agent-1", "slack-1"]
    assert any(asset.endswith("trace.js") for asset in assets)
    assert specification["openapi"].startswith("3.1")


def test_a_wheel_built_from_the_source_distribution_is_the_same(
    wheel: Path, tmp_path: Path
) -> None:
    # Without `--wheel`, `build` makes the wheel from the source distribution that it has made.
    command = ["-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=120)

    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_wheel_brings_its_types(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from deadringer.contracts.timestamps import parse_timestamp\n"
        "from deadringer.fixtures import generate\n"
        "from deadringer.mockserver.testing.client import ExecutionApi\n"
        "names: list[int] = [parse_timestamp, generate, ExecutionApi]\n"
    )
    mypy = [sys.executable, "-m", "mypy", "--python-executable", environment.program("python")]

    done = subprocess.run(
        [*mypy, "mine.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert [line.split(": error: ")[0] for line in errors] == ["mine.py:4"] * 3, done.stdout
    assert 'has incompatible type "Callable[' in errors[0]
    assert 'has incompatible type "def generate(seed: int | str, ' in errors[1]
    assert 'has incompatible type "type[ExecutionApi]"' in errors[2]
