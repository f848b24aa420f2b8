"""List Workflow Executions: one page of a workflow's runs, newest first."""

from collections.abc import Mapping

from flask import Response, request

from mockserver.parameters import read_query
from mockserver.service import Scene, Service

from .answers import good, unknown_workflow


def list_executions(service: Service, scene: Scene, path: Mapping[str, str]) -> Response:
    """Answer with a page; one beyond the end is empty."""
    query = read_query(service.operation("listExecutions"), request.args)
    if path["id"] not in scene.family.workflows:
        raise unknown_workflow(service, scene, path["id"])
    page, size = query["page"], query["page_size"]
    rows, total = scene.rows(path["id"], (page - 1) * size, size)
    data = {
        "executions": rows,
        "pagination": {
            "page": page,
            "page_size": size,
            "total_count": total,
            "total_pages": -(-total // size),
        },
    }
    return good("Executions retrieved successfully", data)
