"""List Workflow Executions: one page of a workflow's runs, newest first."""

from collections.abc import Mapping

from flask import Response, request

from mockserver.parameters import read_query
from mockserver.service import Service

from .answers import good, unknown_workflow


def list_executions(service: Service, path: Mapping[str, str]) -> Response:
    """Answer with a page; one beyond the end is empty."""
    query = read_query(service.operation("listExecutions"), request.args)
    family = service.family
    if path["id"] not in family.workflows:
        raise unknown_workflow(service, path["id"])
    rows = family.rows(path["id"], service.clock.now())
    page, size = query["page"], query["page_size"]
    data = {
        "executions": rows[(page - 1) * size : page * size],
        "pagination": {
            "page": page,
            "page_size": size,
            "total_count": len(rows),
            "total_pages": -(-len(rows) // size),
        },
    }
    return good("Executions retrieved successfully", data)
