"""The control API's own document: routes, requests and responses match it."""

import re

import pytest
import yaml
from openapi_spec_validator import validate as validate_openapi

from deadringer.fixtures import load_recordings
from deadringer.mockserver import Settings
from deadringer.mockserver.admin.control.routes import OF_A_PROXY, VIEWS
from deadringer.mockserver.api.prefer import RUN_STATUSES
from deadringer.mockserver.app import build_app
from deadringer.mockserver.control_spec import (
    control_operations,
    control_specification,
    response_validator,
)
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS
from deadringer.mockserver.faults.transport import CHAOS, KINDS, NAMED_FAULTS, SCOPE
from deadringer.mockserver.world.started_runs import DRIVES
from tests.mockserver.conftest import KNOWN
from tests.project import ROOT

OPERATIONS = {one.operation_id: one for one in control_operations()}
SCHEMAS = control_specification()["components"]["schemas"]
RUN = KNOWN.removeprefix("/v1")
DOCUMENT = load_recordings()[0].execution
TOUR = (
    ("getIndex", "", None),
    ("getControlSpecification", "openapi.json", None),
    ("getControlSpecificationAsYaml", "openapi.yaml", None),
    ("getLive", "health/live", None),
    ("getReady", "health/ready", None),
    ("addFault", "faults", {"kind": "latency", "delay_ms": 1, "from_s": 0, "until_s": 60}),
    ("addFault", "faults", {"kind": "nonsense"}),
    ("setChaos", "chaos", {"profile": "maintenance"}),
    ("getChaos", "chaos", None),
    ("unsetChaos", "chaos", None),
    ("enableContractFault", "contract-faults/balance-is-open", None),
    ("listContractFaults", "contract-faults", None),
    ("disableContractFault", "contract-faults/balance-is-open", None),
    ("disableContractFault", "contract-faults/balance-is-open", None),
    ("disableContractFaults", "contract-faults", None),
    ("getScenario", "scenario", None),
    ("setScenario", "scenario", {"name": "quiet-day"}),
    ("setScenario", "scenario", {"document": {"summary": 7}}),
    ("getScenario", "scenario", None),
    ("listScenarios", "scenarios", None),
    ("unsetScenario", "scenario", None),
    ("addFault", "faults", {"kind": "status", "status": 429, "share": 0.5}),
    ("startLiveRun", "workflows/wf_abc123/runs", {"drive": "manual", "status": "failed"}),
    ("startLiveRun", "workflows/wf_nowhere/runs", None),
    ("advanceRun", "workflows/wf_abc123/executions/{started}/advance", {"transitions": 2}),
    ("putExecution", "workflows/wf_abc123/executions/run_mine", DOCUMENT),
    ("patchExecution", "workflows/wf_abc123/executions/run_mine", {"status": "running"}),
    ("patchExecution", "workflows/wf_abc123/executions/run_mine?force=true", {"error": "x"}),
    ("deleteExecution", f"{RUN.removeprefix('/')}", None),
    ("getState", "state", None),
    ("setClock", "clock", {"now": "2027-01-01T00:00:00Z", "speed": 0}),
    ("advanceClock", "clock/advance", {"seconds": 90}),
    ("getClock", "clock", None),
    ("unsetClock", "clock", None),
    ("listFaults", "faults", None),
    ("removeFault", "faults/{fault}", None),
    ("removeFaults", "faults", None),
    ("getJournal", "journal", None),
    ("getJournal", "journal?limit=none", None),
    ("getJournalEntry", "journal/1", None),
    ("verifyCounts", "verify", {"path": "/v1/*", "at_least": 1}),
    ("verifyCounts", "verify", {"exactly": 77}),
    ("getReport", "report", None),
    ("clearJournal", "journal", None),
    ("getCoverage", "coverage?all=true", None),
    ("getCoverage", "coverage?all=perhaps", None),
    ("resetSession", "reset", None),
)


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def problems_with(operation_id, response):
    """Return the problems of a response according to the document."""
    validator = response_validator(OPERATIONS[operation_id], response.status_code)
    if validator is None:
        return [f"{operation_id}: status {response.status_code} is not documented"]
    if response.is_redirect:
        return []  # has no documented body
    is_json = response.headers["content-type"] == "application/json"
    body = response.json() if is_json else yaml.safe_load(response.text)
    return [f"{operation_id}: {error.message}" for error in validator.iter_errors(body)]


