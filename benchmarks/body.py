"""The response of every server, and the files from which each server reads it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deadringer.fixtures import generate, json_bytes

KEY = "trig_demo_key_0123456789abcdef"
KEY_HEADER = f"x-api-key: {KEY}"
LENGTH = range(2450, 2551)
"""The allowed length of the response in bytes: about 2.5 kB."""


@dataclass(frozen=True)
class ApiResponse:
    """One execution, as a response of the API."""

    document: dict[str, Any]

    @property
    def path(self) -> str:
        """Return the path of the response."""
        data = self.document["data"]
        return f"/v1/workflows/{data['workflow_id']}/executions/{data['run_id']}"

    @property
    def data(self) -> bytes:
        """Return the bytes of the response."""
        return json_bytes(self.document)


def typical_response() -> ApiResponse:
    """Return the first generated execution with the required length."""
    for index in range(10_000):
        execution = generate("benchmark", index=index, status="completed", steps=(3, 6))
        execution["run_id"] = "run_benchmark"
        message = "Execution retrieved successfully"
        response = ApiResponse({"success": True, "message": message, "data": execution})
        if len(response.data) in LENGTH:
            return response
    raise LookupError(f"No generated execution has {LENGTH} bytes.")


def write_files(folder: Path, response: ApiResponse) -> None:
    """Write the response in the form of each server: nginx, ours, and the peers."""
    files = {
        "html/body.json": response.data.decode(),
        "fixtures/response.json": response.data.decode(),
        "openapi.json": _specification(response, with_key=True),
        "keyless.json": _specification(response, with_key=False),
        "db.json": {"response": response.document},
        "routes.json": {"/v1/workflows/:id/executions/:runId": "/response"},
        "mockoon.json": _mockoon_environment(response),
        "wiremock/__files/body.json": response.data.decode(),
        "wiremock/mappings/response.json": _wiremock_mapping(response),
        "nginx.conf": (Path(__file__).parent / "nginx.conf").read_text(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def _specification(response: ApiResponse, *, with_key: bool) -> dict[str, Any]:
    """Return a specification of this response only: less work for a peer than our specification."""
    content = {"application/json": {"schema": {"type": "object"}, "example": response.document}}
    operation: dict[str, Any] = {
        "operationId": "getExecution",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in ("id", "runId")
        ],
        "responses": {"200": {"description": "the run", "content": content}},
    }
    whole = {
        "openapi": "3.0.3",
        "info": {"title": "One response", "version": "1"},
        "paths": {"/v1/workflows/{id}/executions/{runId}": {"get": operation}},
    }
    if with_key:
        operation["security"] = [{"apiKey": []}]
        scheme = {"type": "apiKey", "in": "header", "name": "x-api-key"}
        whole["components"] = {"securitySchemes": {"apiKey": scheme}}
    return whole


def _wiremock_mapping(response: ApiResponse) -> dict[str, Any]:
    return {
        "request": {
            "method": "GET",
            "urlPath": response.path,
            "headers": {"x-api-key": {"equalTo": KEY}},
        },
        "response": {
            "status": 200,
            "bodyFileName": "body.json",
            "headers": {"Content-Type": "application/json"},
        },
    }


def _mockoon_environment(response: ApiResponse) -> dict[str, Any]:
    entry = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": response.data.decode(),
        "bodyType": "INLINE",
        "statusCode": 200,
        "headers": [{"key": "Content-Type", "value": "application/json"}],
        "rulesOperator": "OR",
        "disableTemplating": True,
        "default": True,
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "http",
        "method": "get",
        "endpoint": response.path.removeprefix("/"),
        "responses": [entry],
    }
    return {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "One response",
        "port": 0,
        "hostname": "127.0.0.1",
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
        "routes": [route],
    }
