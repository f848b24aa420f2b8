"""Promises about lists of runs, in both documented shapes: rows, pages, walks, and the detail."""

from .list_pages import RULES as PAGE_RULES
from .list_rows import RULES as ROW_RULES
from .listed_runs import RULES as LISTED_RULES

RULES = (*ROW_RULES, *PAGE_RULES, *LISTED_RULES)
