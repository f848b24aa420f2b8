"""The control API under `/__mock/`: time, faults, runs and executions of a session.

`routes.py` is not loaded here: what it brings takes longer to load than a server to start.
"""

from .access import ROOT, SIGN_IN, binds_wide, is_token, remember

__all__ = ["ROOT", "SIGN_IN", "binds_wide", "is_token", "remember"]
