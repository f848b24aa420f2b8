"""Judging documents that were kept: executions, answers, lists, NDJSON streams and HAR files."""

from .judging import Judged, judge_exchange, judge_stream
from .reading import UnreadableError

__all__ = ["Judged", "UnreadableError", "judge_exchange", "judge_stream"]
