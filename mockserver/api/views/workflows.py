"""List Workflows, Get Workflow, List Actions and Get Credit Balance."""

from collections.abc import Mapping

from flask import Response, request

from deadringer.mockserver.api.validation import read_query
from deadringer.mockserver.context import RequestContext
from deadringer.mockserver.world.credits import balance_of
from deadringer.mockserver.world.service import Service

from .envelope import good, unknown_workflow


def list_workflows(service: Service, context: RequestContext, _path: Mapping[str, str]) -> Response:
    """Return a page of the workflows, only those of the requested status if there is one."""
    query = read_query(service.operation("listWorkflows"), request.args)
    wanted = [
        one for one in context.snapshot.workflows() if query["status"] in {None, one["status"]}
    ]
    end = query["offset"] + query["limit"]
    data = {
        "items": wanted[query["offset"] : end],
        "has_more": end < len(wanted),
        "total": len(wanted),
    }
    return good("Workflows retrieved successfully", data)


def get_workflow(service: Service, context: RequestContext, path: Mapping[str, str]) -> Response:
    """Return one workflow, or a 404 with the nearest known ids."""
    workflow = context.snapshot.workflow(path["id"])
    if workflow is None:
        raise unknown_workflow(service, context.snapshot, path["id"])
    return good("Workflow retrieved successfully", workflow)


def list_actions(service: Service, context: RequestContext, _path: Mapping[str, str]) -> Response:
    """Return the catalogue, or one category of it."""
    query = read_query(service.operation("listActions"), request.args)
    items = context.snapshot.repository.actions(query["category"])
    return good("Actions retrieved successfully", {"items": items, "total": len(items)})


def get_credit_balance(
    _service: Service, context: RequestContext, _path: Mapping[str, str]
) -> Response:
    """Return the credits left; reading changes nothing."""
    balance = balance_of(context.snapshot.session, context.snapshot.now)
    return good("Credit balance retrieved successfully", balance)
