"""The checks of Schemathesis: which are used, their severity, and why."""

from dataclasses import dataclass

from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.violations import Severity


@dataclass(frozen=True, slots=True)
class BuiltInCheck:
    """One of Schemathesis' checks, and why it has this severity. With None it is not used."""

    name: str
    severity: Severity | None
    reason: str


BUILT_IN_CHECKS = (
    BuiltInCheck(
        "not_a_server_error",
        Severity.ERROR,
        "no documented request gets 5xx from a working server, edge cases included; "
        "501 for a method missing from the specification is only a warning",
    ),
    BuiltInCheck(
        "ignored_auth",
        Severity.ERROR,
        "the same request without the key, or with a wrong one, must not succeed; "
        "our rules validate errors other than 401, since some checks may come before auth",
    ),
    BuiltInCheck(
        "status_code_conformance",
        Severity.WARNING,
        "only for an undocumented 2xx: frameworks and proxies respond to unusual paths with "
        "redirects and with 405, 414, 422 or 431, which no specification lists in full",
    ),
    BuiltInCheck(
        "content_type_conformance",
        None,
        "a web server's HTML page for an unusual path would fail it; "
        "our rules require JSON where the API itself responds",
    ),
    BuiltInCheck(
        "response_headers_conformance",
        None,
        "a gateway may remove RateLimit headers; our rules validate those that are present",
    ),
    BuiltInCheck(
        "response_schema_conformance",
        None,
        "knows one error body and one timestamp format; our validation uses the same schemas "
        "and accepts the tolerated error bodies and every ISO 8601 form",
    ),
    BuiltInCheck(
        "negative_data_rejection",
        None,
        "an invalid parameter that looks valid as text in a URL, and a parameter the server "
        "may ignore, are rightly accepted; our probes send the values that must be refused",
    ),
    BuiltInCheck(
        "positive_data_acceptance",
        None,
        "the schema allows every text as an id, and most ids rightly get 404 or 400",
    ),
    BuiltInCheck(
        "missing_required_header",
        None,
        "the only required header is the key, which ignored_auth and our rules omit",
    ),
    BuiltInCheck(
        "unsupported_method",
        None,
        "would send PUT, DELETE and others to real runs; our probes use harmless methods, and "
        "501 or 404 instead of 405 violates no rule",
    ),
    BuiltInCheck(
        "allow_header_conformance", None, "needs OPTIONS, which the API does not document"
    ),
    BuiltInCheck("use_after_free", None, "needs an operation that deletes; there is none"),
    BuiltInCheck(
        "ensure_resource_availability",
        None,
        "a run may get 404 shortly after its start; our rules allow it",
    ),
    BuiltInCheck(
        "object_level_authorization", None, "needs two accounts; our isolation rules need one"
    ),
    BuiltInCheck("max_response_time", None, "no response time is documented"),
)
"""All checks of Schemathesis 4, in the order of its documentation."""


def severity_of(
    check: str, exchange: Exchange, *, documented_method: bool = True
) -> Severity | None:
    """Return the severity of a failed Schemathesis check, or None if the failure does not count."""
    severity = next((one.severity for one in BUILT_IN_CHECKS if one.name == check), None)
    if severity is None or exchange.failure is not None:
        return None
    if check == "not_a_server_error" and exchange.status == 501 and not documented_method:
        return Severity.WARNING
    if check in {"ignored_auth", "status_code_conformance"} and not exchange.succeeded:
        return None
    return severity
