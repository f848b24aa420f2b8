"""The built wheel, and an environment with it and its dependencies."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.project.environment import Environment


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with only the wheel and its dependencies."""
    created = Environment.create(tmp_path_factory.mktemp("environment"))
    created.install(wheel)
    return created
