"""One module for each operation of `openapi.yaml`; the table says which answers which."""

from collections.abc import Callable, Mapping

from flask import Response

from mockserver.service import Service

from .get_execution import get_execution

__all__ = ["VIEWS", "View"]

View = Callable[[Service, Mapping[str, str]], Response]
"""Answers one operation, given the service and the path parameters as the template names them."""

VIEWS: Mapping[str, View] = {
    "getExecution": get_execution,
}
