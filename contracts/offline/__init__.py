"""Judging documents that were kept: executions, answers, lists, NDJSON streams and HAR files."""

from .judging import Judged, judge_answer, judge_document, judge_exchange, judge_stream
from .paths import operation_at
from .reading import UnreadableError

__all__ = [
    "Judged",
    "UnreadableError",
    "judge_answer",
    "judge_document",
    "judge_exchange",
    "judge_stream",
    "operation_at",
]
