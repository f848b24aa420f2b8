"""Get Credit Balance."""

from collections.abc import Mapping

from flask import Response, request

from deadringer.mockserver.api.validation import read_query
from deadringer.mockserver.world.credits import balance_of
from deadringer.mockserver.world.service import Scene, Service

from .envelope import good, unknown_workflow


def list_workflows(service: Service, scene: Scene, _path: Mapping[str, str]) -> Response:
    """Answer with a stretch of the workflows, those of one status if asked."""
    query = read_query(service.operation("listWorkflows"), request.args)
    wanted = [one for one in scene.workflows() if query["status"] in {None, one["status"]}]
    end = query["offset"] + query["limit"]
    data = {
        "items": wanted[query["offset"] : end],
        "has_more": end < len(wanted),
        "total": len(wanted),
    }
    return good("Workflows retrieved successfully", data)


def get_workflow(service: Service, scene: Scene, path: Mapping[str, str]) -> Response:
    """Answer with one workflow."""
    workflow = scene.workflow(path["id"])
    if workflow is None:
        raise unknown_workflow(service, scene, path["id"])
    return good("Workflow retrieved successfully", workflow)


def list_actions(service: Service, scene: Scene, _path: Mapping[str, str]) -> Response:
    """Answer with the catalogue, or one category of it."""
    query = read_query(service.operation("listActions"), request.args)
    items = scene.family.actions(query["category"])
    return good("Actions retrieved successfully", {"items": items, "total": len(items)})


def get_credit_balance(_service: Service, scene: Scene, _path: Mapping[str, str]) -> Response:
    """Answer with what is left; reading changes nothing."""
    balance = balance_of(scene.session, scene.now)
    return good("Credit balance retrieved successfully", balance)
