"""Validate stored documents: executions, responses, lists, NDJSON streams and HAR files."""

from .read import Lines, UnreadableError
from .validate import (
    ValidatedDocument,
    validate_document,
    validate_exchange,
    validate_response,
    validate_stream,
)

__all__ = [
    "Lines",
    "UnreadableError",
    "ValidatedDocument",
    "validate_document",
    "validate_exchange",
    "validate_response",
    "validate_stream",
]
