"""Build the world a session sees: from the seed alone, or from a scenario."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property

from deadringer.contracts import JsonObject
from deadringer.fixtures import World, load_catalogue, load_workflows, world_workflows
from deadringer.mockserver.config import Settings

from .documents import ExecutionSource
from .repository import RunRepository
from .reserved_ids import RESERVED_WORKFLOWS
from .scenarios import Scenario, Script

USUAL_RUNS = 240
_MODEL = "wf_abc123"


def repository_of_scenario(
    scenario: Scenario, settings: Settings, served: ExecutionSource
) -> RunRepository:
    """Return the world a scenario describes, beside the executions that are always served.

    `--runs-per-workflow` overrides the scenario's own history; `--empty` serves no history.
    """
    message, seed = scenario.world, settings.seed
    workflows = scenario.workflows(seed)
    count = settings.runs_per_workflow or message.get("runs_per_workflow", USUAL_RUNS)
    every_s = message.get("every_s")
    world = World(
        seed,
        0 if settings.empty else count,
        workflows=workflows,
        failed=message.get("failed"),
        every_ms=round(every_s * 1000) if every_s else None,
    )
    failing = scenario.document.get("failing_operations", ())
    script = Script(seed, scenario.run_entries(), {one["id"]: one for one in workflows}, failing)
    executions = served.all_executions() if message.get("recorded", True) else ()
    recorded = _recorded_in(scenario, seed, executions, script)
    shown = {one["workflow_id"] for one in recorded}
    own = [one for one in served.own_workflows() if one["id"] in shown]
    return make_repository([*recorded, *scenario.executions], world, script, own)


def _recorded_in(
    scenario: Scenario, seed: int, executions: Iterable[JsonObject], script: Script
) -> list[JsonObject]:
    """Return the executions that are served beside a scenario.

    Excluded are those of workflows that the scenario omits or redefines, and those with the ids of
    its own runs.
    """
    others = {one["id"] for one in world_workflows(seed)}
    others -= {one["id"] for one in scenario.workflows(seed)}
    others |= scenario.defined_ids
    own = {(one["workflow_id"], one["run_id"]) for one in scenario.executions}
    return [
        one
        for one in executions
        if one["workflow_id"] not in others
        and (one["workflow_id"], one["run_id"]) not in own
        and not script.holds(one["workflow_id"], one["run_id"])
    ]


def make_repository(
    executions: Iterable[JsonObject],
    world: World | None = None,
    script: Script | None = None,
    workflows: Iterable[JsonObject] = (),
) -> RunRepository:
    """Return a repository of executions and of the user's own workflows.

    A missing workflow is derived from its executions. Generated runs follow the definition of the
    world, so the world's workflow replaces one of the user's with the same id.
    """
    by_workflow: dict[str, dict[str, JsonObject]] = {}
    newest_first = sorted(
        executions, key=lambda run: (run["started_at"], run["run_id"]), reverse=True
    )
    for execution in newest_first:
        by_workflow.setdefault(execution["workflow_id"], {})[execution["run_id"]] = execution
    own = {workflow["id"]: workflow for workflow in workflows}
    known = {workflow["id"]: workflow for workflow in load_workflows()} | own
    described = own | {
        workflow_id: known.get(workflow_id) or _derived_workflow(workflow_id, list(runs.values()))
        for workflow_id, runs in by_workflow.items()
    }
    if world is None:
        return RunRepository(by_workflow, described, load_catalogue(), script=script)
    every = _Workflows(described, world)
    return RunRepository(by_workflow, every, load_catalogue(), world, world.seed, script)


class _Workflows(Mapping[str, JsonObject]):
    """Workflows of documents and of a world; the world is built only when it is needed."""

    def __init__(self, own: Mapping[str, JsonObject], world: World) -> None:
        self._own = own
        self._world = world

    @cached_property
    def _every(self) -> Mapping[str, JsonObject]:
        return {**self._own, **self._world.workflows}

    def __contains__(self, workflow_id: object) -> bool:
        return workflow_id in self._own or workflow_id in self._every

    def __getitem__(self, workflow_id: str) -> JsonObject:
        return self._every[workflow_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._every)

    def __len__(self) -> int:
        return len(self._every)


@cache
def reserved_repository(seed: int) -> RunRepository:
    """Return the world of the reserved workflows, each a copy of the documented one."""
    model = next(one for one in load_workflows() if one["id"] == _MODEL)
    workflows = {
        name: {**model, "id": name, "name": f"Reserved: {name}"} for name in RESERVED_WORKFLOWS
    }
    entries = [
        {**entry, "workflow_id": name}
        for name, reserved in RESERVED_WORKFLOWS.items()
        for entry in reserved.runs
    ]
    world = World(seed, 0, workflows=list(workflows.values()))
    return make_repository((), world, Script(seed, entries, workflows))


def _derived_workflow(workflow_id: str, runs: Sequence[JsonObject]) -> JsonObject:
    """Return a workflow derived from a user's runs: every step is an action, in order."""
    actions: dict[str, JsonObject] = {}
    for step in (step for run in runs for step in run["steps"]):
        action = {"id": step["step_id"], "kind": step["operation"]}
        if step["step_name"] is not None:
            action["name"] = step["step_name"]
        actions.setdefault(step["step_id"], {**action, "inputs": {}})
    oldest = min(run["started_at"] for run in runs)
    return {
        "id": workflow_id,
        "name": f"Workflow {workflow_id}",
        "description": None,
        "workflow": {
            "trigger": {"kind": runs[0]["event_name"], "inputs": {}},
            "actions": list(actions.values()),
            "edges": [],
        },
        "enabled": True,
        "status": "PUBLISHED",
        "social_saved_search_id": None,
        "created": oldest,
        "updated": oldest,
    }
