"""The good answer that the specification shows, for requests that want one where there is none."""

import json
from collections.abc import Mapping

from flask import Response

from contracts import JsonObject, Operation

from .family import compact

_STATUS = "200"


def documented_answer(operation: Operation, path: Mapping[str, str]) -> Response:
    """Give the first example of an operation's 200, under the ids that the path asks for.

    `path` holds the path parameters by the names of the template.
    """
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
