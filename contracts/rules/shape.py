"""Rules about complete responses: they arrive, and they match their schema."""

from collections.abc import Iterator

from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.json_types import Json
from deadringer.contracts.validation import validate
from deadringer.contracts.violations import Severity, Violation

from .model import Context, Group, Mismatch, Rule, Scope, rule

FIXES = "look for the cause in the server's log at the time of the request"


class _SchemaRule(Rule):
    """The schema rule reports violations itself, so that each names its place in the schema."""

    def violations(self, *subject: Json) -> list[Violation]:
        instance, schema_name, context = subject
        return list(validate(instance, schema_name, strict=context.settings.strict))


def _response_matches_its_schema(
    _instance: Json, _schema_name: str, _context: Context
) -> Iterator[Mismatch]:
    """Every response has the documented members with the documented types.

    Clients are generated from the schema: they fail to parse a response with a missing or wrongly
    typed member. The schemas are in `contracts/schemas/`.
    """
    yield from ()


SCHEMA_RULE = _SchemaRule(
    id="DR000",
    name="schema",
    group=Group.SHAPE,
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    source="openapi.yaml and contracts/schemas/",
    function=_response_matches_its_schema,
    needs="a JSON response",
)


@rule(
    "DR100",
    group=Group.SHAPE,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="openapi.yaml, responses",
)
def answer_arrives_whole(exchange: Exchange, context: Context) -> Iterator[Mismatch]:
    """Every request gets a complete HTTP response in time.

    A dropped connection, a truncated or endless body, and a response that is not HTTP cannot be
    used by any client. Source: every operation documents a response.
    """
    if exchange.failure is not None:
        # A web server may close the connection on an unknown method.
        severity = Severity.WARNING if exchange.intent is Intent.WRONG_METHOD else None
        cause = f" ({exchange.cause})" if exchange.cause else ""
        got = f"{exchange.failure}{cause}"
        yield Mismatch("", "a complete HTTP response", got, FIXES, severity)


@rule(
    "DR130",
    group=Group.SHAPE,
    severity=Severity.ERROR,
    scope=Scope.GENERATED,
    source="Schemathesis over openapi.yaml",
    needs="generated requests, which --quick and a narrow rate limit leave out",
)
def generated_requests_find_nothing(
    failures: Json, _exchange: Json, _context: Context
) -> Iterator[Mismatch]:
    """Requests generated from the specification get no unexpected response.

    Schemathesis generates requests at every boundary, at random, and along links between
    operations, and runs its own checks on the responses. Each check has its own severity here.
    Example of a finding: `not_a_server_error`.
    """
    for check, message, severity in failures:
        yield Mismatch("", f"the check {check} to pass", message, FIXES, severity)


RULES = (SCHEMA_RULE, answer_arrives_whole, generated_requests_find_nothing)
