"""The control API under `/__mock/`: time, faults, runs and executions of a session."""

from .guard import ROOT
from .hosts import binds_wide
from .routes import add_control

__all__ = ["ROOT", "add_control", "binds_wide"]