def test_it_is_an_openapi_document():
    validate_openapi(control_specification())


def test_every_operation_is_answered_and_nothing_else_is():
    assert set(OPERATIONS) == set(VIEWS)


def test_every_operation_answers_as_the_document_says_with_each_of_its_statuses(mock):
    mock.get(KNOWN)
    names = {"started": "", "fault": ""}
    message, bad = set(), []

    def send(operation_id, path, body=None, **headers):
        method = OPERATIONS[operation_id].method
        url = f"/__mock/{path.format(**names)}"
        response = mock.request(method, url, json=body, headers=headers)
        bad.extend(problems_with(operation_id, response))
        message.add((operation_id, documented_as(operation_id, response.status_code)))
        if response.status_code == 201:
            made = response.json()
            names["started"] = made.get("run_id", names["started"])
            names["fault"] = made.get("id", names["fault"])

    for operation_id, path, body in TOUR:
        send(operation_id, path, body)
        send(operation_id, path, body, Origin="https://elsewhere.example")
    send("getIndex", "", Accept="text/html")

    assert bad == []
    documented = {
        (one.operation_id, status)
        for one in OPERATIONS.values()
        for status in one.described["responses"]
    }
    elsewhere = {("getReady", "503")}  # tests/mockserver/replicas/test_servers.py cuts one off
    assert documented - message == {(name, "200") for name in OF_A_PROXY} | elsewhere


def documented_as(operation_id, status):
    return (
        str(status) if str(status) in OPERATIONS[operation_id].described["responses"] else "default"
    )


def test_faults_of_every_kind_and_origin_are_told_as_documented(mock):
    mock.get(KNOWN)
    document = {"summary": "x", "faults": [{"kind": "drip", "until_s": 9}], "chaos": "overloaded"}
    mock.put("/__mock/scenario", json={"document": document})
    wanted = [*NAMED_FAULTS.values(), {"kind": "status", "method": "GET", "key": "x", "every": 2}]
    responses = [("addFault", mock.post("/__mock/faults", json=one)) for one in wanted]

    for operation_id, path in (
        *(("listFaults", "faults"), ("getState", "state"), ("getChaos", "chaos")),
        *(("getJournal", "journal"), ("getScenario", "scenario")),
    ):
        responses.append((operation_id, mock.get(f"/__mock/{path}")))

    assert [one for response in responses for one in problems_with(*response)] == []
    origins = {one["origin"] for one in mock.get("/__mock/faults").json()["in_force"]}
    assert origins == {"chaos", "scenario", "session"}


def test_no_answer_may_hold_more_than_is_documented():
    found = {
        (one.operation_id, where)
        for one in OPERATIONS.values()
        for response in one.described["responses"].values()
        for where in open_objects(response)
    }

    assert {where for _operation_id, where in found} == {"ExecutionDocument", ""}
    nameless = {operation_id for operation_id, where in found if not where}
    documents = {"getControlSpecification", "getControlSpecificationAsYaml"}
    assert nameless == documents | {"getReport"}  # it has a schema of its own


def open_objects(node, within=""):
    """Yield the names of the schemas with objects that allow undocumented members.

    The schema of scenarios is also that of a request, and is skipped.
    """
    if isinstance(node, list):
        for one in node:
            yield from open_objects(one, within)
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        kind, name = node["$ref"].split("/")[-2:]
        if name != "Scenario":
            yield from open_objects(control_specification()["components"][kind][name], name)
        return
    if "object" in node.get("type", "") and node.get("additionalProperties", True) is True:
        yield within
    for one in node.values():
        yield from open_objects(one, within)


def test_an_answer_that_is_not_as_documented_is_seen():
    validator = response_validator(OPERATIONS["getClock"], 200)

    assert not validator.is_valid({"now": "yesterday", "mode": "real", "speed": 1})
    now = "2026-03-27T10:15:00Z"
    assert not validator.is_valid({"now": now, "mode": "real", "speed": 1, "more": 1})
    assert validator.is_valid({"now": now, "mode": "real", "speed": 1})
    assert response_validator(OPERATIONS["getClock"], 204) is None


