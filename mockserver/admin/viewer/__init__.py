"""Show one execution from a file or a server in the trace viewer, without a mock."""

from .app import build_viewer
from .load import NoExecutionError, read_execution

__all__ = ["NoExecutionError", "build_viewer", "read_execution"]
