"""Executions and successful responses that a request prefers."""

import json
from collections.abc import Mapping
from datetime import timedelta

from flask import Response

from deadringer import fixtures
from deadringer.contracts import JsonObject, Operation, json_bytes
from deadringer.mockserver.context import Preferences, RequestContext
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.world.documents import envelope_bytes
from deadringer.mockserver.world.repository import FoundRun
from deadringer.mockserver.world.scenarios.examples import scripted_example
from deadringer.mockserver.world.service import Service, Snapshot

_GENERATING = ("dynamic", "seed", "status", "steps")


def preferred_execution(
    service: Service, snapshot: Snapshot, workflow_id: str, run_id: str, preferences: Preferences
) -> FoundRun | None:
    """Return the execution preferred by `example`, `dynamic`, `seed`, `status` or `steps`, or None.

    The same preferences under the same ids return the same execution within an hour of the
    session's clock: it starts at the full hour before.

    Raises:
        ApiError: VALIDATION_ERROR if no run can have that many steps.
    """
    name = preferences.apply("example")
    if name is not None:
        execution, kind = _example(service, snapshot, str(name), run_id)
        return FoundRun({**execution, **_ids(workflow_id, run_id)}, kind)
    wanted = {name: preferences.apply(name) for name in _GENERATING}
    if all(value is None for value in wanted.values()):
        return None
    execution = _generated(service, snapshot, workflow_id, run_id, wanted)
    return FoundRun({**execution, **_ids(workflow_id, run_id)}, "generated")


def _ids(workflow_id: str, run_id: str) -> JsonObject:
    return {"run_id": run_id, "workflow_id": workflow_id}


def _example(
    service: Service, snapshot: Snapshot, name: str, run_id: str
) -> tuple[JsonObject, str]:
    """Return the named execution and its kind; recordings precede scenarios."""
    found = next((one.execution for one in fixtures.load_recordings() if one.name == name), None)
    if found is not None:
        return found, "recorded example"
    current, seed = snapshot.session.scenario, service.settings.seed
    return scripted_example(name, current, seed, run_id, snapshot.now), "example of a scenario"


def _generated(
    service: Service, snapshot: Snapshot, workflow_id: str, run_id: str, wanted: dict[str, object]
) -> JsonObject:
    seed = wanted["seed"] if wanted["seed"] is not None else service.settings.seed
    assert isinstance(seed, int)
    status = wanted["status"] if isinstance(wanted["status"], str) else "completed"
    steps = wanted["steps"]
    range_ = (steps, steps) if isinstance(steps, int) else None
    hour = snapshot.now.replace(minute=0, second=0, microsecond=0)
    began = hour - timedelta(hours=1) if hour.year > 1 else hour
    described = snapshot.repository.workflows.get(workflow_id)
    if described is not None:
        try:
            blueprint = fixtures.compile_workflow(described)
            plan = fixtures.plan_run(
                seed, blueprint, run_id, began, status={status: 1.0}, steps=range_
            )
            return dict(fixtures.view_run(plan, None if status == "running" else snapshot.now))
        except ValueError:
            pass  # the workflow cannot have that many steps; use another one's trace
    try:
        made: JsonObject = fixtures.generate(
            seed, status=status, steps=range_, started_after=began, started_before=hour
        )
    except ValueError as problem:
        raise ApiError(
            "VALIDATION_ERROR",
            "Request has 1 validation error(s)",
            "Ask for another number of steps",
            details={"errors": [f"Prefer: {problem}"]},
        ) from problem
    return made


_STATUS = "200"


def good_response(
    service: Service, context: RequestContext, operation: Operation, path: Mapping[str, str]
) -> Response:
    """Return a 200: a generated run of a known workflow, or else the specification's example.

    `path` holds the path parameters, whose ids the response repeats.
    """
    snapshot = context.snapshot
    if operation.operation_id == "getExecution" and path["id"] in snapshot.repository.workflows:
        any_run = Preferences({"dynamic": "true"})
        found = preferred_execution(service, snapshot, path["id"], path["runId"], any_run)
        assert found is not None
        context.matched = {"kind": found.kind, "name": None}
        return Response(envelope_bytes(found.execution), mimetype="application/json")
    context.matched = {"kind": "documented example", "name": None}
    return _documented(operation, path)


def _documented(operation: Operation, path: Mapping[str, str]) -> Response:
    """Return the first example of an operation's 200, with the ids of the path."""
    content = operation.described["responses"][_STATUS]["content"]["application/json"]
    first = next(iter(content["examples"].values()))
    body = json.loads(json.dumps(first["value"]))
    body["data"].update(_requested_ids(body["data"], path))
    return Response(json_bytes(body), mimetype="application/json")


def _requested_ids(data: JsonObject, path: Mapping[str, str]) -> JsonObject:
    ids = {"workflow_id": path.get("id"), "run_id": path.get("runId")}
    if "workflow" in data:  # a definition has its id in this member
        ids["id"] = path.get("id")
    return {
        name: requested for name, requested in ids.items() if requested is not None and name in data
    }
