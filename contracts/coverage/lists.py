"""Situations of the lists: empty, on several pages, beyond the end."""

from deadringer.contracts.envelopes import elements

from .model import DocumentedRequest, ExchangePart, Situation

LIST_SITUATIONS = (
    Situation(
        "list_empty",
        "A workflow without runs",
        "The list needs a text for having nothing to show.",
        "List Workflow Executions",
        (DocumentedRequest("/v1/workflows/wf_no_runs/executions"),),
        found_in=ExchangePart.PAGE,
        matches=lambda page: page.total == 0 and not page.rows,
    ),
    Situation(
        "list_of_several_pages",
        "Runs on several pages",
        "The first page is not the whole list.",
        "schema `pagination`",
        (DocumentedRequest("/v1/workflows/wf_many_runs/executions"),),
        found_in=ExchangePart.PAGE,
        matches=lambda page: 0 < len(page.rows) < page.total,
    ),
    Situation(
        "list_further_page",
        "A page after the first",
        "A client that never requests one shows the newest runs only.",
        "schema `pagination`",
        (DocumentedRequest("/v1/workflows/wf_many_runs/executions?page=2"),),
        found_in=ExchangePart.PAGE,
        matches=lambda page: page.number > 1 and bool(page.rows),
    ),
    Situation(
        "page_beyond_end",
        "A page beyond the end",
        "It is a 200 with an empty list, not an error.",
        "rule `page_beyond_the_end_is_empty`",
        (DocumentedRequest("/v1/workflows/wf_abc123/executions?page=9999"),),
        found_in=ExchangePart.PAGE,
        matches=lambda page: page.number > 1 and page.total > 0 and not page.rows,
    ),
    Situation(
        "workflows_of_several_pages",
        "Workflows on several pages",
        "`has_more` is true; the next ones need an `offset`.",
        "schema `workflow_list`, `has_more`",
        (DocumentedRequest("/v1/workflows?limit=2"),),
        found_in=ExchangePart.WORKFLOWS,
        matches=lambda data: data.get("has_more") is True,
    ),
    Situation(
        "workflows_empty",
        "No workflows",
        "A new organisation has none; nor has an `offset` beyond the end.",
        "List Workflows",
        (DocumentedRequest("/v1/workflows?offset=9999"),),
        found_in=ExchangePart.WORKFLOWS,
        matches=lambda data: not elements(data["items"]),
    ),
)
