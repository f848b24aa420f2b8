"""Judges a scenario before it is served: by its schema, then by the contract."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from contracts import Grade, Json, JsonObject, Violation, validate
from contracts.rules import Context, Scope, judge, judge_execution
from fixtures import FOREVER, compile_workflow, load_workflows, view_run
from mockserver.control_document import component_validator
from mockserver.magic_ids import MAGIC_RUNS
from mockserver.schema_problems import Path, Problem, problems_of

from .model import Scenario
from .script import planned, scripted_runs

_JUDGED_OF_AN_ENTRY = 3
_SOME_START_MS = 1_774_606_500_000
_MOST_RUNS = 20_000


def problems_with(document: Json, seed: int) -> list[Problem]:
    """Give everything that is wrong with a scenario's document."""
    try:
        problems = problems_of(document, component_validator("Scenario"))
    except RecursionError:
        return [Problem((), "is nested too deeply", "make it flatter")]
    if problems or not isinstance(document, dict):
        return problems
    scenario = Scenario("", document)
    problems = [*_of_workflows(scenario, seed)]
    if problems:
        return problems  # runs of bad workflows have nothing to say
    return [*_of_runs(scenario, seed), *_of_executions(scenario, seed), *_of_faults(document)]


def _of_workflows(scenario: Scenario, seed: int) -> Iterator[Problem]:
    known = [one["id"] for one in Scenario("", {}).workflows(seed)]
    for place, name in enumerate(scenario.world.get("workflows", ())):
        if name not in known:
            fix = f"use one of: {', '.join(known)}"
            yield Problem(("world", "workflows", place), f"{name!r} is not of the world", fix)
    own = scenario.document.get("workflows", [])
    every = {one["id"]: one for one in scenario.workflows(seed)}
    for place, written in enumerate(own):
        path: Path = ("workflows", place)
        yield from _of_id(written["id"], (*path, "id"))
        if Counter(one["id"] for one in own)[written["id"]] > 1:
            yield Problem((*path, "id"), f"{written['id']!r} stands here twice", "rename one")
        workflow = every[written["id"]]
        breaches = [*validate(workflow, "workflow"), *judge(Scope.WORKFLOW, workflow)]
        yield from _told(breaches, path)
        if not breaches:
            yield from _compiled(workflow, path)


def _compiled(workflow: JsonObject, path: Path) -> Iterator[Problem]:
    try:
        compile_workflow(workflow)
    except ValueError as problem:
        yield Problem((*path, "workflow"), str(problem), "correct the definition")


def _of_runs(scenario: Scenario, seed: int) -> Iterator[Problem]:
    workflows = {one["id"]: one for one in scenario.workflows(seed)}
    seen: set[tuple[str, str]] = set()
    total = _total(scenario)
    if total > _MOST_RUNS:
        fix = "let world.runs_per_workflow make the others"
        yield Problem(("runs",), f"are {total}, more than {_MOST_RUNS}", fix)
        return
    for place, entry in enumerate(scenario.run_entries()):
        path: Path = ("runs", place)
        workflow = workflows.get(entry["workflow_id"])
        if workflow is None:
            fix = f"use one of: {', '.join(workflows)}"
            shown = f"{entry['workflow_id']!r} is not a workflow of this scenario"
            yield Problem((*path, "workflow_id"), shown, fix)
            continue
        for run in scripted_runs(seed, place, entry):
            if (run.workflow_id, run.run_id) in seen:
                yield Problem((*path, "run_id"), f"{run.run_id!r} is used twice", "rename one")
            seen.add((run.workflow_id, run.run_id))
        yield from _of_id(next(scripted_runs(seed, place, entry)).run_id, (*path, "run_id"))
        yield from _of_entry(seed, place, entry, workflow)


def _total(scenario: Scenario) -> int:
    return sum(entry.get("times", 1) for entry in scenario.run_entries())


def _of_entry(
    seed: int, place: int, entry: dict[str, Any], workflow: JsonObject
) -> Iterator[Problem]:
    path: Path = ("runs", place)
    context = Context(definition=workflow["workflow"])
    blueprint = compile_workflow(workflow)
    for run in islice(scripted_runs(seed, place, entry), _JUDGED_OF_AN_ENTRY):
        try:
            plan = planned(seed, blueprint, run, _SOME_START_MS)
        except ValueError as problem:
            yield Problem(path, str(problem).rstrip("."), "change what the run is to do")
            return
        end = plan.ended_at if plan.ended_at < FOREVER else plan.started_at + 3_600_000
        for moment in (plan.started_at, (plan.started_at + end) // 2, end):
            breaches = judge_execution(view_run(plan, moment), context)
            if breaches:
                yield from _told(breaches, path)
                return


def _of_executions(scenario: Scenario, seed: int) -> Iterator[Problem]:
    definitions = {one["id"]: one["workflow"] for one in load_workflows()}
    definitions |= {one["id"]: one["workflow"] for one in scenario.workflows(seed)}
    entries = scenario.run_entries() if _total(scenario) <= _MOST_RUNS else []
    taken = {
        (run.workflow_id, run.run_id)
        for place, entry in enumerate(entries)
        for run in scripted_runs(seed, place, entry)
    }
    for place, execution in enumerate(scenario.executions):
        path: Path = ("executions", place)
        context = Context(definition=definitions.get(execution.get("workflow_id")))
        breaches = judge_execution(execution, context)
        yield from _told(breaches, path)
        if any(not isinstance(execution.get(name), str) for name in ("workflow_id", "run_id")):
            continue  # the breaches say so
        ids = execution["workflow_id"], execution["run_id"]
        if ids in taken:
            yield Problem((*path, "run_id"), f"{ids[1]!r} is used twice", "rename one")
        taken.add(ids)
        for name, value in zip(("workflow_id", "run_id"), ids, strict=True):
            yield from _of_id(value, (*path, name))


def _of_id(name: str, path: Path) -> Iterator[Problem]:
    if "/" in name or name in {".", ".."}:
        yield Problem(path, f"{name!r} can be no part of a path", "use an id without / and dots")
    elif name in MAGIC_RUNS:
        yield Problem(path, f"{name!r} is reserved: it always gives the same answer", "rename it")


def _of_faults(document: JsonObject) -> Iterator[Problem]:
    from mockserver.contract_faults import UnknownFaultError, faults_named

    for member in ("faults", "contract_faults"):
        for place, fault in enumerate(document.get(member, ())):
            begins, ends = fault.get("from_s"), fault.get("until_s")
            if begins is not None and ends is not None and ends <= begins:
                shown = f"{ends} is not after from_s, {begins}"
                yield Problem((member, place, "until_s"), shown, "let it end later than it begins")
    for place, fault in enumerate(document.get("contract_faults", ())):
        try:
            faults_named([fault["name"]])
        except UnknownFaultError as problem:
            fix = "use a name of docs/contract-faults.md"
            yield Problem(("contract_faults", place, "name"), str(problem).rstrip("."), fix)


def _told(breaches: list[Violation], path: Path) -> Iterator[Problem]:
    for breach in breaches:
        if breach.grade is Grade.ERROR:
            inside = [part for part in breach.pointer.split("/") if part]
            parts = [int(part) if part.isdigit() else part for part in inside]
            yield Problem((*path, *parts), f"{breach.rule}: {breach.message}", breach.fix)
