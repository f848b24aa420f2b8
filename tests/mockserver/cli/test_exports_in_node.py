"""The exports in the tools they are for: TypeScript's compiler, Mock Service Worker, Postman."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deadringer.fixtures import load_recordings, load_workflows
from deadringer.mockserver import Settings, create_app
from tests.machine import give_up
from tests.mockserver.cli import generated

PACKAGES = ("msw@2.15.0", "typescript@7.0.2", "postman-collection@5.3.1")
ASKING = Path(__file__).with_name("ask_handlers.mjs")
KEY = {"x-api-key": "trig_demo_key_0123456789abcdef"}
V1 = "/v1/workflows"
PASSING = {"balance", "next_reset"}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("npm")]  # one installation, one process


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frontend project with the three tools."""
    if not shutil.which("npm"):
        give_up("needs Node with npm")
    folder = tmp_path_factory.mktemp("frontend")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(install, cwd=folder, capture_output=True, timeout=300, check=False)
    if done.returncode:
        give_up(f"npm cannot install packages here: {done.stderr.decode()[-500:]}")
    return folder


def run(folder: Path, *command: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def compiled(folder: Path, *names: str) -> str:
    """Return the output of the strict compiler, empty if all is well."""
    options = ("--noEmit", "--strict", "--target", "es2022", "--module", "nodenext")
    return run(folder, "npx", "--no-install", "tsc", *options, "--skipLibCheck", *names).stdout


def recorded(name: str) -> str:
    (found,) = (one.execution for one in load_recordings() if one.name == name)
    return json.dumps(found)


def test_types_compile_and_take_every_recording(project: Path) -> None:
    generated("--format", "typescript", "--out", project / "types.ts")
    # A literal is checked member by member, so a missing or a wrong one would not compile.
    lines = ['import type { Execution } from "./types.js";']
    lines += [f"export const {one.name}: Execution = {recorded(one.name)};" for one in small()]
    (project / "good.ts").write_text("\n".join(lines), "utf-8")

    assert compiled(project, "types.ts", "good.ts") == ""


def test_an_execution_narrows_by_its_status(project: Path) -> None:
    generated("--format", "typescript", "--out", project / "types.ts")
    (project / "narrow.ts").write_text(
        """\
import type { Execution } from "./types.js";
export function shown(run: Execution): string {
  switch (run.status) {
    case "running": return run.started_at;
    case "completed": return run.ended_at.slice(0, 10) + run.duration_ms.toFixed();
    case "failed": return run.error.toUpperCase();
  }
}
"""
    )
    (project / "wide.ts").write_text(
        'import type { Execution } from "./types.js";\n'
        "export const day = (run: Execution): string => run.ended_at.slice(0, 10);\n"
    )

    assert compiled(project, "narrow.ts") == ""
    assert "'run.ended_at' is possibly 'null'" in compiled(project, "wide.ts")


def small() -> list:
    return [one for one in load_recordings() if len(json.dumps(one.execution)) < 20_000]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"status": "completed"', '"status": "done"'),
        ('"duration_ms": ', '"duration": '),
        ('"steps": [', '"steps": null, "x": ['),
        ('"event_name": "', '"event_name": 1, "x": "'),
    ],
)
def test_types_refuse_what_breaks_the_contract(project: Path, right: str, wrong: str) -> None:
    generated("--format", "typescript", "--out", project / "types.ts")
    text = recorded("documented_example")
    assert right in text
    bad = text.replace(right, wrong, 1)
    (project / "bad.ts").write_text(
        f'import type {{ Execution }} from "./types.js";\nexport const bad: Execution = {bad};\n'
    )

    assert "bad.ts" in compiled(project, "bad.ts")


def test_handlers_compile_as_typescript_too(project: Path) -> None:
    generated("--format", "msw", "--out", project / "handlers.ts")
    (project / "use.ts").write_text(
        'import { setupServer } from "msw/node";\n'
        'import { createHandlers, handlers } from "./handlers.js";\n'
        "export const server = setupServer(...handlers, ...createHandlers());\n"
    )

    assert compiled(project, "handlers.ts", "use.ts") == ""


