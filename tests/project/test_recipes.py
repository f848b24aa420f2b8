"""The recipes for JavaScript start and control a real mock."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.project import ROOT
from tests.project.console import documented_files, environment, free_port

pytestmark = pytest.mark.slow

FILES = documented_files((ROOT / "docs" / "guides" / "javascript.md").read_text("utf-8"))
PORT = "4010"
READ = """
import setup from "./mock.setup.js";

const stop = await setup();
const { MOCK, control, keyOf } = await import("./mock.js");
const read = (session) => fetch(
  `${MOCK}/v1/workflows/wf_abc123/executions/run_x7k9m2`,
  { headers: { "x-api-key": keyOf(session) } },
);
await control("one", "POST", "faults", { kind: "status", status: 503, count: 1 });
const statuses = [];
for (const session of ["two", "one", "one"]) statuses.push((await read(session)).status);
const refused = await control("one", "POST", "faults", {}).catch((error) => error.message);
await stop();
const gone = await fetch(MOCK).catch(() => "gone");
console.log(JSON.stringify({ statuses, refused, gone }));
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the files of the guide."""
    if not shutil.which("node"):
        pytest.skip("needs Node.js")
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def node(folder: Path, code: str) -> Any:
    (folder / "main.js").write_text(code)
    process = subprocess.Popen(
        ["node", "main.js"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        process.wait(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):  # left behind by a failed script
            os.killpg(process.pid, signal.SIGKILL)
    printed, problems = process.communicate(timeout=20)
    assert process.returncode == 0, printed + problems
    return json.loads(printed)


def test_the_setup_of_vitest_starts_and_stops_a_mock_with_sessions(project: Path) -> None:
    seen = node(project, READ)

    assert seen["statuses"] == [200, 503, 200]
    assert seen["refused"].startswith("POST faults: 400")
    assert seen["gone"] == "gone"


def test_the_web_server_of_playwright_answers_on_its_url(project: Path) -> None:
    code = 'import config from "./playwright.config.js"; console.log(JSON.stringify(config));'
    mock = node(project, code)["webServer"][0]
    port = str(free_port())
    url = mock["url"].replace(PORT, port)

    server = subprocess.Popen(
        ["bash", "-c", f"exec {mock['command'].replace(PORT, port)}"],
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert status_of(url) == 200
    finally:
        os.killpg(server.pid, signal.Signals[mock["gracefulShutdown"]["signal"]])
        assert server.wait(timeout=20) == 0


def status_of(url: str) -> int:
    """Return the status of a server that may still be starting."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url).status_code
        except httpx.ConnectError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
