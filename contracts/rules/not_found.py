"""Rules about resources that do not exist or belong to others."""

from collections.abc import Iterator

from deadringer.contracts.exchanges import MISSING, Exchange, Intent
from deadringer.contracts.json_types import Json
from deadringer.contracts.validation import is_valid
from deadringer.contracts.violations import Severity

from .conditions import (
    UNKNOWN,
    body_mismatches,
    carries_key,
    error_code,
    excerpt,
    has_body,
    has_intent,
    has_json,
    is_gateway_refusal,
    reached_the_service,
    responded,
    schema_mismatches,
)
from .json_values import elements, members, shown, text
from .model import Context, Group, Mismatch, Scope, rule

_ERRORS_PAGE = "Errors, 404: NOT_FOUND"


@rule(
    "DR047",
    group=Group.NOT_FOUND,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source=_ERRORS_PAGE,
    when=responded(has_intent(*UNKNOWN), carries_key, reached_the_service),
    needs="a request for something that does not exist",
)
def unknown_ids_are_not_found(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """An unknown workflow or run gets 404 with the code NOT_FOUND.

    Clients use it to distinguish a wrong id from a failure. Example: 200 with `data` null, or 500
    from a lookup without a result.
    """
    if exchange.status != 404:
        yield _not_404(exchange)
        return
    yield from body_mismatches(exchange, "error")
    code = error_code(exchange)
    if code is not None and code != "NOT_FOUND":
        yield Mismatch("/error/code", "NOT_FOUND", shown(code), "use the code that goes with 404")


def _not_404(exchange: Exchange, severity: Severity | None = None) -> Mismatch:
    fix = "return 404 if the lookup by all ids of the path finds nothing"
    return Mismatch("", "status 404", f"status {exchange.status}", fix, severity)


@rule(
    "DR048",
    group=Group.NOT_FOUND,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Inferred from Execution Detail: a run is addressed below its parent workflow",
    when=responded(has_intent(Intent.FOREIGN_RUN), carries_key, reached_the_service),
    needs="a run requested under another workflow's id",
)
def runs_stay_in_their_workflow(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A run requested under another workflow's id gets 404.

    A server that ignores the workflow id of the path accepts guesses and hides mistakes. Example:
    200 with a `workflow_id` other than that of the path.
    """
    if exchange.status != 404:
        yield _not_404(exchange)


@rule(
    "DR049",
    group=Group.NOT_FOUND,
    severity=Severity.WARNING,
    scope=Scope.EXCHANGE,
    source="Inferred: a response must not reveal that a run of another organisation exists",
    when=responded(has_intent(Intent.FOREIGN_ORGANISATION), carries_key, reached_the_service),
    needs="a run of another organisation",
)
def foreign_runs_are_not_found(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """A run of another organisation gets 404, like a run that does not exist.

    403 would reveal that it exists. Example: 403 with the code FORBIDDEN.
    """
    if exchange.status != 404:
        yield _not_404(exchange)


@rule(
    "DR050",
    group=Group.NOT_FOUND,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="Inferred from Errors: every refusal is a 4xx with a JSON body",
    when=responded(has_intent(Intent.EDGE_CASE_ID)),
    needs="a request with an edge-case id",
)
def odd_ids_are_refused_in_json(exchange: Exchange, _context: Context) -> Iterator[Mismatch]:
    """An edge-case id gets a 4xx status and a JSON body.

    Ids are opaque texts: the lookup of dots, escapes or 1,000 characters must fail cleanly. A JSON
    body other than the documented one is only a warning. Example: 500 for an emoji, or a web
    server's own HTML page for `..`.
    """
    if not 400 <= exchange.status < 500:
        fix = "decode the id of the path once and look it up unchanged"
        yield Mismatch("", "a 4xx status", f"status {exchange.status}", fix)
    elif has_body(exchange) and exchange.body is MISSING:
        severity = Severity.WARNING if is_gateway_refusal(exchange) else None
        fix = "respond with the documented error body before routing too"
        yield Mismatch("", "a JSON body", excerpt(exchange), fix, severity)
    elif has_body(exchange) and not is_valid(exchange.body, _schema(exchange)):
        yield from schema_mismatches(exchange.body, _schema(exchange), Severity.WARNING)


def _schema(exchange: Exchange) -> str:
    special = {401: "error_unauthorized", 429: "error_rate_limited"}
    return special.get(exchange.status, "error")


def _has_near_id(exchange: Exchange, _known: Json, context: Context) -> bool:
    return responded(has_intent(Intent.NEAR_ID), carries_key, reached_the_service)(
        exchange, context
    )


def _identities(body: Json) -> set[str]:
    """Return the ids of what a body is about: a run and its log, a workflow, or listed runs."""
    data = members(members(body).get("data"))
    ids = {text(data.get(name)) for name in ("id", "run_id")}
    for name in ("executions", "items"):
        ids |= {text(members(row).get("run_id")) for row in elements(data.get(name))}
    return {one for one in ids if one}


@rule(
    "DR140",
    group=Group.NOT_FOUND,
    severity=Severity.ERROR,
    scope=Scope.NEAR_ID,
    source="Execution Detail: `id` is the workflow ID, `runId` the run ID; Errors, 404: NOT_FOUND",
    when=_has_near_id,
    needs="a request with an id that differs slightly from a known one",
)
def near_ids_are_not_accepted(
    exchange: Exchange, known: Json, _context: Context
) -> Iterator[Mismatch]:
    """An id that differs from a known one in any character does not return what the known one does.

    Not in another case, with a prefix, a suffix or a blank, encoded twice, in another Unicode form,
    or after a doubled slash: ids are opaque texts, and one thing with many ids is cached, counted
    and deleted as many. A run or workflow that really has the near id is accepted. Example:
    `run_x7k9m2` in the response to a request for `RUN_X7K9M2`.
    """
    if not exchange.succeeded or not has_json(exchange):
        return
    shared = _identities(exchange.body) & _identities(known)
    if shared:
        yield Mismatch(
            "",
            "status 404, as no id of the path is exactly the known one",
            f"status {exchange.status} and {shown(min(shared))} for {exchange.path}",
            "compare ids character by character, after decoding the path once",
        )


RULES = (
    unknown_ids_are_not_found,
    runs_stay_in_their_workflow,
    foreign_runs_are_not_found,
    odd_ids_are_refused_in_json,
    near_ids_are_not_accepted,
)
