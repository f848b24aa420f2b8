"""The exports in the tools they are for: TypeScript's compiler, Mock Service Worker, Postman."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deadringer.contracts.rules import Context, validate_execution
from deadringer.fixtures import load_recordings, load_workflows
from deadringer.fixtures.reserved_ids import RESERVED_RUNS
from deadringer.mockserver import Settings, create_app
from deadringer.mockserver.world.repository import row_of
from tests.machine import give_up
from tests.mockserver.cli import generated

PACKAGES = (
    *("msw@2.15.0", "msw3@npm:msw@3.0.5", "typescript@7.0.2"),
    *("postman-collection@5.3.1", "newman@6.2.2"),
)
ASKING = Path(__file__).with_name("ask_handlers.mjs")
KEY = {"x-api-key": "trig_demo_key_0123456789abcdef"}
V1 = "/v1/workflows"
PASSING = {"balance", "next_reset"}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("npm")]  # one installation, one process


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frontend project with the tools; `three/` has Mock Service Worker 3."""
    if not shutil.which("npm"):
        give_up("needs Node with npm")
    folder = tmp_path_factory.mktemp("frontend")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(install, cwd=folder, capture_output=True, timeout=600, check=False)
    if done.returncode:
        give_up(f"npm cannot install packages here: {done.stderr.decode()[-500:]}")
    (folder / "three" / "node_modules").mkdir(parents=True)
    (folder / "three" / "node_modules" / "msw").symlink_to(folder / "node_modules" / "msw3")
    return folder


@pytest.fixture(params=[2, 3])
def worker(project: Path, request: pytest.FixtureRequest) -> Path:
    """The project with one version of Mock Service Worker, and the handlers in it."""
    folder = project if request.param == 2 else project / "three"
    generated("--format", "msw", "--out", folder / "handlers.mjs")
    shutil.copy(ASKING, folder)
    return folder


def asked(folder: Path, requests: list[dict], **options: object) -> list[dict]:
    """What the handlers response, made with these options."""
    sent = [{**one, "url": "http://api.test" + one["path"]} for one in requests]
    line = ("node", ASKING.name, "./handlers.mjs", json.dumps(options))
    done = run(folder, *line, stdin=json.dumps(sent))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
    """What the strict compiler has to report, empty if all is well."""
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
    keys += [{"x-api-key": "", **keys[2]}, {"x-api-key": "trig_other_key_0123456789"}]
    keys += [{"x-api-key": f"{KEY['x-api-key']}__session_one"}, {"Authorization": "Basic eDp5"}]
    requested += [{"method": "GET", "path": V1, "headers": headers} for headers in keys]
    requested += [{"method": "HEAD", "path": path, "headers": KEY} for path in paths[::3]]
    codes = [400, 401, 403, 404, 429, 500, 503, 299]
    own = f"{V1}/wf_abc123"
    for place in (V1, own, f"{own}/executions/run_x7k9m2"):
        for code in codes:
            requested.append(
                {"method": "GET", "path": place, "headers": {**KEY, "Prefer": f"code={code}"}}
            )
        requested.append({"method": "GET", "path": f"{place}?__code=429", "headers": KEY})
    requested += [
        {"method": "POST", "path": f"{own}/test", "headers": KEY, "body": body} for body in BODIES
    ]
    for name in ("wf_400", "wf_404", "wf_429", "wf_500", "wf_503"):
        for rest in ("", "/executions", "/executions/run_any", "/executions/run_any/variables"):
            requested.append({"method": "GET", "path": f"{V1}/{name}{rest}", "headers": KEY})
    for name in (
        "run_completed",
        "run_failed",
        "run_running_forever",
        "run_no_steps",
        "run_many_steps",
    ):
        for below in ("wf_abc123", "wf_503", "wf_no_runs", "wf_no"):
            path = f"{V1}/{below}/executions/{name}"
            requested += [
                {"method": method, "path": path + rest, "headers": KEY}
                for method, rest in (("GET", ""), ("GET", "/variables"), ("HEAD", ""))
            ]
    for code in (400, 401, 403, 404, 429, 500, 503):
        path = f"{own}/executions/run_{code}"
        requested += [
            {"method": "GET", "path": path + rest, "headers": KEY} for rest in ("", "/variables")
        ]
    return requested


