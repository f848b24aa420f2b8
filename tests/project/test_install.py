"""The documented way to install from the repository works, with the pip of a new environment."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.project import ROOT

PAGES = ("README.md", "docs/index.md")


def documented_command(page: str) -> str:
    """Return the line of a page that installs from the repository with pip."""
    (line,) = re.findall(r'^pip install "git.*$', (ROOT / page).read_text("utf-8"), re.MULTILINE)
    return str(line)


def test_the_pages_show_one_command() -> None:
    assert len({documented_command(page) for page in PAGES}) == 1


def test_no_page_shows_a_form_that_an_old_pip_refuses() -> None:
    """Before pip 24.1, `NAME @ git+file:///…` is an invalid requirement."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]

    assert [page.name for page in pages if '"deadringer @ git+' in page.read_text("utf-8")] == []


@pytest.mark.slow
@pytest.mark.xdist_group("wheel")
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a clone")
@pytest.mark.skipif(sys.platform == "win32", reason="runs the command in bash")
def test_the_documented_command_installs(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=True)  # with the pip that Python brings, as `python -m venv` does
    command = f"{documented_command('README.md')} --no-deps"  # other tests install those

    subprocess.run(
        ["bash", "-e", "-c", f"{command} && pip show deadringer"],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "REPOSITORY": ROOT.as_uri(),
        },
        check=True,
        timeout=600,
    )
