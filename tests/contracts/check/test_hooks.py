"""The contract applied by a user's own Schemathesis, from the command line and from pytest."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import schemathesis
from schemathesis.core.transport import Response

from deadringer.contracts import bundle_specification
from tests.contracts.check.small_server import EXECUTIONS, KEY, SmallServer, send_seconds, serving
from tests.project import ROOT

pytestmark = pytest.mark.slow

WORKFLOW, RUN = next(
    ids for ids, one in EXECUTIONS.items() if one["status"] == "completed" and one["duration_ms"]
)
CHECKS = "execution_keeps_the_contract,list_keeps_the_contract,answer_keeps_the_contract"
SUITE = """
import os
import schemathesis
from deadringer.contracts import bundle_specification
import deadringer.contracts.schemathesis_hooks as hooks

config = schemathesis.config.SchemathesisConfig(seed=1)
config.projects.default.generation.update(max_examples=10, database="none")
schema = schemathesis.openapi.from_dict(bundle_specification(), config=config)
schema = schema.include(operation_id="getExecution")

@schema.parametrize()
def test_the_contract(case):
    response = case.call(base_url=os.environ["URL"], headers={"x-api-key": os.environ["KEY"]})
    case.validate_response(response, checks=hooks.CHECKS)
"""


def surroundings(server: SmallServer) -> dict[str, str]:
    named = {"DEADRINGER_WORKFLOW": WORKFLOW, "DEADRINGER_RUN": RUN, "URL": server.url, "KEY": KEY}
    inherited = {"PATH": os.environ["PATH"]}
    return {**inherited, **named, "SCHEMATHESIS_HOOKS": "deadringer.contracts.schemathesis_hooks"}


def run_schemathesis(server: SmallServer, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(ROOT / "openapi.yaml")),
            *("--url", server.url, "-H", f"x-api-key: {KEY}", "--checks", CHECKS, "--no-color"),
            *("--phases", "examples,fuzzing", "--max-examples", "10", "--seed", "1"),
            *("--include-operation-id", "getExecution", "--generation-database", "none"),
        ],
        cwd=folder,
        env=surroundings(server),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_pytest(server: SmallServer, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(SUITE, "utf-8")
    environment = surroundings(server)
    del environment["SCHEMATHESIS_HOOKS"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


RUNS = [run_schemathesis, pytest.param(run_pytest, marks=pytest.mark.slow)]


@pytest.mark.parametrize("run", RUNS)
def test_a_correct_server_passes(run, tmp_path: Path) -> None:
    with serving() as server:
        done = run(server, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    wanted = f"/v1/workflows/{WORKFLOW}/executions/{RUN}"
    assert wanted in [path for _, path, _ in server.requests]


@pytest.mark.parametrize("run", RUNS)
def test_a_breach_that_no_schema_sees_fails_and_is_told_in_full(run, tmp_path: Path) -> None:
    with serving(send_seconds) as server:
        done = run(server, tmp_path)

    assert done.returncode == 1
    message = done.stdout
    assert "Contract violation: duration_is_end_minus_start" in message, message
    assert "At /data/duration_ms: expected" in message
    assert "Fix: " in message
    assert "Source: " in message


def test_without_the_hooks_the_breach_is_not_seen(tmp_path: Path) -> None:
    with serving(send_seconds) as server:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", str(ROOT / "openapi.yaml")),
                *("--url", server.url, "-H", f"x-api-key: {KEY}", "--phases", "examples"),
                *("--include-operation-id", "getExecution", "--generation-database", "none"),
                *("--checks", "response_schema_conformance"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout
    assert f"/v1/workflows/{WORKFLOW}/executions/{RUN}" in [path for _, path, _ in server.requests]


def test_a_bearer_token_made_up_beside_the_key_is_no_secret() -> None:
    from deadringer.contracts.schemathesis_hooks import exchange_of  # registers the checks

    schema = schemathesis.openapi.from_dict(copy.deepcopy(bundle_specification()))
    case = schema["/v1/workflows"]["GET"].Case()
    both = {"x-api-key": KEY, "Authorization": "Bearer 0"}
    sent = requests.Request("GET", "http://localhost/v1/workflows", headers=both).prepare()
    response = Response(200, {}, b'{"total": 10}', sent, elapsed=0.1, verify=True)

    exchange = exchange_of(response, case)

    assert exchange.request_headers == {"x-api-key": KEY}
