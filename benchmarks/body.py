"""The one response that every server gives, and the files each of them wants it in."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deadringer.fixtures import generate, json_bytes

KEY = "trig_demo_key_0123456789abcdef"
KEY_HEADER = f"x-api-key: {KEY}"
LENGTH = range(2450, 2551)
"""How many bytes the response may have: about 2.5 kB."""


@dataclass(frozen=True)
class Answer:
    """One execution as the API answers it."""

    document: dict[str, Any]

    @property
    def path(self) -> str:
        """Where it is read."""
        data = self.document["data"]
        return f"/v1/workflows/{data['workflow_id']}/executions/{data['run_id']}"

    @property
    def data(self) -> bytes:
        """The bytes of it."""
        return json_bytes(self.document)


def typical_answer() -> Answer:
    """Return the first generated execution of the wanted length."""
    for index in range(10_000):
        execution = generate("benchmark", index=index, status="completed", steps=(3, 6))
        execution["run_id"] = "run_benchmark"
        message = "Execution retrieved successfully"
        answer = Answer({"success": True, "message": message, "data": execution})
        if len(answer.data) in LENGTH:
            return answer
    raise LookupError(f"No generated execution has {LENGTH} bytes.")


def write_files(folder: Path, answer: Answer) -> None:
    """Write the response as each server reads it: nginx, ours, and the peers."""
    files = {
        "html/body.json": answer.data.decode(),
        "fixtures/answer.json": answer.data.decode(),
        "openapi.json": _specification(answer, with_key=True),
        "keyless.json": _specification(answer, with_key=False),
        "db.json": {"answer": answer.document},
        "routes.json": {"/v1/workflows/:id/executions/:runId": "/answer"},
        "mockoon.json": _mockoon_environment(answer),
        "wiremock/__files/body.json": answer.data.decode(),
        "wiremock/mappings/answer.json": _wiremock_mapping(answer),
        "nginx.conf": (Path(__file__).parent / "nginx.conf").read_text(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def _specification(answer: Answer, *, with_key: bool) -> dict[str, Any]:
    """Return a specification of this one response: less work for a peer than all of ours."""
    content = {"application/json": {"schema": {"type": "object"}, "example": answer.document}}
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
        "info": {"title": "One answer", "version": "1"},
        "paths": {"/v1/workflows/{id}/executions/{runId}": {"get": operation}},
    }
    if with_key:
        operation["security"] = [{"apiKey": []}]
        scheme = {"type": "apiKey", "in": "header", "name": "x-api-key"}
        whole["components"] = {"securitySchemes": {"apiKey": scheme}}
    return whole


def _wiremock_mapping(answer: Answer) -> dict[str, Any]:
    return {
        "request": {
            "method": "GET",
            "urlPath": answer.path,
            "headers": {"x-api-key": {"equalTo": KEY}},
        },
        "response": {
            "status": 200,
            "bodyFileName": "body.json",
            "headers": {"Content-Type": "application/json"},
        },
    }


def _mockoon_environment(answer: Answer) -> dict[str, Any]:
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": answer.data.decode(),
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
        "endpoint": answer.path.removeprefix("/"),
        "responses": [response],
    }
    return {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "One answer",
        "port": 0,
        "hostname": "127.0.0.1",
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
        "routes": [route],
    }
