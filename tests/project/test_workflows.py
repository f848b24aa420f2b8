"""The workflows and issue forms of the repository: valid, and consistent with the project."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.project import ROOT

GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [one for one in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if one.stem != "config"]
FILES = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "dependabot": [GITHUB / "dependabot.yml"],
}


def load(path: Path) -> dict[str, Any]:
    """Return a YAML file as data; `on` stays a string."""
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return {"on" if name is True else name: value for name, value in loaded.items()}


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """Yield every step of every job of a workflow."""
    for job in load(path)["jobs"].values():
        yield from job.get("steps", ())


def commands() -> list[str]:
    """Return the shell commands of all workflows and hooks."""
    hooks = load(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    runs = [step["run"] for path in WORKFLOWS for step in steps(path) if "run" in step]
    return [*runs, *(hook["entry"] for hook in hooks)]


def schema_errors(schema: str, *paths: Path) -> str:
    """Return the problems of files by their schema, "" for none; works offline."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run(
        [*command, *map(str, paths)], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize("schema", FILES)
def test_the_files_follow_their_schema(schema: str) -> None:
    assert FILES[schema]
    assert schema_errors(schema, *FILES[schema]) == ""


def test_a_wrong_workflow_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text("utf-8").replace("runs-on:", "run-on:"), "utf-8")

    assert "runs-on" in schema_errors("github-workflows", wrong)


def test_the_tests_run_on_every_python_that_is_declared() -> None:
    matrix = load(GITHUB / "workflows" / "checks.yml")["jobs"]["tests"]["strategy"]["matrix"]
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))

    assert matrix["python"] == declared
    assert PROJECT["project"]["requires-python"] == f">={declared[0]}"
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_every_target_of_make_that_is_called_exists() -> None:
    documented = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    called = re.findall(r"^make ([a-z-]+)", "\n".join(commands()), re.MULTILINE)
    described = re.findall(r"(?:^|`)make ([a-z-]+)", documented, re.MULTILINE)

    assert {"check", "test-slow", "coverage"} <= {*called}
    assert {*called, *described} <= targets


def test_every_file_that_the_guide_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = re.findall(r"`((?:contracts|docs|fixtures|mockserver|tests)/[\w./-]*)`", text)
    named += re.findall(r"\]\(([\w./-]+)\)", text)

    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
def test_the_commands_are_valid_shell() -> None:
    for command in commands():
        text = re.sub(r"\$\{\{.*?\}\}", "value", command)
        done = subprocess.run(
            ["bash", "-n"], input=text, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
@pytest.mark.parametrize(
    ("tag", "code"), [(f"v{PROJECT['project']['version']}", 0), ("v999.0.0", 1), ("", 1)]
)
def test_a_release_needs_the_tag_of_its_version(tag: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    command = release_command("Compare the tag with the version of the project")

    done = subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=ROOT,
        env={**os.environ, "TAG": tag, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stdout + done.stderr


def release_command(name: str) -> str:
    """Return the shell command of a step of the job that comes before publishing."""
    job = load(GITHUB / "workflows" / "release.yml")["jobs"]["version"]
    (command,) = (step["run"] for step in job["steps"] if step.get("name") == name)
    return command


@pytest.mark.parametrize(("address", "code"), [("deadringer.example", 1), ("deadringer.org", 0)])
def test_a_release_needs_published_addresses(address: str, code: int, tmp_path: Path) -> None:
    for name in ("pyproject.toml", "contracts/check/reports/sarif.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text("utf-8")
        path.write_text(text.replace("deadringer.example", address), "utf-8")
    command = release_command("Refuse placeholder addresses")

    done = subprocess.run(["bash", "-e", "-c", command], cwd=tmp_path, check=False)

    assert done.returncode == code


def test_only_the_jobs_that_publish_may_write() -> None:
    granted = {
        (path.stem, name): set(job["permissions"].items())
        for path in WORKFLOWS
        for name, job in load(path)["jobs"].items()
        if "permissions" in job
    }

    assert all(load(path)["permissions"] == {"contents": "read"} for path in WORKFLOWS)
    assert granted == {
        ("release", "attest"): {
            ("contents", "read"),
            ("id-token", "write"),
            ("attestations", "write"),
        },
        ("release", "publish"): {("id-token", "write")},
        ("release", "notes"): {("contents", "write")},
    }
