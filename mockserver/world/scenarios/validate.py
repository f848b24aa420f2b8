"""Validate a scenario before it is served: by its schema, then by the contract's rules."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from deadringer.contracts import Json, JsonObject, Severity, Violation, validate
from deadringer.contracts.rules import Context, Scope, apply_rules, validate_execution
from deadringer.fixtures import FOREVER, compile_workflow, load_workflows, view_run
from deadringer.mockserver.control_spec import component_validator
from deadringer.mockserver.faults.validation import (
    problems_of_fault,
    problems_of_span,
    readable_fault,
)
from deadringer.mockserver.schema_errors import Path, Problem, make_integers, problems_of
from deadringer.mockserver.world.reserved_ids import RESERVED_RUNS, RESERVED_WORKFLOWS

from .model import Scenario
from .script import planned, scripted_runs

_INDEX = re.compile("[0-9]{1,9}")
LISTS = ("workflows", "runs", "executions", "faults", "contract_faults")


@dataclass(frozen=True, slots=True)
class Readable:
    """The valid parts of a document; `doubtful` holds the ids of workflows with problems.

    `is_sure` is whether the ids of all workflows are known.
    """

    scenario: Scenario
    places: dict[str, list[int]]
    doubtful: frozenset[str]
    is_sure: bool

    def entries(self, member: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the valid entries of a list, each with its position in the document."""
        yield from zip(
            self.places.get(member, ()), self.scenario.document.get(member, ()), strict=True
        )


def readable_part(document: Json, problems: Collection[Problem]) -> Readable:
    """Return the parts of a document that its schema has no problems with."""
    paths = [one.path for one in problems]
    if not isinstance(document, dict):
        return Readable(Scenario("", {}), {}, frozenset(), is_sure=False)
    good = {name: value for name, value in document.items() if (name,) not in paths}
    places = {}
    for member in LISTS:
        if member in good:
            left = _entries(
                good[member], [one for one in problems if one.path[0] == member], member
            )
            places[member], good[member] = [*left], [*left.values()]
    if "world" in good:
        good["world"] = _world(good["world"], [path[1:] for path in paths if path[0] == "world"])
    left_out = _left_out(document, places)
    ids = [one.get("id") if isinstance(one, dict) else None for one in left_out]
    is_sure = all(isinstance(one, str) for one in ids) and not any(
        path in {("world",), ("workflows",)} or path[:2] == ("world", "workflows") for path in paths
    )
    doubtful = frozenset(one for one in ids if isinstance(one, str))
    return Readable(Scenario("", good), places, doubtful, is_sure=is_sure)


def _entries(
    written: list[Json], problems: Collection[Problem], member: str
) -> dict[int, JsonObject]:
    """Return the valid entries by position; of invalid faults, their valid members."""
    left = {}
    for place, entry in enumerate(written):
        own = [one._replace(path=one.path[2:]) for one in problems if one.path[1] == place]
        if own and member == "faults":
            entry = readable_fault(entry, own)
            own = []
        if isinstance(entry, dict) and entry and not own:
            left[place] = entry
    return left


def _world(written: JsonObject, bad: list[Path]) -> JsonObject:
    """Return the valid members; strings in a list of workflows keep their positions."""
    good = {name: value for name, value in written.items() if (name,) not in bad}
    if "workflows" in good:
        good["workflows"] = [one if isinstance(one, str) else None for one in good["workflows"]]
    return good


def _left_out(document: JsonObject, places: dict[str, list[int]]) -> list[Any]:
    """Return the workflows that are not valid."""
    if "workflows" not in places:
        return []
    return [one for at, one in enumerate(document["workflows"]) if at not in places["workflows"]]


_CHECKED_RUNS_PER_ENTRY = 3
_SOME_START_MS = 1_774_606_500_000
_MOST_RUNS = 20_000


