"""A skip is for a developer's machine: CI installs what tests need, and fails without it."""

import re

import pytest

from tests.machine import give_up
from tests.project import ROOT

NEEDED = {
    "make": "make",
    "git": "git",
    "curl": "curl",
    "npm": "nodejs npm",
    "chromium-headless-shell": "chromium-headless-shell",
    "wrk": "wrk",
    "redis-server": "redis-server",
}


def test_what_is_missing_skips_on_a_developers_machine(monkeypatch):
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="needs Node"):
        give_up("needs Node")


def test_what_is_missing_fails_in_ci(monkeypatch):
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="needs Node"):
        give_up("needs Node")


def test_ci_installs_what_tests_need():
    script = (ROOT / ".ci" / "run").read_text("utf-8")

    installed = dict(
        re.findall(r"^command -v ([\w-]+) >/dev/null \|\| need\+=\((.+)\)$", script, re.M)
    )

    assert installed == NEEDED
    assert "export CI=true" in script


def test_ci_runs_the_slow_tests_too():
    script = (ROOT / ".ci" / "run").read_text("utf-8")

    assert script.endswith("\nmake test\nmake test-slow\n")
