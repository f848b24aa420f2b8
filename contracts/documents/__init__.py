"""Judging documents that were kept: executions, answers, lists, NDJSON streams and HAR files."""

from .read import UnreadableError
from .validate import Judged, judge_answer, judge_document, judge_exchange, judge_stream

__all__ = [
    "Judged",
    "UnreadableError",
    "judge_answer",
    "judge_document",
    "judge_exchange",
    "judge_stream",
]