def problems_with(document: Json, seed: int, served: Collection[str] = ()) -> list[Problem]:
    """Return all problems of a scenario's document.

    Whole floats become integers in the document, where its schema wants integers. Parts that pass
    the schema are validated further, even if other parts do not. `served` holds the ids of
    workflows whose runs are served beside the world's.
    """
    try:
        validator = component_validator("Scenario")
        make_integers(document, validator)
        problems = problems_of(document, validator)
    except RecursionError:
        return [Problem((), "is nested too deeply", "make it flatter")]
    part = readable_part(document, problems)
    of_workflows = [*_of_workflows(part, seed)]
    part = replace(part, doubtful=part.doubtful | _doubtful(part, of_workflows))
    return [
        *problems,
        *of_workflows,
        *_of_runs(part, seed),
        *_of_executions(part, seed),
        *_of_faults(part, seed, served),
    ]


def _of_workflows(part: Readable, seed: int) -> Iterator[Problem]:
    known = [one["id"] for one in Scenario("", {}).workflows(seed)]
    for place, name in enumerate(part.scenario.world.get("workflows", ())):
        if name is not None and name not in known:
            shown, fix = (
                f"{name!r} is not a workflow of the world",
                f"use one of: {', '.join(known)}",
            )
            yield Problem(("world", "workflows", place), shown, fix)
    own = [one for _place, one in part.entries("workflows")]
    every = {one["id"]: one for one in part.scenario.workflows(seed)}
    for place, written in part.entries("workflows"):
        path: Path = ("workflows", place)
        yield from _of_id(written["id"], (*path, "id"))
        if Counter(one["id"] for one in own)[written["id"]] > 1:
            yield Problem((*path, "id"), f"{written['id']!r} is used twice", "rename one")
        workflow = every[written["id"]]
        violations = [*validate(workflow, "workflow"), *apply_rules(Scope.WORKFLOW, workflow)]
        yield from _problems_of(violations, path)
        if not violations:
            yield from _compiled(workflow, path)


def _doubtful(part: Readable, problems: Iterable[Problem]) -> set[str]:
    """Return the ids of workflows that have problems; references to them are not reported."""
    places = {one.path[1] for one in problems if one.path[0] == "workflows"}
    own = {one["id"] for place, one in part.entries("workflows") if place in places}
    selected = part.scenario.world.get("workflows", ())
    return own | {selected[int(one.path[2])] for one in problems if one.path[0] == "world"}


def _compiled(workflow: JsonObject, path: Path) -> Iterator[Problem]:
    try:
        compile_workflow(workflow)
    except ValueError as problem:
        yield Problem((*path, "workflow"), str(problem), "correct the definition")


def _of_runs(part: Readable, seed: int) -> Iterator[Problem]:
    workflows = {one["id"]: one for one in part.scenario.workflows(seed)}
    seen: set[tuple[str, str]] = set()
    total = _total(part.scenario)
    if total > _MOST_RUNS:
        fix = "let world.runs_per_workflow make the others"
        yield Problem(("runs",), f"are {total}, more than {_MOST_RUNS}", fix)
        return
    for place, entry in part.entries("runs"):
        path: Path = ("runs", place)
        for run in scripted_runs(seed, place, entry):
            if (run.workflow_id, run.run_id) in seen:
                yield Problem((*path, "run_id"), f"{run.run_id!r} is used twice", "rename one")
            seen.add((run.workflow_id, run.run_id))
        yield from _of_id(next(scripted_runs(seed, place, entry)).run_id, (*path, "run_id"))
        named = entry["workflow_id"]
        if named in part.doubtful:
            continue
        if named in workflows:
            yield from _of_entry(seed, place, entry, workflows[named])
        elif part.is_sure:
            shown = f"{named!r} is not a workflow of this scenario"
            yield Problem((*path, "workflow_id"), shown, f"use one of: {', '.join(workflows)}")


def _total(scenario: Scenario) -> int:
    return sum(entry.get("times", 1) for entry in scenario.run_entries())


