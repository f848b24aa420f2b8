"""Scenario files: every problem is reported at once, with its place."""

import re

import pytest

from deadringer.mockserver.control_spec import control_specification
from deadringer.mockserver.world.scenarios import ScenarioError, load_scenario, ready_names
from tests.mockserver.world.scenario_worlds import OWN
from tests.project import ROOT


def test_a_bad_document_is_refused_with_a_line_for_each_reason(serve_scenario):
    client = serve_scenario()
    document = {
        **OWN,
        "runs": [{"workflow_id": "wf_nowhere", "at_s": 1}],
        "contract_faults": [{"name": "x", "from_s": 5, "until_s": 1}],
        "nonsense": 1,
    }

    bad = client.put("/__mock/scenario", json={"document": document}).json()
    unknown = client.put("/__mock/scenario", json={"name": "../../etc/passwd"}).json()

    lines = bad["error"]["details"]["errors"]
    assert lines[0].startswith("nonsense: expected documented members only, got ")
    assert [line.split(":")[0] for line in lines[1:]] == [
        *("runs.0.workflow_id", "contract_faults.0.until_s", "contract_faults.0.name"),
    ]
    assert "quiet-day" in unknown["error"]["suggestion"]


EVERY_MISTAKE = """\
summary: 7
nonsense: 1
world: { workflows: [wf_no, 3, wf_abc123], failed: 2 }
workflows:
  - { id: wf_a, name: A, workflow: {} }
  - { id: 5, name: B, workflow: {} }
  - id: a/b
    name: C
    workflow: &empty { trigger: { kind: x, inputs: {} }, actions: [], edges: [] }
  - { id: wf_d, nome: D, workflow: *empty }
runs:
  - { workflow_id: wf_abc123, at_s: soon }
  - { workflow_id: wf_abc123, at_s: 1, fails_at: nowhere }
  - { workflow_id: wf_abc123, at_s: 1, run_id: run_404 }
  - { workflow_id: wf_d, at_s: 1, run_id: .. }
executions:
  - 7
faults:
  - { kind: lag }
  - { kind: hang, from_s: 6, until_s: 2, operation: x }
contract_faults:
  - { name: x, from_s: 5, until_s: 1 }
"""
PLACES = [
    *("1:1", "2:1", "3:22", "3:29", "3:44", "5:26", "5:26", "6:7", "7:5", "10:5", "10:17"),
    *("12:31", "13:5", "14:40", "15:35", "17:5", "19:7", "20:30", "20:42", "22:7", "22:27"),
]


def test_a_file_tells_all_that_is_wrong_with_it_at_once(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(EVERY_MISTAKE, "utf-8")

    with pytest.raises(ScenarioError) as refused:
        load_scenario(str(path), 1)

    lines = [line.removeprefix(f"{path}:").split(": ", 1) for line in refused.value.lines]
    assert [place for place, _problem in lines] == PLACES, refused.value.lines


def test_what_follows_from_another_mistake_is_not_told(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "summary: x\n"
        "workflows: [{ id: 5, name: A, workflow: {} }]\n"
        "runs: [{ workflow_id: wf_perhaps_that_one, at_s: 1 }]\n"
        "faults: [{ kind: hang, workflow_id: wf_perhaps_that_one }]\n",
        "utf-8",
    )

    with pytest.raises(ScenarioError) as refused:
        load_scenario(str(path), 1)

    (line,) = refused.value.lines
    assert f"{path}:2:15: workflows/0/id" in line


def test_a_bad_file_stops_the_start_with_file_line_and_column(refused_start, tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "summary: Bad\n"
        "runs:\n"
        "  - { workflow_id: wf_abc123, at_s: soon }\n"
        "  - workflow_id: wf_abc123\n"
        "    at_s: 1\n"
        "    fials_at: enrich\n"
        "faults:\n"
        "  - { kind: lag }\n",
        "utf-8",
    )

    done = refused_start(DEADRINGER_SCENARIO="bad.yaml")

    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.removeprefix("deadringer: ").split(": ")[0] for line in lines] == [
        "bad.yaml:3:31", "bad.yaml:6:5", "bad.yaml:8:7",
    ]  # fmt: skip
    assert "did you mean fails_at; documented members: action_mocks, " in lines[1]
    assert 'expected one of "latency", "status"' in lines[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("summary: [\n", "bad.yaml:2:1"),
        ("summary: a\nsummary: b\n", "bad.yaml:2:1: 'summary' is used twice"),
        ("&a [*a]\n", "an alias refers to its"),
        ("", "bad.yaml:1:1"),
        ("summary: x\nruns:\n  - {workflow_id: wf_abc123, at_s: 1, fails_at: nowhere}\n",
         "bad.yaml:3:5: runs/0: no run of workflow wf_abc123 fails at step 'nowhere'"),
        ("summary: x\nexecutions:\n  - {run_id: run_x}\n", "bad.yaml:3:5: executions/0"),
        ("summary: x\nworld: {workflows: [wf_no]}\n", "bad.yaml:2:21: world/workflows/0"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_is_told_where_it_is(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ScenarioError) as refused:
        load_scenario(str(path), 1)

    assert message in str(refused.value)


def test_an_unknown_name_is_refused_and_the_ready_ones_named():
    with pytest.raises(ScenarioError) as refused:
        load_scenario("calm-day", 1)

    assert [name for name in ready_names() if name not in str(refused.value)] == []


def test_the_documented_file_can_be_served_and_every_member_is_documented(tmp_path):
    text = (ROOT / "docs" / "guides" / "scenarios.md").read_text("utf-8")
    path = tmp_path / "my-world.yaml"
    path.write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1], "utf-8")

    assert load_scenario(str(path), 1).name == "my-world"
    schemas = control_specification()["components"]["schemas"]
    members = {
        *schemas["Scenario"]["properties"],
        *schemas["Scenario"]["properties"]["world"]["properties"],
        *schemas["ScenarioRun"]["properties"],
    }
    assert [name for name in sorted(members) if f"`{name}`" not in text] == []


def test_whole_floats_of_a_file_are_integers(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "summary: Floats\n"
        "world: { runs_per_workflow: 7.0 }\n"
        "runs: [{ workflow_id: wf_abc123, run_id: r, at_s: 1.0, duration_ms: 5.0e+3 }]\n"
        "faults: [{ kind: status, status: 503.0, every: 2.0, length: 1.0 }]\n"
    )

    document = load_scenario(str(file), 1).document

    assert repr(document["world"]) == "{'runs_per_workflow': 7}"
    assert repr(document["runs"][0]["duration_ms"]) == "5000"
    assert repr(document["runs"][0]["at_s"]) == "1.0"
    assert repr(document["faults"][0]["status"]) == "503"
