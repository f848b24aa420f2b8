"""The checks of Schemathesis: which of them count here, how much, and why."""

from dataclasses import dataclass

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.violations import Severity


@dataclass(frozen=True, slots=True)
class BuiltInCheck:
    """One of Schemathesis' checks; `severity` None leaves it out. `reason` says why."""

    name: str
    severity: Severity | None
    reason: str


BUILT_IN_CHECKS = (
    BuiltInCheck(
        "not_a_server_error",
        Severity.ERROR,
        "no documented request is answered with 5xx by a working server, edge cases included; "
        "501 to a method the specification does not have is only a warning",
    ),
    BuiltInCheck(
        "ignored_auth",
        Severity.ERROR,
        "the answer to the same request without the key, or with a wrong one, must not be good; "
        "an error other than 401 is left to our rules, which know what may come before auth",
    ),
    BuiltInCheck(
        "status_code_conformance",
        Severity.WARNING,
        "only for an undocumented 2xx: frameworks, routers and proxies answer unusual paths with "
        "redirects and with 405, 414, 422 or 431, which no specification lists in full",
    ),
    BuiltInCheck(
        "content_type_conformance",
        None,
        "the HTML page with which a web server refuses an unusual path would fail it; "
        "our rules ask for JSON where the API itself answers",
    ),
    BuiltInCheck(
        "response_headers_conformance",
        None,
        "RateLimit headers may be stripped by a gateway; our rules judge those that are there",
    ),
    BuiltInCheck(
        "response_schema_conformance",
        None,
        "knows one error body and one timestamp format; our validation judges the same schemas "
        "and accepts the tolerated error bodies and every ISO 8601 form",
    ),
    BuiltInCheck(
        "negative_data_rejection",
        None,
        "a broken parameter that looks valid once it is text in a URL, and a parameter the server "
        "need not know, are rightly accepted; our probes send the values that must be refused",
    ),
    BuiltInCheck(
        "positive_data_acceptance",
        None,
        "every text is a valid id for the schema, and nearly every one is rightly a 404 or 400",
    ),
    BuiltInCheck(
        "missing_required_header",
        None,
        "the only required header is the key, which ignored_auth and our rules take away",
    ),
    BuiltInCheck(
        "unsupported_method",
        None,
        "would send PUT, DELETE and others to real runs; our probes ask with harmless ones, and "
        "501 or 404 instead of 405 violates no rule",
    ),
    BuiltInCheck(
        "allow_header_conformance", None, "needs OPTIONS, which the API does not document"
    ),
    BuiltInCheck("use_after_free", None, "needs an operation that deletes; there is none"),
    BuiltInCheck(
        "ensure_resource_availability",
        None,
        "a run may be 404 for a short while after it was started; our rules allow for it",
    ),
    BuiltInCheck(
        "object_level_authorization", None, "needs two accounts; our isolation rules need one"
    ),
    BuiltInCheck("max_response_time", None, "no response time is promised"),
)
"""Every check of Schemathesis 4, in the order of its documentation, and what we make of it."""


def severity_of(
    check: str, exchange: Exchange, *, documented_method: bool = True
) -> Severity | None:
    """Return the severity of a failed check of Schemathesis, None if the failure does not count."""
    severity = next((one.severity for one in BUILT_IN_CHECKS if one.name == check), None)
    if severity is None or exchange.failure is not None:
        return None
    if check == "not_a_server_error" and exchange.status == 501 and not documented_method:
        return Severity.WARNING
    if check in {"ignored_auth", "status_code_conformance"} and not exchange.succeeded:
        return None
    return severity