BODIES = [
    *("", "{}", "{", "[1]", "null", "1", '"x"', "NaN"),
    *(
        '{"overrides": {"likes": "x"}}',
        '{"overrides": {"likes": -1}}',
        '{"overrides": {"likes": 2}}',
    ),
    *('{"overrides": {"source": "myspace"}}', '{"overrides": []}', '{"overrides": {"own": [1]}}'),
    *('{"test_config": {"mode": "dry"}}', '{"test_config": {"mode": "real_with_override"}}'),
    *('{"test_config": {"action_mocks": {"slack-1": {}}}}', '{"breakpoints": [1]}'),
    '{"test_config": {"action_mocks": {"slack-1": {"enabled": true, "output": {"ok": true}}}}}',
    '{"overrides": {"likes": "x", "text": 1}, "breakpoints": "all"}',
]


def test_handlers_answer_as_the_mock_does(worker: Path) -> None:
    settings = Settings(empty=True, freeze="2026-12-01T00:00:00Z", rate_limit="off")
    mock = create_app(settings).test_client()

    responses = asked(worker, requests())

    assert len(responses) >= 200
    for requested, response in zip(requests(), responses, strict=True):
        expected = mock.open(
            requested["path"],
            method=requested["method"],
            headers=requested["headers"],
            data=requested.get("body"),
        )
        message = requested
        assert (message, response["status"]) == (message, expected.status_code)
        body = expected.json if requested["method"] != "HEAD" else None
        assert (message, essence(response["body"])) == (message, essence(body))


def essence(body: dict | None) -> dict | None:
    """A body without the words for people, and without what depends on the clock.

    Of a generated run, which the mock makes for the workflow and the hour, that is the status.
    """
    if body is None:
        return None
    if "error" in body:
        details = body["error"]["details"]
        problems = details and len(details.get("errors", ()))
        return {"success": body["success"], "code": body["error"]["code"], "problems": problems}
    data = {name: value for name, value in body["data"].items() if name not in PASSING}
    if data.get("run_id", "") in RESERVED_RUNS:
        data = {name: data[name] for name in ("run_id", "status")}
    if "test_run_id" in data:
        data["test_run_id"] = "some run"
    return {**body, "data": data}


def test_a_started_test_is_polled_until_it_ends(worker: Path) -> None:
    own = f"{V1}/wf_abc123"
    body = '{"test_config": {"action_mocks": {"slack-1": {"enabled": true, "output": {"a": 1}}}}}'
    detail = {"method": "GET", "path": f"{own}/executions/{{started}}", "headers": KEY}
    rows = {**detail, "path": f"{own}/executions?page_size=1"}
    start = {"method": "POST", "path": f"{own}/test", "headers": KEY, "body": body}

    _, first, listed, ended, workflow, last = (
        response["body"]["data"]
        for response in asked(
            worker,
            [start, detail, rows, {**detail, "wait_ms": 2500}, {**detail, "path": own}, rows],
            speed=2,
        )
    )

    for execution in (first, ended):
        assert list(validate_execution(execution, Context())) == []
    assert (first["status"], first["ended_at"]) == ("running", None)
    assert listed["executions"] == [row_of(first)]
    assert (ended["status"], ended["steps"][1]["output"]) == ("completed", {"a": 1})
    assert last["executions"] == [row_of(ended)]
    assert workflow["execution_count"] == last["pagination"]["total_count"]


def test_transport_faults_of_reserved_ids_reach_the_client(worker: Path) -> None:
    paths = [
        f"{V1}/wf_abc123/executions/run_{name}"
        for name in ("empty_reply", "truncated", "malformed")
    ]

    responses = asked(worker, [{"method": "GET", "path": path, "headers": KEY} for path in paths])

    assert [response["status"] for response in responses] == [0, 200, 200]
    assert [response["body"] for response in responses] == [None, None, None]


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


def test_the_tests_of_the_collection_pass_against_the_mock(project: Path, server) -> None:
    generated("--format", "postman", "--out", project / "collection.json")
    options = ("--env-var", f"baseUrl={server.url}", "--reporters", "json")

    done = run(
        project, "npx", "--no-install", "newman", "run", "collection.json", *options,
        "--reporter-json-export", "newman.json",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    stats = json.loads((project / "newman.json").read_text("utf-8"))["run"]["stats"]
    assert (stats["requests"]["total"], stats["assertions"]) == (
        8,
        {"total": 16, "pending": 0, "failed": 0},
    )
