"""The views of the operations in `openapi.yaml`, and the table of them."""

from collections.abc import Callable, Mapping

from flask import Response

from deadringer.mockserver.context import RequestContext
from deadringer.mockserver.world.service import Service

from .executions import get_execution, get_variables, list_executions
from .test_runs import start_test_run
from .workflows import get_credit_balance, get_workflow, list_actions, list_workflows

__all__ = ["VIEWS", "View"]

View = Callable[[Service, RequestContext, Mapping[str, str]], Response]
"""Handles one operation; the mapping holds the path parameters by their names."""

VIEWS: Mapping[str, View] = {
    "getCreditBalance": get_credit_balance,
    "getExecution": get_execution,
    "getExecutionVariables": get_variables,
    "getWorkflow": get_workflow,
    "listActions": list_actions,
    "listExecutions": list_executions,
    "listWorkflows": list_workflows,
    "testWorkflow": start_test_run,
}
