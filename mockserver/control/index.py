"""What the control API says of itself: its index and its document."""

from functools import cache

import yaml
from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from contracts import JsonObject
from mockserver.control_document import control_operations, control_specification

from .guard import ROOT
from .steering import Steering

PAGES = {"runs": f"{ROOT}ui/runs"}


def get_index(_steering: Steering) -> JsonObject | AnyResponse:
    """Give the routes; send a browser that prefers HTML to the list of runs."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return redirect(PAGES["runs"])
    listed = [
        {"method": one.method, "path": one.path, "summary": one.described["summary"]}
        for one in control_operations()
    ]
    return {
        "name": "deadringer",
        "specification": f"{ROOT}openapi.json",
        "pages": PAGES,
        "operations": listed,
    }


def get_specification(_steering: Steering) -> JsonObject:
    """Give the document as JSON."""
    return control_specification()


def get_specification_as_yaml(_steering: Steering) -> Response:
    """Give the document as YAML."""
    return Response(_as_yaml(), mimetype="application/yaml")


@cache
def _as_yaml() -> str:
    text: str = yaml.safe_dump(control_specification(), sort_keys=False, allow_unicode=True)
    return text
