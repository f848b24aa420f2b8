"""The documented CI jobs fail on a violated rule and pass on a server without one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deadringer.mockserver import DEMO_KEY
from tests.mutation.servers import mock
from tests.project import ROOT

GUIDE = (ROOT / "docs" / "guides" / "ci.md").read_text("utf-8")
QUICKSTART = (ROOT / "docs" / "quickstart" / "backend.md").read_text("utf-8")
_INSTALL = "pip install deadringer"


def jobs(page: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]


def script_of(github: dict[str, Any]) -> str:
    steps = github["jobs"]["contract"]["steps"]
    return "\n".join(step["run"] for step in steps if "run" in step)


def scripts() -> dict[str, str]:
    """Return the shell script of each documented job, without the installation."""
    blocks = jobs(GUIDE)
    github = next(block for block in blocks if "jobs" in block)
    gitlab = next(block for block in blocks if "contract" in block)
    (shell,) = re.findall(r"## Plain shell\n\n```sh\n(.*?)```", GUIDE, re.DOTALL)
    written = {
        "github": script_of(github),
        "quickstart": script_of(jobs(QUICKSTART)[0]),
        "gitlab": "\n".join(gitlab["contract"]["script"]),
        "shell": shell,
    }
    assert all(_INSTALL in script for script in written.values())
    return {name: script.replace(_INSTALL, "true") for name, script in written.items()}


@pytest.mark.parametrize(
    "job",
    [
        "shell",
        pytest.param("github", marks=pytest.mark.slow),
        pytest.param("gitlab", marks=pytest.mark.slow),
        pytest.param("quickstart", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(("breaks", "code"), [((), 0), (("failed-run-without-error",), 1)])
def test_a_documented_job_fails_on_a_violated_rule_only(
    tmp_path: Path, job: str, breaks: tuple[str, ...], code: int
) -> None:
    # The jobs call `deadringer`; here that is the one of this environment.
    command = tmp_path / "deadringer"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m deadringer "$@" --quick\n')
    command.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    with mock(*breaks) as url:
        variables = {"SERVER_URL": url, "DEADRINGER_API_KEY": DEMO_KEY, "PATH": path}
        done = subprocess.run(
            ["bash", "-e", "-c", scripts()[job]],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == code, done.stdout + done.stderr
    assert job == "quickstart" or list(tmp_path.glob("contract.*"))
