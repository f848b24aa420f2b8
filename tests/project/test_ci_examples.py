"""README's CI jobs fail on a broken promise and pass on a server that keeps them all."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deadringer.mockserver import DEMO_KEY
from tests.mutation.servers import mock
from tests.project import ROOT

README = (ROOT / "README.md").read_text("utf-8")
_INSTALL = "pip install deadringer"


def scripts() -> dict[str, str]:
    """Give the shell script of each documented job, the installation left out."""
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]
    github = next(block for block in blocks if "jobs" in block)
    gitlab = next(block for block in blocks if "contract" in block)
    steps = github["jobs"]["contract"]["steps"]
    (shell,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    written = {
        "github": "\n".join(step["run"] for step in steps if "run" in step),
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
    ],
)
@pytest.mark.parametrize(("breaks", "code"), [((), 0), (("failed-run-without-error",), 1)])
def test_a_documented_job_fails_on_a_broken_promise_only(
    tmp_path: Path, job: str, breaks: tuple[str, ...], code: int
) -> None:
    # The jobs say `deadringer`; here that is the one of this environment.
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
    assert [path.name for path in tmp_path.glob("contract.*")]
