"""The control API under `/__mock/`: time, faults, runs and executions of a session."""

from .guard import ROOT, SIGN_IN
from .hosts import binds_wide
from .routes import add_control
from .tokens import is_token, remember

__all__ = ["ROOT", "SIGN_IN", "add_control", "binds_wide", "is_token", "remember"]
