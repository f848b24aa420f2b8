"""List Workflows, Get Workflow and List Workflow Actions."""

from collections.abc import Mapping

from flask import Response, request

from mockserver.parameters import read_query
from mockserver.service import Service

from .answers import good, unknown_workflow


def list_workflows(service: Service, _path: Mapping[str, str]) -> Response:
    """Answer with a stretch of the workflows, those of one status if asked."""
    query = read_query(service.operation("listWorkflows"), request.args)
    family = service.family
    every = [family.workflow(workflow_id) for workflow_id in family.workflows]
    wanted = [one for one in every if one and query["status"] in {None, one["status"]}]
    end = query["offset"] + query["limit"]
    data = {
        "items": wanted[query["offset"] : end],
        "has_more": end < len(wanted),
        "total": len(wanted),
    }
    return good("Workflows retrieved successfully", data)


def get_workflow(service: Service, path: Mapping[str, str]) -> Response:
    """Answer with one workflow."""
    workflow = service.family.workflow(path["id"])
    if workflow is None:
        raise unknown_workflow(service, path["id"])
    return good("Workflow retrieved successfully", workflow)


def list_actions(service: Service, _path: Mapping[str, str]) -> Response:
    """Answer with the catalogue, or one category of it."""
    query = read_query(service.operation("listActions"), request.args)
    items = service.family.actions(query["category"])
    return good("Actions retrieved successfully", {"items": items, "total": len(items)})
