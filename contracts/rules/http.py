"""Promises about any answer: its status, its form, and what belongs to each request."""

from .http_answers import RULES as ANSWER_RULES
from .http_requests import RULES as REQUEST_RULES

RULES = (*ANSWER_RULES, *REQUEST_RULES)
