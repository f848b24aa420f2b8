"""Test Workflow: start a run and return its id at once."""

from collections.abc import Mapping

from flask import Response, request

from deadringer.mockserver.api.validation import read_body
from deadringer.mockserver.context import RequestContext
from deadringer.mockserver.world.service import Service

from .envelope import good, unknown_workflow


def start_test_run(service: Service, context: RequestContext, path: Mapping[str, str]) -> Response:
    """Return the id of the new run, which is readable at once and advances with the clock.

    `Prefer: status=` and `steps=` set how it ends and how many steps it lists.
    """
    if path["id"] not in context.snapshot.repository.workflows:
        raise unknown_workflow(service, context.snapshot, path["id"])
    body = read_body(request)
    overrides = body.get("overrides", {})
    preferences = context.preferences
    wanted = {
        "overrides": overrides,
        "action_mocks": body.get("test_config", {}).get("action_mocks", {}),
        "status": preferences.apply("status"),
        "steps": preferences.apply("steps"),
    }
    plan = service.start_run(context.snapshot, path["id"], wanted).plan
    data = {
        "test_run_id": plan.run_id,
        "workflow_id": plan.workflow_id,
        "trigger_type": plan.event_name,
        "trigger_post_source": "override" if overrides else "synthetic",
    }
    return good("Test run started successfully", data)
