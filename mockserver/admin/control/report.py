"""The report of a proxy on the server behind it, in every format of `deadringer check`."""

from flask import Response

from deadringer.contracts import escaped

from .context import ControlContext

_TYPES = {
    "text": "text/plain",
    "json": "application/json",
    "junit": "application/xml",
    "html": "text/html",
    "markdown": "text/markdown",
    "sarif": "application/sarif+json",
}
_SANDBOX = "sandbox allow-scripts"
"""Keeps a report from this origin; what else may run is in the report itself."""


def get_report(control: ControlContext) -> Response:
    """Return the report on all requests so far, in the format that the query names."""
    from deadringer.contracts.check import FORMATS  # many modules, which few requests need

    assert control.traffic is not None, "the route requires it"
    name: str = control.query["format"]
    text = escaped(FORMATS[name](control.traffic.report()), keep="\n\t")
    response = Response(text, mimetype=_TYPES[name])
    response.headers["Cache-Control"] = "no-store"
    if name == "html":
        response.headers["Content-Security-Policy"] = _SANDBOX
    return response
