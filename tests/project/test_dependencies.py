"""What is imported is declared in pyproject.toml, and what is declared is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.project.imports import ROOMS

CONFIG = ("--config", str(ROOT / "pyproject.toml"))
# Nothing but tests, benchmarks and documentation may use what only development requires.
DEVELOPMENT = ("tests", "benchmarks", "docs", "--ignore", "DEP002,DEP004")
# The peers of the benchmarks and the users of generated code run in environments of their own; the
# script runs without any.
ELSEWHERE = ("benchmarks/\\.?peers", "tests/mockserver/generators/use")
APART = ("--exclude", "|".join([*ELSEWHERE, "tests/fixtures/generator/print_hashes.py"]))


def deptry(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Compare the imports below some folders with what the project declares."""
    return subprocess.run(
        [sys.executable, "-m", "deptry", *arguments, *CONFIG, "--no-ansi"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("places", [("package", *ROOMS), (*DEVELOPMENT, *APART)])
def test_what_is_imported_is_declared(places: tuple[str, ...]) -> None:
    done = deptry(*places)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "code"),
    [("import blinker", "DEP003"), ("import no_such_package", "DEP001"), ("import mypy", "DEP004")],
)
def test_an_undeclared_import_is_found(line: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"{line}\n")

    done = deptry(".", "--ignore", "DEP002", folder=tmp_path)

    assert done.returncode == 1
    assert code in done.stderr


def test_an_unused_dependency_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import click\n")

    done = deptry(".", folder=tmp_path)

    assert "'flask' defined as a dependency but not used in the codebase" in done.stderr
    assert "'click'" not in done.stderr
