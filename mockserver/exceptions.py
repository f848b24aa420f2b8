"""Errors that prevent the server from starting.

StartError
└── SettingsError   (config.py)
"""


class StartError(Exception):
    """The server cannot start; the message states what is wrong, where, and the fix."""
