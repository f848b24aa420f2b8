"""Exchanges for tests of coverage."""

from typing import Any

from deadringer.contracts import Exchange, JsonObject, json_bytes
from deadringer.contracts.specification import operation_at
from deadringer.fixtures import load_recordings

DETAIL = "/v1/workflows/wf_1/executions/run_1"
LIST = "/v1/workflows/wf_1/executions"


def recorded(name: str) -> JsonObject:
    return next(one.execution for one in load_recordings() if one.name == name)


def sent(path: str, data: Any = None, **members: Any) -> Exchange:
    """Return an exchange of an operation; `data` makes a successful body."""
    found = operation_at(members.pop("method", "GET"), path)
    assert found
    operation, path, parameters = found
    body = {} if data is None else {"response_body": json_bytes({"success": True, "data": data})}
    fields: dict[str, Any] = {"status": 200, **body, **members}
    return Exchange(
        method=operation.method,
        path=path,
        operation_id=operation.operation_id,
        path_parameters=parameters,
        **fields,
    )


def refused(path: str, status: int, code: str, **members: Any) -> Exchange:
    """Return an exchange with an error body."""
    body = {"success": False, "error": {"code": code, "message": "No"}}
    return sent(path, status=status, response_body=json_bytes(body), **members)
