"""The control API under `/__mock/`: time, faults, runs and executions of a session.

`routes.py` is not imported here: its imports take longer than the start of a server.
"""

from .access import ROOT, SIGN_IN, binds_wide, is_token, remember

__all__ = ["ROOT", "SIGN_IN", "binds_wide", "is_token", "remember"]