def test_it_is_served_in_both_forms_and_indexed(mock):
    as_json = mock.get("/__mock/openapi.json").json()
    index = mock.get("/__mock/").json()

    assert yaml.safe_load(mock.get("/__mock/openapi.yaml").text) == as_json
    assert as_json == control_specification()
    assert {(one["method"], one["path"]) for one in index["operations"]} == {
        (one.method, one.path) for one in OPERATIONS.values()
    }


def test_a_browser_is_sent_to_the_pages(mock):
    response = mock.get("/__mock/", headers={"Accept": "text/html,*/*;q=0.8"})

    assert (response.status_code, response.headers["location"]) == (302, "/__mock/ui/runs")


@pytest.mark.parametrize("operation_id", [i for i, o in OPERATIONS.items() if o.method != "GET"])
def test_unknown_members_are_refused_and_known_ones_named(mock, operation_id):
    operation = OPERATIONS[operation_id]
    content = operation.described.get("requestBody")
    if content is None or operation_id in {"putExecution", "patchExecution"}:
        return  # no body, or one that the contract validates
    path = re.sub(r"\{id\}", "wf_abc123", operation.path).replace("{run_id}", "run_x")
    known = (
        "kind" if operation_id == "addFault" else next(iter(SCHEMAS[_name(content)]["properties"]))
    )
    body = {"nonsense": 1, **({"kind": "hang"} if operation_id == "addFault" else {})}

    response = mock.request(operation.method, path, json=body)

    (line,) = (
        one for one in response.json()["error"]["details"]["errors"] if one.startswith("nonsense")
    )
    assert response.status_code == 400
    assert known in line


def _name(content):
    return content["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]


def test_every_breach_of_a_body_has_a_line_of_its_own(mock):
    response = mock.post(
        "/__mock/workflows/wf_abc123/runs",
        json={"status": "exploded", "steps": "many", "drive": 7, "overrides": [], "duration_ms": 0},
    )

    lines = response.json()["error"]["details"]["errors"]
    assert [line.split(":")[0] for line in lines] == [
        "drive", "duration_ms", "overrides", "status", "steps",
    ]  # fmt: skip


def test_fault_schemas_are_the_kinds_the_server_knows():
    described = {}
    for branch in SCHEMAS["Fault"]["oneOf"]:
        properties = dict(SCHEMAS[branch["$ref"].rsplit("/", 1)[1]]["properties"])
        kind = properties.pop("kind")["const"]
        own = properties.keys() - SCHEMAS["FaultScope"]["properties"].keys()
        described[kind] = {name: properties[name]["default"] for name in own}

    assert described == {kind.name: dict(kind.parameters) for kind in KINDS.values()}
    own = {name for kind in KINDS.values() for name in kind.parameters}
    scope = SCHEMAS["FaultScope"]["properties"].keys()
    assert SCHEMAS["SetFault"]["properties"].keys() == {*scope, *own, "id", "kind", "since"}
    assert SCHEMAS["SetFault"]["properties"]["kind"]["enum"] == list(KINDS)
    assert set(SCOPE) < set(SCHEMAS["FaultScope"]["properties"])


def test_names_the_document_lists_are_the_ones_there_are():
    assert SCHEMAS["ChaosProfile"]["enum"] == list(CHAOS)
    assert SCHEMAS["Drive"]["enum"] == list(DRIVES)
    assert SCHEMAS["RunStart"]["properties"]["status"]["enum"] == list(RUN_STATUSES)


def test_contract_faults_are_listed_with_the_promise_they_break(mock):
    mock.put("/__mock/contract-faults/balance-is-open")

    listed = mock.get("/__mock/contract-faults").json()["contract_faults"]

    assert [one["name"] for one in listed] == [one.name for one in CONTRACT_FAULTS]
    assert [one["name"] for one in listed if one["is_on"]] == ["balance-is-open"]
    assert all(one["rule"] and one["story"] for one in listed)


def test_every_operation_stands_in_the_documentation():
    text = (ROOT / "docs" / "reference" / "control-api.md").read_text("utf-8")
    written = set(re.findall(r"^\| \[`([A-Z]+) ([^`]+)`\]", text, re.MULTILINE))

    assert written == {(one.method, one.path) for one in OPERATIONS.values()}
