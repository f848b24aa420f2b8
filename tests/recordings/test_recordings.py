"""Every recording keeps the contract, and together they cover what clients must bear."""

import json
from collections import Counter

import pytest

from deadringer.contracts import validate
from deadringer.fixtures import Recording, load_catalogue, load_recordings, load_workflows
from tests.project import ROOT

RECORDINGS = load_recordings()
EXECUTIONS = [recording.execution for recording in RECORDINGS]
STEPS = [step for execution in EXECUTIONS for step in execution["steps"]]
FOLDER = ROOT / "fixtures" / "recorded"


def named(recording: Recording) -> str:
    return recording.name


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
def test_every_recording_keeps_the_schema_and_knows_no_other_members(recording: Recording) -> None:
    assert list(validate(recording.execution, "execution", strict=True)) == []


def test_the_index_and_the_folder_agree() -> None:
    index = json.loads((FOLDER / "index.json").read_text("utf-8"))
    told = {entry["name"]: (entry["workflow_id"], entry["run_id"]) for entry in index}
    files = sorted(path for path in FOLDER.glob("*.json") if path.name != "index.json")
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in files}

    assert told == {name: (one["workflow_id"], one["run_id"]) for name, one in found.items()}
    assert all(entry["story"].endswith(".") for entry in index)


def test_ids_are_used_once() -> None:
    for member in ("run_id", "id"):
        assert max(Counter(execution[member] for execution in EXECUTIONS).values()) == 1


def test_every_workflow_and_action_of_a_recording_is_known() -> None:
    workflows = {workflow["id"]: workflow for workflow in load_workflows()}
    kinds = {action["kind"] for action in load_catalogue()}

    assert {execution["workflow_id"] for execution in EXECUTIONS} == workflows.keys()
    used = {action["kind"] for one in workflows.values() for action in one["workflow"]["actions"]}
    assert used <= kinds


@pytest.mark.parametrize("workflow", load_workflows(), ids=lambda one: one["id"])
def test_every_workflow_keeps_its_schema(workflow: dict) -> None:
    assert list(validate(workflow, "workflow", strict=True)) == []


@pytest.mark.parametrize("action", load_catalogue(), ids=lambda one: one["kind"])
def test_every_action_keeps_its_schema(action: dict) -> None:
    assert list(validate(action, "action", strict=True)) == []


def test_there_are_enough_stories() -> None:
    assert len(RECORDINGS) >= 18


def test_every_status_occurs() -> None:
    assert {one["status"] for one in EXECUTIONS} == {"running", "completed", "failed"}
    assert {step["status"] for step in STEPS} == {
        "pending",
        "running",
        "completed",
        "failed",
        "skipped",
    }


def test_errors_occur_as_text_and_as_object() -> None:
    kinds = {type(step["error"]) for step in STEPS if step["status"] == "failed"}

    assert kinds == {str, dict}


def test_columns_occur_in_every_number() -> None:
    configs = [one["column_config"] for one in EXECUTIONS]

    assert None in configs
    assert [] in configs
    assert {1, 4} <= {len(config) for config in configs if config}


def test_steps_occur_without_a_name_and_in_loops() -> None:
    assert any(step["step_name"] is None for step in STEPS)
    assert any(step.get("iteration") == 3 and step["total_items"] == 4 for step in STEPS)


def test_runs_occur_in_every_size() -> None:
    counts = [len(one["steps"]) for one in EXECUTIONS]
    sizes = [len(json.dumps(one["steps"], ensure_ascii=False).encode()) for one in EXECUTIONS]

    assert {0, 1, 2} <= set(counts)
    assert max(counts) >= 200
    assert max(sizes) > 500_000
    assert max(depth(one) for one in EXECUTIONS) > 80


def test_a_run_failed_before_its_first_step() -> None:
    assert any(one["status"] == "failed" and not one["steps"] for one in EXECUTIONS)


def test_durations_reach_from_nothing_to_hours() -> None:
    durations = [one["duration_ms"] for one in EXECUTIONS if one["duration_ms"] is not None]

    assert min(durations) == 0
    assert max(durations) > 3 * 3_600_000


def test_texts_occur_in_many_scripts() -> None:
    text = next(one for one in RECORDINGS if one.name == "many_scripts_and_emoji").path.read_text(
        "utf-8"
    )

    for sign in ("ß", "日", "ع", "ה", "हि", "한", "Δ", "🎉", "\u200d", "𝔉"):
        assert sign in text, sign


def test_the_documented_example_is_the_first_recording() -> None:
    schema = json.loads((ROOT / "contracts/schemas/execution.json").read_text("utf-8"))

    assert RECORDINGS[0].name == "documented_example"
    assert RECORDINGS[0].execution == schema["examples"][0]


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0
