"""One module for each operation of `openapi.yaml`; the table says which answers which."""

from collections.abc import Callable, Mapping

from flask import Response

from mockserver.service import Scene, Service

from .credits import get_credit_balance
from .get_execution import get_execution
from .list_executions import list_executions
from .trial_runs import start_test_run
from .variables import get_variables
from .workflows import get_workflow, list_actions, list_workflows

__all__ = ["VIEWS", "View"]

View = Callable[[Service, Scene, Mapping[str, str]], Response]
"""Answers one operation; path parameters are named as the template names them."""

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
