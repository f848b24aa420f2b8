"""The wheel is complete: installed alone into an empty environment, it serves."""

import json
import subprocess
import sys
import venv
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.project import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_serves_outside_the_repository(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "empty", with_pip=True)
    binaries = tmp_path / "empty" / ("Scripts" if sys.platform == "win32" else "bin")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run(
        [binaries / "python", *install, *constraints, str(wheel)],
        check=True,
        timeout=300,
        cwd=tmp_path,
    )

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
        finally:
            server.terminate()

    assert execution["status"] == "completed"
    assert [step["step_id"] for step in execution["steps"]] == ["agent-1", "slack-1"]
    assert specification["openapi"].startswith("3.1")
