"""The wheel is complete: installed alone into an empty environment, it serves."""

import json
import re
import subprocess
import sys
import venv
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.project import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]  # one wheel, in one process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel and what it brings, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    binaries = folder / ("Scripts" if sys.platform == "win32" else "bin")
    install = ["-m", "pip", "--python", binaries / "python", "install", "--quiet", "--no-compile"]
    constraints = ["--disable-pip-version-check", "--constraint", ROOT / "constraints.txt"]
    subprocess.run(
        [sys.executable, *install, *constraints, wheel],
        check=True,
        timeout=300,
        cwd=folder,
    )
    return binaries


def test_the_wheel_brings_the_pytest_plugin(binaries: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        """
import httpx

def test_it(execution_api, execution_factory, assert_keeps_contract, pytestconfig):
    run = execution_api.put(execution_factory(status="failed"))
    assert_keeps_contract(httpx.get(run.url, headers=execution_api.headers))
    assert pytestconfig.getoption("--deadringer-url") is None
"""
    )

    done = subprocess.run(
        [binaries / "python", "-m", "pytest", "-W", "error", "-q"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_wheel_serves_outside_the_repository(binaries: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [binaries / "deadringer", "serve", "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            banner = "".join(iter(server.stdout.readline, "Stop with Ctrl-C.\n"))
            url = banner.split("serves on ")[1].split()[0]
            key = banner.split("Demo key: ")[1].split()[0]
            run = "/v1/workflows/wf_abc123/executions/run_x7k9m2"
            with urlopen(Request(url + run, headers={"x-api-key": key}), timeout=10) as answer:
                execution = json.load(answer)["data"]
            with urlopen(url + "/openapi.json", timeout=10) as answer:
                specification = json.load(answer)
            with urlopen(f"{url}/__mock/ui/runs/wf_abc123/run_x7k9m2", timeout=10) as answer:
                page = answer.read().decode()
            assets = re.findall(r'"(/__mock/ui/assets/[^"]+)"', page)
            for asset in assets:
                with urlopen(url + asset, timeout=10) as answer:
                    assert answer.read(1)
        finally:
            server.terminate()

    parsing = "import sys; sys.modules['yaml'] = None; "
    parsing += "from deadringer.contracts import operations; operations()"
    subprocess.run([binaries / "python", "-c", parsing], check=True, timeout=60, cwd=tmp_path)

    assert execution["status"] == "completed"
    assert [step["step_id"] for step in execution["steps"]] == ["agent-1", "slack-1"]
    assert any(asset.endswith("trace.js") for asset in assets)
    assert specification["openapi"].startswith("3.1")