def requests() -> list[dict]:
    """Questions about every operation, good and bad ones."""
    paths = [f"{V1}/actions", f"{V1}/actions?category=integrations", f"{V1}?limit=3&offset=9"]
    paths += [V1, f"{V1}?status=DRAFT", f"{V1}?status=OLD", f"{V1}?limit=0", f"{V1}?offset=-1"]
    paths += [f"{V1}/actions?category=moon", "/v1/credits/balance", f"{V1}/wf_no"]
    for workflow in load_workflows():
        own = f"{V1}/{workflow['id']}"
        paths += [own, f"{own}/executions", f"{own}/executions?page=2&page_size=1"]
    for recording in load_recordings():
        run = recording.execution
        own = f"{V1}/{run['workflow_id']}/executions/{run['run_id']}"
        paths += [own, f"{own}/variables"]
    paths += [f"{V1}/wf_abc123/executions?page=0", f"{V1}/wf_abc123/executions?page_size=x"]
    paths += [f"{V1}/wf_abc123/executions/run_no", f"{V1}/wf_no/executions/run_x7k9m2"]
    paths += [f"{V1}/wf_abc123/executions/run_p3n8q1", f"{V1}/wf_no/executions"]
    requested = [{"method": "GET", "path": path, "headers": KEY} for path in paths]
    keys = [{}, {"x-api-key": "wrong"}, {"Authorization": f"Bearer {KEY['x-api-key']}"}]
    requested += [{"method": "GET", "path": V1, "headers": headers} for headers in keys]
    return requested


def test_handlers_answer_as_the_mock_does(project: Path) -> None:
    generated("--format", "msw", "--out", project / "handlers.mjs")
    shutil.copy(ASKING, project)
    sent = [{**one, "url": "http://api.test" + one["path"]} for one in requests()]
    settings = Settings(empty=True, freeze="2026-12-01T00:00:00Z", rate_limit="off")
    mock = create_app(settings).test_client()

    done = run(project, "node", ASKING.name, "./handlers.mjs", stdin=json.dumps(sent))

    assert done.returncode == 0, done.stderr
    for requested, response in zip(requests(), json.loads(done.stdout), strict=True):
        expected = mock.get(requested["path"], headers=requested["headers"])
        message = requested["path"], requested["headers"]
        assert (message, response["status"]) == (message, expected.status_code)
        assert (message, essence(response["body"])) == (message, essence(expected.json))


def essence(body: dict) -> dict:
    """A body without the words for people, and of the credits what does not go with the clock."""
    if "error" in body:
        return {"success": body["success"], "code": body["error"]["code"]}
    data = {name: value for name, value in body["data"].items() if name not in PASSING}
    return {**body, "data": data}


def test_a_started_test_is_readable(project: Path) -> None:
    generated("--format", "msw", "--out", project / "handlers.mjs")
    shutil.copy(ASKING, project)
    own = f"http://api.test{V1}/wf_abc123"
    start = {"method": "POST", "url": f"{own}/test", "headers": KEY, "body": "{}"}
    broken = {**start, "body": "{"}

    done = run(project, "node", ASKING.name, "./handlers.mjs", stdin=json.dumps([start, broken]))
    started, refused = json.loads(done.stdout)

    run_ids = {one.execution["run_id"] for one in load_recordings()}
    assert started["status"] == 200
    assert started["body"]["data"]["test_run_id"] in run_ids
    assert (refused["status"], refused["body"]["error"]["code"]) == (400, "BAD_REQUEST")


def test_postman_reads_the_collection(project: Path) -> None:
    generated("--format", "postman", "--out", project / "collection.json")
    (project / "read.cjs").write_text(
        'const { Collection } = require("postman-collection");\n'
        'const collection = new Collection(require("./collection.json"));\n'
        "collection.forEachItem((item) => console.log(item.name, item.responses.count(),\n"
        "  item.request.url.getPath({ unresolved: true })));\n"
    )

    done = run(project, "node", "read.cjs")

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 8
    assert "Execution Detail" in done.stdout
    assert "/v1/workflows/:id/executions/:runId" in done.stdout
