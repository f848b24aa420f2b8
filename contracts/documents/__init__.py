"""Validate stored documents: executions, responses, lists, NDJSON streams and HAR files."""

from .entry_counts import EntryCounts
from .har import HarRecording, is_har
from .har_writer import har_document, har_entry
from .parallel import StreamValidator
from .read import Lines, UnreadableError, read_documents
from .validate import (
    ValidatedDocument,
    validate_document,
    validate_exchange,
    validate_response,
    validate_stream,
)

__all__ = [
    "EntryCounts",
    "HarRecording",
    "Lines",
    "StreamValidator",
    "UnreadableError",
    "ValidatedDocument",
    "har_document",
    "har_entry",
    "is_har",
    "read_documents",
    "validate_document",
    "validate_exchange",
    "validate_response",
    "validate_stream",
]
