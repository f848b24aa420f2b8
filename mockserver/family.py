"""The world around executions: workflows, their lists of runs, the catalogue, credits, test runs.

Everything follows from the executions that are served, so that list, detail, definition and
balance always agree.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts import JsonObject, format_timestamp
from fixtures import RunPlan, load_catalogue, load_workflows, plan_run, view_run

STARTING_BALANCE = 4250
PLAN = "PRO"
CATEGORY_SYNONYMS = {
    "control-flow": "control_flow",
    "integrations": "integration",
    "utilities": "utility",
}


@dataclass(slots=True)
class Family:
    """Workflows and runs in memory; `started` are test runs, newest last.

    A started run is a plan made once; what is seen of it depends on the clock alone.
    """

    executions: dict[str, list[JsonObject]]
    workflows: dict[str, JsonObject]
    catalogue: Sequence[JsonObject]
    seed: int = 0
    started: dict[str, RunPlan] = field(default_factory=dict)
    spent: float = 0

    def started_execution(self, workflow_id: str, run_id: str, now: datetime) -> JsonObject | None:
        """Give a started run as it stands at a time, None if there is none of that id."""
        plan = self.started.get(run_id)
        if plan is None or plan.workflow_id != workflow_id:
            return None
        execution: JsonObject = view_run(plan, now)
        return execution

    def rows(self, workflow_id: str, now: datetime) -> list[JsonObject]:
        """Give the rows of a workflow's runs, started ones first, then by start, newest first."""
        plans = [plan for plan in self.started.values() if plan.workflow_id == workflow_id]
        started = [view_run(plan, now) for plan in reversed(plans)]
        return [row_of(execution) for execution in [*started, *self.executions[workflow_id]]]

    def workflow(self, workflow_id: str) -> JsonObject | None:
        """Give a workflow with its present number of runs."""
        described = self.workflows.get(workflow_id)
        if described is None:
            return None
        started = sum(plan.workflow_id == workflow_id for plan in self.started.values())
        count = len(self.executions.get(workflow_id, [])) + started
        return {**described, "execution_count": count}

    def start(
        self, workflow_id: str, now: datetime, overrides: JsonObject, mocks: JsonObject
    ) -> RunPlan:
        """Start a test run of a workflow and pay for it."""
        described = self.workflows[workflow_id]
        name = f"{self.seed} {workflow_id} {len(self.started)} {format_timestamp(now)}"
        run_id = "run_" + hashlib.sha256(name.encode()).hexdigest()[:16]
        plan = plan_run(
            self.seed,
            described,
            run_id,
            now,
            status={"completed": 1.0},
            overrides=overrides or None,
            action_mocks=mocks or None,
        )
        self.started[run_id] = plan
        self.spent += self._price(described, mocks)
        return plan

    def _price(self, workflow: JsonObject, mocks: JsonObject) -> float:
        """Credits of one run by the catalogue; a mocked action costs nothing."""
        prices = {action["kind"]: action.get("creditCost") or 0 for action in self.catalogue}
        mocked = {action_id for action_id, mock in mocks.items() if mock.get("enabled")}
        return sum(
            prices.get(action["kind"], 0)
            for action in workflow["workflow"]["actions"]
            if action["id"] not in mocked
        )

    def balance(self, now: datetime) -> JsonObject:
        """Give the credits left, and the first of next month."""
        following = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        month = following.month % 12 + 1
        following = following.replace(month=month, year=following.year + (month == 1))
        left = STARTING_BALANCE - self.spent
        return {
            "balance": int(left),
            "subscription_plan": PLAN,
            "next_reset": format_timestamp(following),
        }

    def actions(self, category: str | None) -> list[JsonObject]:
        """Give the catalogue, or the actions of one category under any of its spellings."""
        wanted = CATEGORY_SYNONYMS.get(category or "", category)
        return [one for one in self.catalogue if wanted in {None, one.get("category")}]


def make_family(executions: Iterable[JsonObject]) -> Family:
    """Give the family of some executions; workflows we have no definition of are told from them."""
    by_workflow: dict[str, list[JsonObject]] = {}
    for execution in executions:
        by_workflow.setdefault(execution["workflow_id"], []).append(execution)
    known = {workflow["id"]: workflow for workflow in load_workflows()}
    workflows = {}
    for workflow_id, runs in by_workflow.items():
        runs.sort(key=lambda run: (run["started_at"], run["run_id"]), reverse=True)
        workflows[workflow_id] = known.get(workflow_id) or _told_by(workflow_id, runs)
    return Family(by_workflow, workflows, load_catalogue())


def row_of(execution: JsonObject) -> JsonObject:
    """Give the row of an execution in the list."""
    return {
        "run_id": execution["run_id"],
        "status": execution["status"],
        "started_at": execution["started_at"],
        "completed_at": execution["ended_at"],
        "duration": execution["duration_ms"],
        "error": execution["error"],
    }


def compact(body: JsonObject) -> bytes:
    """Write a body as JSON, as small as it goes."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )


def _told_by(workflow_id: str, runs: Sequence[JsonObject]) -> JsonObject:
    """Make up the workflow of a user's runs: every step an action, in the order they ran."""
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
