"""Speaks HTTP/1.1: reads requests from connections, and writes what answers them."""

from .connection import Connection
from .desk import MOST_AT_ONCE, Desk, Kept

__all__ = ["MOST_AT_ONCE", "Connection", "Desk", "Kept"]
