"""Execution Variables: input and output of each step, keyed by step id."""

from collections.abc import Mapping

from flask import Response

from mockserver.service import Scene, Service

from .answers import good
from .get_execution import find_execution


def get_variables(service: Service, scene: Scene, path: Mapping[str, str]) -> Response:
    """Answer with what each step read and produced; of a loop, the last iteration's."""
    execution = find_execution(service, scene, path["id"], path["runId"]).execution
    steps = {
        step["step_id"]: {"input": step["input"], "output": step["output"]}
        for step in execution["steps"]
    }
    data = {
        "run_id": execution["run_id"],
        "status": execution["status"],
        "halted_at": None,
        "steps": steps,
    }
    return good("Execution variables retrieved successfully", data)
