"""The part of a check in which Schemathesis asks the questions."""

from deadringer.contracts.check.fuzz.model import GeneratedPlan, GeneratedResult
from deadringer.contracts.check.session import CheckSession
from deadringer.contracts.rules import Scope

FEWEST = 10
LONGEST_S = 60.0


def fuzz(session: CheckSession, limit: int) -> None:
    """Judge answers to generated requests, as many as the rate limit's window still has room for.

    The window is not waited for: generated requests are worth less than the reader's minute.
    """
    client, options = session.client, session.options
    room = client.rate_limiter.left(options.api_key)
    wanted = limit if room is None else min(limit, room)
    if wanted < FEWEST:
        if limit >= FEWEST:
            session.notes.append("no generated requests: the rate limit's window is used up")
        return
    plan = GeneratedPlan(
        base_url=options.base_url,
        api_key=options.api_key,
        seed=options.seed,
        max_requests=wanted,
        max_time_s=min(LONGEST_S, client.time_left_s),
        known_ids=session.known_ids(),
        writes_allowed=options.writes_allowed,
        left_out_operations=frozenset(session.operations.keys() - session.present),
    )
    from deadringer.contracts.check.fuzz.engine import generate_exchanges  # imports Schemathesis

    for result in generate_exchanges(plan, client.send, session.notes.append):
        _validate(session, result)


def _validate(session: CheckSession, result: GeneratedResult) -> None:
    exchange = result.exchange
    session.validate_exchange(exchange)
    context = session.context()
    failures = [(one.check, one.message, one.severity) for one in result.failures]
    session.recorder.apply(Scope.GENERATED, failures, exchange, context=context, exchange=exchange)
    if exchange.method == "GET":
        session.good_execution(exchange)