def _of_entry(
    seed: int, place: int, entry: dict[str, Any], workflow: JsonObject
) -> Iterator[Problem]:
    path: Path = ("runs", place)
    context = Context(definition=workflow["workflow"])
    blueprint = compile_workflow(workflow)
    for run in islice(scripted_runs(seed, place, entry), _CHECKED_RUNS_PER_ENTRY):
        try:
            plan = planned(seed, blueprint, run, _SOME_START_MS)
        except ValueError as problem:
            yield Problem(path, str(problem).rstrip("."), "change the run's members")
            return
        end = plan.ended_at if plan.ended_at < FOREVER else plan.started_at + 3_600_000
        for moment in (plan.started_at, (plan.started_at + end) // 2, end):
            violations = validate_execution(view_run(plan, moment), context)
            if violations:
                yield from _problems_of(violations, path)
                return


def _of_executions(part: Readable, seed: int) -> Iterator[Problem]:
    scenario = part.scenario
    definitions = {one["id"]: one["workflow"] for one in load_workflows()}
    definitions |= {one["id"]: one["workflow"] for one in scenario.workflows(seed)}
    entries = part.entries("runs") if _total(scenario) <= _MOST_RUNS else ()
    taken = {
        (run.workflow_id, run.run_id)
        for place, entry in entries
        for run in scripted_runs(seed, place, entry)
    }
    for place, execution in part.entries("executions"):
        path: Path = ("executions", place)
        workflow_id = execution.get("workflow_id")
        is_known = isinstance(workflow_id, str) and workflow_id not in part.doubtful
        definition = definitions.get(workflow_id) if is_known else None
        context = Context(definition=definition)
        violations = validate_execution(execution, context)
        yield from _problems_of(violations, path)
        if any(not isinstance(execution.get(name), str) for name in ("workflow_id", "run_id")):
            continue  # reported above
        ids = execution["workflow_id"], execution["run_id"]
        if ids in taken:
            yield Problem((*path, "run_id"), f"{ids[1]!r} is used twice", "rename one")
        taken.add(ids)
        for name, value in zip(("workflow_id", "run_id"), ids, strict=True):
            yield from _of_id(value, (*path, name))


def _of_id(name: str, path: Path) -> Iterator[Problem]:
    if "/" in name or name in {".", ".."}:
        yield Problem(path, f"{name!r} cannot be part of a path", "use an id without / and dots")
    elif name in RESERVED_RUNS:
        yield Problem(path, f"{name!r} is a reserved run id", "rename it")


def _of_faults(part: Readable, seed: int, served: Collection[str]) -> Iterator[Problem]:
    from deadringer.mockserver.faults.contract import UnknownFaultError, faults_named

    workflows = _served(part, seed, served) if part.is_sure else None
    for place, fault in part.entries("faults"):
        for one in problems_of_fault(fault, workflows):
            yield one._replace(path=("faults", place, *one.path))
    for place, fault in part.entries("contract_faults"):
        path: Path = ("contract_faults", place)
        for one in problems_of_span(fault):
            yield one._replace(path=(*path, *one.path))
        try:
            faults_named([fault["name"]])
        except UnknownFaultError as problem:
            fix = "use a name from the page /__mock/ui/control"
            yield Problem((*path, "name"), str(problem).rstrip("."), fix)


def _served(part: Readable, seed: int, served: Collection[str]) -> set[str]:
    """Return the ids of all workflows that are served with the scenario."""
    own = {one["id"] for one in part.scenario.workflows(seed)} | part.doubtful
    own |= {str(one.get("workflow_id")) for _place, one in part.entries("executions")}
    others = set(served) if part.scenario.world.get("recorded", True) else set()
    left_out = {one["id"] for one in Scenario("", {}).workflows(seed)} - own
    return own | (others - left_out) | RESERVED_WORKFLOWS.keys()


def _problems_of(violations: list[Violation], path: Path) -> Iterator[Problem]:
    for violation in violations:
        if violation.severity is Severity.ERROR:
            inside = [part for part in violation.pointer.split("/") if part]
            parts = [int(part) if _INDEX.fullmatch(part) else part for part in inside]
            yield Problem((*path, *parts), f"{violation.rule}: {violation.message}", violation.fix)
