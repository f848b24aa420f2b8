"""A good answer for requests that want one where there is nothing."""

import json
from collections.abc import Mapping

from flask import Response, request

from contracts import JsonObject, Operation

from .executions import envelope_bytes
from .family import compact
from .journal import NOTES
from .preferences import Preferences
from .service import Scene, Service
from .wishes import wished_execution

_STATUS = "200"


def good_answer(
    service: Service, scene: Scene, operation: Operation, path: Mapping[str, str]
) -> Response:
    """Give a run of a known workflow, or else what the specification shows, under the asked ids.

    `path` holds the path parameters by the names of the template.
    """
    notes = request.environ[NOTES]
    if operation.operation_id == "getExecution" and path["id"] in scene.family.workflows:
        any_run = Preferences({"dynamic": "true"})
        found = wished_execution(service, scene, path["id"], path["runId"], any_run)
        assert found is not None
        notes["matched"] = {"kind": found.kind, "name": None}
        return Response(envelope_bytes(found.execution), mimetype="application/json")
    notes["matched"] = {"kind": "documented example", "name": None}
    return _documented(operation, path)


def _documented(operation: Operation, path: Mapping[str, str]) -> Response:
    """Give the first example of an operation's 200, under the ids that the path asks for."""
    content = operation.described["responses"][_STATUS]["content"]["application/json"]
    first = next(iter(content["examples"].values()))
    body = json.loads(json.dumps(first["value"]))
    body["data"].update(_asked(body["data"], path))
    return Response(compact(body), mimetype="application/json")


def _asked(data: JsonObject, path: Mapping[str, str]) -> JsonObject:
    ids = {"workflow_id": path.get("id"), "run_id": path.get("runId")}
    if "workflow" in data:  # a definition calls its own id so
        ids["id"] = path.get("id")
    return {name: asked for name, asked in ids.items() if asked is not None and name in data}
