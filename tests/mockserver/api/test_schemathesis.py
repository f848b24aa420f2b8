"""Schemathesis, with all its checks and phases, finds no failure in the server."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deadringer import contracts
from deadringer.mockserver import DEMO_KEY, create_app

PHASES = "examples,coverage,fuzzing,stateful"


def run_schemathesis(
    location: Path | str, url: str, folder: Path, examples: int = 15
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(location), "--url", url),
            *(
                "--phases",
                PHASES,
                "--checks",
                "all",
                "--max-examples",
                str(examples),
                "--seed",
                "1",
            ),
            *("--header", f"x-api-key: {DEMO_KEY}", "--no-color", "--generation-database", "none"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "examples"),
    [
        ("served", 15),
        ("file", 15),
    ],
)
def test_schemathesis_finds_nothing(server, tmp_path: Path, source: str, examples: int) -> None:
    written = Path(contracts.__file__).parents[1] / "openapi.yaml"
    location = f"{server.url}/openapi.json" if source == "served" else written

    done = run_schemathesis(location, server.url, tmp_path, examples)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* generated", done.stdout), done.stdout
    assert f"Tested: {len(contracts.operations())}\n" in done.stdout
    for phase in PHASES.split(","):
        assert f"✅ {phase.capitalize()}\n" in done.stdout


@pytest.mark.slow
def test_schemathesis_sees_no_difference_where_answers_are_kept(over_http, tmp_path: Path) -> None:
    mock = over_http(create_app())

    done = run_schemathesis(f"{mock.base_url}/openapi.json", str(mock.base_url), tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert mock.twins.repeated
    assert mock.twins.differences == []


@pytest.mark.slow
def test_schemathesis_finds_a_status_the_specification_hides(server, tmp_path: Path) -> None:
    specification = json.loads(json.dumps(contracts.bundle_specification()))
    for item in specification["paths"].values():
        for method in item.keys() & {"get", "post"}:
            item[method]["responses"].pop("404", None)
    incomplete = tmp_path / "incomplete.json"
    incomplete.write_text(json.dumps(specification), "utf-8")

    done = run_schemathesis(incomplete, server.url, tmp_path)

    assert done.returncode == 1
    assert "Undocumented" in done.stdout
