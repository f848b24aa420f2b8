"""Rules about whole responses: they arrive, and they keep their schema."""

from collections.abc import Iterator

from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.json_types import Json
from deadringer.contracts.validation import validate
from deadringer.contracts.violations import Severity, Violation

from .model import Context, Group, Mismatch, Rule, Scope, rule

FIXES = "look for the cause in the server's log at the time of the request"


class _SchemaRule(Rule):
    """The schema speaks with its own words, so that each mismatch names its place in the schema."""

    def violations(self, *subject: Json) -> Iterator[Violation]:
        instance, schema_name, context = subject
        yield from validate(instance, schema_name, strict=context.settings.strict)


def _answer_keeps_its_schema(
    _instance: Json, _schema_name: str, _context: Context
) -> Iterator[Mismatch]:
    """Every response has the documented members, of the documented types.

    Clients are generated from the schema: a missing or wrongly typed member breaks them before
    any line of their own code runs. The schemas stand in `contracts/schemas/`.
    """
    yield from ()


SCHEMA_RULE = _SchemaRule(
    id="DR000",
    name="schema",
    group=Group.SHAPE,
    severity=Severity.ERROR,
    scope=Scope.DOCUMENT,
    source="openapi.yaml and contracts/schemas/",
    function=_answer_keeps_its_schema,
    needs="an answer in JSON",
)


@rule(
    "DR100",
    group=Group.SHAPE,
    severity=Severity.ERROR,
    scope=Scope.EXCHANGE,
    source="openapi.yaml, responses",
)
def answer_arrives_whole(exchange: Exchange, context: Context) -> Iterator[Mismatch]:
    """Every request gets a complete HTTP answer in time.

    A dropped connection, a body that ends early or never, and a response that is not HTTP leave
    a client with nothing to show. Source: every operation documents a response.
    """
    if exchange.failure is not None:
        # A web server may hang up on a method it has never heard of.
        severity = Severity.WARNING if exchange.intent is Intent.WRONG_METHOD else None
        yield Mismatch("", "a complete HTTP answer", str(exchange.failure), FIXES, severity)


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
    """Requests generated from the specification find nothing unexpected.

    Schemathesis asks at every boundary, at random, and along links from answer to request; its
    own checks of the responses, each with its severity here. Example of a finding:
    `not_a_server_error`.
    """
    for check, message, severity in failures:
        yield Mismatch("", f"the check {check} to pass", message, FIXES, severity)


RULES = (SCHEMA_RULE, answer_arrives_whole, generated_requests_find_nothing)
