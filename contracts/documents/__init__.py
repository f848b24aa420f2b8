"""Validate stored documents: executions, responses, lists, NDJSON streams and HAR files."""

from .read import UnreadableError
from .validate import (
    ValidatedDocument,
    validate_document,
    validate_exchange,
    validate_response,
    validate_stream,
)

__all__ = [
    "UnreadableError",
    "ValidatedDocument",
    "validate_document",
    "validate_exchange",
    "validate_response",
    "validate_stream",
]
