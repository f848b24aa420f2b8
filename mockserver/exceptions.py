"""What keeps the server from starting, told in words a person can act on.

StartError
└── SettingsError   (config.py)
"""


class StartError(Exception):
    """The server cannot start; the message says what, where and how to fix it."""
