"""Runs follow the definition they are given, whoever wrote it."""

import json

import pytest

from deadringer.fixtures import load_workflows
from deadringer.fixtures.generator import Recipe, compile_workflow, plan_run, view_run

from .judging import judged

START = "2026-03-27T10:15:00Z"
DOCUMENTED = next(w for w in load_workflows() if w["id"] == "wf_abc123")


def action(identifier, kind="generic_agent", **inputs):
    return {"id": identifier, "kind": kind, "name": identifier.upper(), "inputs": inputs}


def edge(start, end, kind=None):
    conditional = {"conditional": {"type": kind, "ref": "!ref($.steps.x.result)"}}
    return {"from": start, "to": end, **(conditional if kind else {})}


def workflow_of(actions, edges):
    trigger = {"kind": "workflows/multi-post-trigger", "inputs": {}}
    definition = {"trigger": trigger, "actions": actions, "edges": edges}
    return {"id": "wf_test", "workflow": definition}


POSTS = "!ref($.trigger.outputs.posts)"
DEFINITIONS = {
    "no edges": workflow_of([action("a"), action("b")], []),
    "no actions": workflow_of([], []),
    "parallel ways that join": workflow_of(
        [action("d"), action("a"), action("b"), action("c")],
        [edge("$source", "a"), edge("a", "b"), edge("a", "c"), edge("b", "d"), edge("c", "d")],
    ),
    "an if inside a loop": workflow_of(
        [
            action("each", "builtin:loop", collection=POSTS),
            action("popular", "builtin:if", condition={">": ["!ref($.each.item.likes)", 100]}),
            action("praise"),
            action("note"),
            action("save", "save_to_db", data={"text": "{{ !ref($.praise.result.output) }}"}),
        ],
        [
            edge("$source", "each"),
            edge("each", "popular", "loop"),
            edge("popular", "praise", "if"),
            edge("popular", "note", "else"),
            edge("praise", "save"),
            edge("note", "save"),
        ],
    ),
    "a loop inside a loop": workflow_of(
        [
            action("posts", "builtin:loop", collection=POSTS),
            action("get", "linkedin_get_post_comments", postUrl="!ref($.posts.item.postUrl)"),
            action("people", "builtin:loop", collection="!ref($.steps.get.result.data.items)"),
            action("say", prompt="{{ !ref($.people.item.text) }}"),
            action("after"),
            action("end", "builtin:exit"),
        ],
        [
            edge("$source", "posts"),
            edge("posts", "get", "loop"),
            edge("get", "people"),
            edge("people", "say", "loop"),
            edge("people", "after", "completed"),
            edge("posts", "end", "completed"),
        ],
    ),
    "a loop whose body leads back": workflow_of(
        [action("each", "builtin:loop", collection=POSTS), action("a"), action("b")],
        [
            edge("$source", "each"),
            edge("each", "a", "loop"),
            edge("a", "each"),
            edge("each", "b", "completed"),
        ],
    ),
    "one of three matches": workflow_of(
        [action("which", "builtin:switch"), *map(action, "abcz")],
        [edge("$source", "which"), *(edge("which", name, "match") for name in "abc")]
        + [edge(name, "z") for name in "abc"],
    ),
    "kinds nobody has heard of": workflow_of(
        [
            action("u", "acme_scan"),
            action("each", "builtin:loop", collection="!ref($.u.result.list)"),
            action("p", prompt="{{ !ref($.each.item.text) }}, {{ !ref($.u.result.deep.er) }}"),
        ],
        [edge("$source", "u"), edge("u", "each"), edge("each", "p", "loop")],
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("status", ["completed", "failed", "running"])
def test_runs_of_any_definition_keep_the_contract(name, status):
    workflow = DEFINITIONS[name]
    unknown = {"acme_scan"}

    for run in range(30):
        found = judged(view_run(plan_run(3, workflow, run, START, status=status)), workflow)
        found = [v for v in found if not any(kind in v.got for kind in unknown)]
        assert found == []


@pytest.mark.parametrize("workflow", load_workflows(), ids=lambda workflow: workflow["id"])
def test_runs_of_the_recorded_workflows_keep_the_contract(workflow):
    for run in range(30):
        assert judged(view_run(plan_run(1, workflow, run, START)), workflow) == []


def test_steps_stand_in_the_order_of_the_edges_not_of_the_definition():
    plan = plan_run(1, DEFINITIONS["parallel ways that join"], 0, START, status="completed")

    assert [step["step_id"] for step in view_run(plan)["steps"]] == ["a", "b", "c", "d"]


def test_a_branch_is_chosen_by_its_condition():
    plan = plan_run(1, DEFINITIONS["an if inside a loop"], 3, START, status="completed")
    execution = view_run(plan)

    by_iteration = {}
    for step in execution["steps"]:
        by_iteration.setdefault(step["iteration"], {})[step["step_id"]] = step["status"]
    assert by_iteration
    for statuses in by_iteration.values():
        assert {statuses["praise"], statuses["note"]} == {"completed", "skipped"}
        assert statuses["save"] == "completed"


def test_what_a_step_of_another_iteration_said_is_forgotten():
    for run in range(40):
        plan = plan_run(1, DEFINITIONS["an if inside a loop"], run, START, status="completed")
        said, unsaid = {}, set()
        for step in view_run(plan)["steps"]:
            if step["step_id"] == "praise":
                output = step["output"] or {"result": {"output": ""}}
                said[step["iteration"]] = output["result"]["output"]
            if step["step_id"] == "save":
                assert step["input"]["data"]["text"] == said[step["iteration"]]
                unsaid.add(said[step["iteration"]] == "")
        if unsaid == {True, False}:
            return
    raise AssertionError("no run took both branches")


def test_overrides_show_up_in_the_inputs():
    overrides = {"text": "Excited to announce our Series B!", "likes": 240}

    plan = plan_run(1, DOCUMENTED, 0, START, status="completed", overrides=overrides)

    prompt = view_run(plan)["steps"][0]["input"]["prompt"]
    assert prompt.endswith("bullet points: Excited to announce our Series B!")


def test_overrides_in_snake_case_replace_the_triggers_camel_case():
    echo = action("a", prompt="{{ !ref($.trigger.outputs.authorUrl) }}")
    workflow = workflow_of([echo], [edge("$source", "a")])

    plan = plan_run(1, workflow, 0, START, overrides={"author_url": "https://example.com/me"})

    assert plan.steps[0].document["input"] == {"prompt": "https://example.com/me"}


def test_mocked_outputs_stand_verbatim_and_feed_later_steps():
    output = {"result": {"output": "said by the mock"}, "odd": [1, None]}
    mocks = {"agent-1": {"enabled": True, "output": output}}

    plan = plan_run(1, DOCUMENTED, 0, START, status="completed", action_mocks=mocks)

    agent, slack = view_run(plan)["steps"]
    assert agent["output"] == output
    assert slack["input"]["message"] == "New post summary: said by the mock"


def test_a_mock_that_is_not_enabled_changes_nothing():
    mocks = {"agent-1": {"enabled": False, "output": {"ok": True}}}

    assert plan_run(1, DOCUMENTED, 0, START, action_mocks=mocks) == plan_run(
        1, DOCUMENTED, 0, START
    )


def test_a_mocked_step_never_fails():
    mocks = {"agent-1": {"enabled": True, "output": {"ok": True}}}

    for run in range(20):
        plan = plan_run(1, DOCUMENTED, run, START, status="failed", action_mocks=mocks)
        assert [step.document["status"] for step in plan.steps] == ["completed", "failed"]


def test_what_cannot_be_resolved_renders_as_nothing():
    lost = action("a", prompt="[{{ !ref($.nobody.result) }}]", whole="!ref($.a.b.c)")
    workflow = workflow_of([lost], [edge("$source", "a")])

    plan = plan_run(1, workflow, 0, START, status="completed")

    assert plan.steps[0].document["input"] == {"prompt": "[]", "whole": ""}


def test_json_in_a_body_stays_json_whatever_is_put_into_it():
    body = action("a", "http_request", body='{"text": "{{ !ref($.trigger.outputs.text) }}"}')
    workflow = workflow_of([body], [edge("$source", "a")])
    text = 'She said "yes"\nand left a \\'

    plan = plan_run(1, workflow, 0, START, overrides={"text": text}, status="completed")

    assert json.loads(plan.steps[0].document["input"]["body"]) == {"text": text}


def test_a_run_is_the_same_by_its_index_and_by_its_id():
    blueprint = compile_workflow(DOCUMENTED)
    by_index = plan_run(9, blueprint, 123_456_789, START)

    assert plan_run(9, blueprint, by_index.run_id, START) == by_index
    assert blueprint.run_index(9, by_index.run_id) == 123_456_789
    assert blueprint.run_id(9, 123_456_789) == by_index.run_id


def test_any_id_can_be_given_to_a_run():
    plan = plan_run(9, DOCUMENTED, "run_x7k9m2", START)

    assert plan.run_id == "run_x7k9m2"
    assert compile_workflow(DOCUMENTED).run_index(9, "run_x7k9m2") is None
    assert plan != plan_run(9, DOCUMENTED, "run_x7k9m3", START)


def test_a_plan_of_a_generated_execution_is_the_execution():
    recipe = Recipe(4)

    for index in range(50):
        plan = recipe.plan(index)
        again = plan_run(4, recipe.workflow(index), index, plan.started_at, status=plan.status)
        assert view_run(again)["run_id"] == view_run(plan)["run_id"]
        assert view_run(plan) == recipe.execution(index)
