"""The path a request asks for, as every part of the server reads it."""

from collections.abc import Mapping
from typing import Any

API_ROOT = "/v1"


def asked_path(environ: Mapping[str, Any]) -> str:
    """Give the path of a WSGI environment; Flask reads `//v1` as `/v1`, and so do all others."""
    return "/" + str(environ.get("PATH_INFO", "")).lstrip("/")
