"""A series of exchanges, as clients sent them: what the rules of the contract are tested on."""

from .rates import RateSeries
from .series import Series
from .stores import BoundedStore
from .subjects import Subject, body_of, document_subjects, response_subjects, time_of

__all__ = [
    "BoundedStore",
    "RateSeries",
    "Series",
    "Subject",
    "body_of",
    "document_subjects",
    "response_subjects",
    "time_of",
]
