"""Test Workflow: starts a run and answers at once."""

from collections.abc import Mapping

from flask import Response, request

from mockserver.parameters import read_body
from mockserver.service import Service

from .answers import good, unknown_workflow


def start_test_run(service: Service, path: Mapping[str, str]) -> Response:
    """Answer with the id of the run; it is readable at once, and goes on with the clock."""
    family = service.family
    if path["id"] not in family.workflows:
        raise unknown_workflow(service, path["id"])
    body = read_body(request)
    overrides = body.get("overrides", {})
    mocks = body.get("test_config", {}).get("action_mocks", {})
    plan = family.start(path["id"], service.clock.now(), overrides, mocks)
    data = {
        "test_run_id": plan.run_id,
        "workflow_id": plan.workflow_id,
        "trigger_type": plan.event_name,
        "trigger_post_source": "override" if overrides else "synthetic",
    }
    return good("Test run started successfully", data)
