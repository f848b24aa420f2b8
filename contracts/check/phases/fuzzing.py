"""The part of a check in which Schemathesis asks the questions."""

from deadringer.contracts.check.fuzz.model import GeneratedPlan, GeneratedResult
from deadringer.contracts.check.session import Inspection
from deadringer.contracts.rules import Scope

FEWEST = 10
LONGEST_S = 60.0


def judge_generated(inspection: Inspection, most: int) -> None:
    """Judge answers to generated requests, as many as the rate limit's window still has room for.

    The window is not waited for: generated requests are worth less than the reader's minute.
    """
    client, options = inspection.client, inspection.options
    room = client.pace.left(options.api_key)
    wanted = most if room is None else min(most, room)
    if wanted < FEWEST:
        if most >= FEWEST:
            inspection.notes.append("no generated requests: the rate limit's window is used up")
        return
    plan = GeneratedPlan(
        base_url=options.base_url,
        api_key=options.api_key,
        seed=options.seed,
        max_requests=wanted,
        max_time_s=min(LONGEST_S, client.time_left_s),
        known_ids=inspection.known_ids(),
        writes_allowed=options.writes_allowed,
        left_out_operations=frozenset(inspection.operations.keys() - inspection.present),
    )
    from deadringer.contracts.check.fuzz.engine import generate_exchanges  # imports Schemathesis

    for result in generate_exchanges(plan, client.send, inspection.notes.append):
        _judge(inspection, result)


def _judge(inspection: Inspection, result: GeneratedResult) -> None:
    exchange = result.exchange
    inspection.judge_exchange(exchange)
    context = inspection.context()
    failures = [(one.check, one.message, one.severity) for one in result.failures]
    inspection.ledger.judge(Scope.GENERATED, failures, exchange, context=context, exchange=exchange)
    if exchange.method == "GET":
        inspection.good_execution(exchange)
