"""Showing one execution from anywhere in the trace viewer, without a world around it."""

from .app import build_viewer
from .load import NoExecutionError, read_execution

__all__ = ["NoExecutionError", "build_viewer", "read_execution"]
