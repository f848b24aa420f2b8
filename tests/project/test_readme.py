"""README is short, and its commands work as shown."""

import re
import shutil
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.project.console import Terminal, documented_commands, matches

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = list(documented_commands(README))
MOST_LINES = 130
NEVER_RUN = {"make test"}  # it is running
LINKED = ("Makefile", "pyproject.toml", "constraints.txt", ".venv", "fixtures", "openapi.yaml")


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_readme_documents_commands() -> None:
    assert {"make serve", "make test"} <= {command.line for command in COMMANDS}
    assert any(command.line.startswith("curl ") for command in COMMANDS)


@pytest.mark.slow
def test_the_documented_commands_in_order_print_what_readme_shows(tmp_path: Path) -> None:
    """In order, because a command may need the one before it."""
    if not (ROOT / ".venv/.ready").exists():
        pytest.skip("the commands need the environment `make` sets up")
    for name in LINKED:  # a clone whose setup is done: nothing is written to the real one
        (tmp_path / name).symlink_to(ROOT / name)
    terminal = Terminal(tmp_path)

    try:
        differences = [terminal.difference(one) for one in COMMANDS if one.line not in NEVER_RUN]
    finally:
        terminal.close()

    assert [text for text in differences if text] == []


def test_a_wrong_expectation_is_seen() -> None:
    assert matches('{"a": …}', '{"a": 1}')
    assert not matches('{"a": …}', '{"b": 1}')


def test_readme_and_the_page_about_benchmarks_name_the_same_figures() -> None:
    """If this fails, `make bench` wrote new figures: copy them into README."""
    (section,) = re.findall(r"^## How fast\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    page = (ROOT / "docs" / "explanation" / "benchmarks.md").read_text("utf-8")
    figures = re.findall(r"\d+\.\d+", section)

    assert len(figures) >= 4
    assert [figure for figure in figures if f" {figure}" not in page] == []


def test_every_make_target_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"`make ([a-z-]+)`", README))

    assert named
    assert {target for target in named if f"\n{target}:" not in makefile} == set()


def test_bash_and_curl_are_there() -> None:
    assert shutil.which("bash")
    assert shutil.which("curl")
