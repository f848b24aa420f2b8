"""Transport faults that could never apply are refused with every reason."""

import json

import pytest

from deadringer.contracts import operations
from deadringer.fixtures import load_recordings
from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from deadringer.mockserver.faults.transport import CHAOS, NAMED_FAULTS
from deadringer.mockserver.faults.validation import problems_of_fault
from deadringer.mockserver.world.scenarios import ScenarioError, load_scenario

IMPOSSIBLE = [
    ({"delay_ms": 500, "delay_to_ms": 200}, "delay_to_ms"),
    ({"delay_to_ms": 200}, "delay_to_ms"),
    ({"from_s": 60, "until_s": 60}, "until_s"),
    ({"from_s": 60, "until_s": 5}, "until_s"),
    ({"until_s": 0}, "until_s"),
    ({"count": 3, "every": 20, "length": 5}, "count"),
    ({"path": "/v10/*"}, "path"),
    ({"every": 5, "length": 6}, "length"),
    ({"length": 6}, "length"),
    ({"operation": "getexecution"}, "operation"),
    ({"method": "get"}, "method"),
    ({"method": "OPTIONS"}, "method"),
    ({"method": "GET", "operation": "testWorkflow"}, "method"),
    ({"operation": "getCreditBalance", "workflow_id": "wf_abc123"}, "workflow_id"),
    ({"workflow_id": "wf_nowhere"}, "workflow_id"),
    ({"path": "/workflows/*"}, "path"),
    ({"path": "/v"}, "path"),
    ({"path": "/__mock/*"}, "path"),
    ({"count": 0}, "count"),
    ({"share": 0}, "share"),
]
POSSIBLE = [
    {"delay_ms": 200, "delay_to_ms": 200},
    {"delay_to_ms": 900},
    {"from_s": -5, "until_s": 1},
    {"from_s": -3600, "until_s": -1800},
    {"count": 16, "every": 20, "length": 5},
    {"every": 5, "length": 5},
    {"method": "HEAD", "operation": "getExecution"},
    {"method": "DELETE", "workflow_id": "wf_abc123"},
    {"method": "POST", "workflow_id": "wf_abc123"},
    {"workflow_id": "wf_slow"},
    {"path": "*/executions"},
    {"path": "/v1/credits/balance"},
    {"path": "/v?/*"},
    {"path": "/v1*"},
]
WORKFLOW = """
summary: One of its own, whose fault is meant for it.
workflows:
  - id: wf_own
    name: Own
    workflow:
      trigger: { kind: workflows/new-post, inputs: {} }
      actions: [{ id: notify, kind: slack_send_channel_message }]
      edges: [{ from: $source, to: notify }]
"""


@pytest.fixture
def mock(over_http, clock):
    return over_http(build_app(Settings(), clock=clock))


def refused(mock, **fault):
    response = mock.post("/__mock/faults", json={"kind": "latency", **fault})
    assert response.status_code == 400, response.text
    assert mock.get("/__mock/faults").json()["faults"] == []
    return response.json()["error"]["details"]["errors"]


def load(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    return load_scenario(str(file), 1)


@pytest.mark.parametrize(("fault", "member"), IMPOSSIBLE)
def test_it_is_refused_in_a_request_and_in_a_file(mock, tmp_path, fault, member):
    (line,) = refused(mock, **fault)
    with pytest.raises(ScenarioError) as message:
        load(tmp_path, f"summary: x\nfaults:\n  - { ({'kind': 'latency', **fault}) }\n")

    assert line.startswith(f"{member}: ")
    (line,) = message.value.lines
    assert f" faults/0/{member}: " in line


@pytest.mark.parametrize("fault", POSSIBLE)
def test_one_that_may_strike_is_taken(mock, fault):
    assert mock.post("/__mock/faults", json={"kind": "latency", **fault}).status_code == 201


def test_every_reason_is_told_at_once_and_what_there_is_named(mock):
    lines = refused(mock, operation="x", method="get", workflow_id="wf_abc12", until_s=-1, length=2)

    message = {line.split(":")[0]: line for line in lines}
    assert message.keys() == {"operation", "method", "workflow_id", "until_s", "length"}
    assert all(one.operation_id in message["operation"] for one in operations())
    assert "use one of: GET, HEAD, POST, " in message["method"]
    assert "nearest: wf_abc123, " in message["workflow_id"]


def test_reasons_of_the_schema_keep_the_others_from_nobody(mock, tmp_path):
    fault = {"kind": "latency", "share": 0, "count": "x", "nonsense": 1, "operation": "x",
             "delay_ms": "x", "delay_to_ms": 1, "every": 0, "length": 9, "until_s": -1}  # fmt: skip

    lines = refused(mock, **fault)
    with pytest.raises(ScenarioError) as message:
        load(tmp_path, f"summary: x\nfaults:\n  - {fault}\n")

    # delay_to_ms and length are not validated while their partners are invalid.
    wrong = {"share", "count", "nonsense", "operation", "delay_ms", "every", "until_s"}
    assert {line.split(":")[0] for line in lines} == wrong
    assert {line.split(": ")[1] for line in message.value.lines} == {
        f"faults/0/{it}" for it in wrong
    }


@pytest.mark.parametrize("kind", ["lag", 7, None])
def test_of_a_fault_of_no_kind_nothing_else_is_said(mock, kind):
    lines = refused(mock, kind=kind, operation="x", until_s="never")

    assert [line.split(":")[0] for line in lines] == ["kind"]


def test_the_span_of_a_contract_fault_is_judged_alike(tmp_path):
    with pytest.raises(ScenarioError) as message:
        load(
            tmp_path,
            "summary: x\ncontract_faults:\n"
            "  - { name: balance-is-open, until_s: -3 }\n"
            "  - { name: balance-is-open, from_s: 3, until_s: 3 }\n",
        )

    places = [line.split(": ")[1] for line in message.value.lines]
    assert places == ["contract_faults/0/until_s", "contract_faults/1/until_s"]


def test_a_workflow_of_the_scenario_is_known_in_it_and_only_there(mock, tmp_path):
    scoped = WORKFLOW + "faults: [{ kind: hang, workflow_id: wf_own }]\n"
    document = load(tmp_path, scoped).document

    assert refused(mock, workflow_id="wf_own")
    mock.put("/__mock/scenario", json={"document": document})

    added = mock.post("/__mock/faults", json={"kind": "hang", "workflow_id": "wf_own"})
    assert added.status_code == 201


def test_a_workflow_of_ones_own_documents_is_known(over_http, clock, tmp_path):
    own = {**load_recordings()[0].execution, "workflow_id": "wf_mine", "run_id": "run_mine"}
    folder, story = tmp_path / "documents", tmp_path / "story.yaml"
    folder.mkdir()
    (folder / "mine.json").write_text(json.dumps(own), "utf-8")
    story.write_text("summary: x\nfaults: [{ kind: hang, workflow_id: wf_mine }]\n", "utf-8")

    mock = over_http(build_app(Settings(fixtures=(folder,), scenario=str(story)), clock=clock))

    (fault,) = mock.get("/__mock/faults").json()["in_force"]
    assert fault["workflow_id"] == "wf_mine"
    document = {**mock.get("/__mock/scenario").json()["document"], "world": {"recorded": False}}
    assert mock.put("/__mock/scenario", json={"document": document}).status_code == 400


def test_the_ready_faults_and_mixes_pass_the_same_judgement():
    ready = [*NAMED_FAULTS.values(), *(one for _story, faults in CHAOS.values() for one in faults)]

    assert [one for fault in ready for one in problems_of_fault(fault, ())] == []
