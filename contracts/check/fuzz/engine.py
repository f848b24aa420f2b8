"""Run Schemathesis' engine phase by phase, with the check's own client as its transport.

Schemathesis chooses the requests and applies its own checks; only the client sends. So the limits
of a check apply here too: request budget, rate limit, no redirects, bounded bodies. A server that
violates HTTP produces an exchange with a failure, never an exception.

This module imports Schemathesis, which is slow, so the fuzzing phase imports it only when it runs.
Phases, execution plan and engine context are not part of Schemathesis' documented interface; the
pin `schemathesis>=4.32,<5` and the tests of this module guard against changes.
"""

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import hypothesis.strategies as st
from hypothesis.configuration import set_hypothesis_home_dir, storage_directory
from schemathesis.config import CacheConfig, HealthCheck, ProjectConfig, SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events
from schemathesis.engine.context import EngineContext
from schemathesis.engine.core import ExecutionPlan
from schemathesis.engine.run import Phase, PhaseName
from schemathesis.hooks import HookContext
from schemathesis.specs.openapi.schemas import OpenApiSchema
from schemathesis.transport import BaseTransport
from schemathesis.transport.requests import REQUESTS_TRANSPORT

from deadringer.contracts.check.http.client import BudgetSpentError, Request
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.specification import Operation, operations

from .cases import AnyCase, no_response, request_of, response_of
from .checks import BUILT_IN_CHECKS, severity_of
from .model import (
    SAFE_METHODS,
    CheckFailure,
    GeneratedPhase,
    GeneratedPlan,
    GeneratedResult,
    Log,
    Send,
)
from .spec import ID_PARAMETERS, as_parameters, specification_for

MAX_FAILURES_IN_A_ROW = 5  # then the server counts as unreachable
_REPLACED = (
    ID_PARAMETERS,
    (),
    ID_PARAMETERS,
    ("id",),
    ID_PARAMETERS,
    (),
    ID_PARAMETERS,
    ("runId",),
)
_ENGINE_PHASES = {
    GeneratedPhase.EXAMPLES: PhaseName.EXAMPLES,
    GeneratedPhase.COVERAGE: PhaseName.COVERAGE,
    GeneratedPhase.FUZZING: PhaseName.FUZZING,
    GeneratedPhase.STATEFUL: PhaseName.STATEFUL_TESTING,
}
_WEIGHTS = {
    GeneratedPhase.EXAMPLES: 1,
    GeneratedPhase.COVERAGE: 3,
    GeneratedPhase.FUZZING: 3,
    GeneratedPhase.STATEFUL: 3,
}


def generate_exchanges(plan: GeneratedPlan, send: Send, log: Log) -> Iterator[GeneratedResult]:
    """Yield every generated request with its response; the same seed generates the same requests.

    Run every phase over every operation, each within its share of the plan's requests, and send
    through `send`, usually `Client.send`. Stop when the plan's requests or time are used up, when
    `send` raises BudgetSpentError, or when the server no longer responds. Send only GET requests
    unless `writes_allowed`.
    """
    if plan.max_requests <= 0:
        return
    chosen = [
        one
        for one in operations()
        if (plan.writes_allowed or one.method in SAFE_METHODS)
        and one.operation_id not in plan.left_out_operations
    ]
    budget = _Budget(plan, send)
    turns = _turns(chosen)
    for position, (phase, some) in enumerate(turns):
        weight_left = sum(_weight(*turn) for turn in turns[position:])
        share = -(-budget.left * _weight(phase, some) // weight_left)
        if budget.is_spent or not some:
            return
        turn = _Turn(plan, budget, phase, share)
        yield from turn.run(some, log)


def _turns(chosen: list[Operation]) -> list[tuple[GeneratedPhase, list[Operation]]]:
    alone = (GeneratedPhase.EXAMPLES, GeneratedPhase.COVERAGE, GeneratedPhase.FUZZING)
    turns = [(phase, [operation]) for phase in alone for operation in chosen]
    return [*turns, (GeneratedPhase.STATEFUL, chosen)] if len(chosen) > 1 else turns


def _weight(phase: GeneratedPhase, some: list[Operation]) -> int:
    # Operations with more parameters get more requests.
    return _WEIGHTS[phase] * sum(1 + len(one.path_parameters) for one in some)


@dataclass(slots=True)
class _Budget:
    """The remaining request budget of all phases."""

    plan: GeneratedPlan
    send: Send
    left: int = 0
    ends_at_s: float = 0.0
    failures_in_a_row: int = 0
    auth_tried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.left = self.plan.max_requests
        self.ends_at_s = time.monotonic() + self.plan.max_time_s

    @property
    def is_spent(self) -> bool:
        return (
            self.left <= 0
            or time.monotonic() >= self.ends_at_s
            or self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW
        )

    def spend(self, request: Request) -> Exchange | None:
        """Send one request and return its exchange, or None if the budget is used up."""
        try:
            exchange = self.send(request)
        except BudgetSpentError:
            self.left = 0
            return None
        self.left -= 1
        self.failures_in_a_row = self.failures_in_a_row + 1 if exchange.failure else 0
        return exchange


@contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Make Hypothesis store its files in a temporary directory."""
    usual = storage_directory(intent_to_write=False).home_directory
    with TemporaryDirectory(prefix="deadringer-") as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(usual)


class _Turn:
    """One phase over some operations; it stops when its share of requests is used up."""

    def __init__(
        self, plan: GeneratedPlan, budget: _Budget, phase: GeneratedPhase, share: int
    ) -> None:
        self._plan = plan
        self._budget = budget
        self._phase = phase
        self._share = share
        chance = random.Random(plan.seed)  # noqa: S311 - reproducible, not a secret
        known = chance.sample(plan.known_ids, len(plan.known_ids))
        self._known = cycle(map(as_parameters, known))
        self._names = cycle(_REPLACED)
        self._stop = threading.Event()
        self._exchanges: dict[str, Exchange] = {}
        self._failures: dict[str, list[CheckFailure]] = {}

    def run(self, some: list[Operation], log: Log) -> Iterator[GeneratedResult]:
        """Run the engine for this phase, then yield the results."""
        schema = self._schema(some)
        is_stateful = self._phase is GeneratedPhase.STATEFUL
        if is_stateful and schema.apply_stateful_inference(None).total == 0:
            log("no links between the operations: no chains of requests were generated")
            return
        context = EngineContext(schema=schema, stop_event=self._stop)
        context.auth_enforced_operations = self._budget.auth_tried
        plan = ExecutionPlan([Phase(_ENGINE_PHASES[self._phase])])
        with _nothing_left_behind():
            for event in plan.execute(context):
                if isinstance(event, events.NonFatalError) and not self._stop.is_set():
                    log(f"generating requests ({self._phase}): {event.info.title}: {event.value}")
        for case_id, exchange in self._exchanges.items():
            yield GeneratedResult(exchange, self._phase, tuple(self._failures.get(case_id, ())))

    def respond(self, case: AnyCase, headers: Mapping[str, str]) -> Response:
        """Send the request of a case and return its response for the engine."""
        request = request_of(case, headers, self._plan)
        if request is None:
            return no_response(case)
        if self._share <= 0 or self._budget.is_spent:
            self._end()
        exchange = self._budget.spend(request)
        if exchange is None:
            self._end()
        self._share -= 1
        self._exchanges[case.id] = exchange
        if self._share <= 0 or self._budget.is_spent:
            self._stop.set()
        if exchange.failure is not None:
            return no_response(case)
        return response_of(exchange, self._plan.base_url)

    def record_failure(self, failure: Failure, case: AnyCase) -> None:
        """Record the failure of a Schemathesis check, if it counts."""
        case_id = failure.case_id or case.id
        exchange = self._exchanges.get(case_id)
        if exchange is None or not failure.checks:
            return
        check = failure.checks[0]
        documented = exchange.method == case.operation.method.upper()
        severity = severity_of(check, exchange, documented_method=documented)
        if check == "ignored_auth":
            # Once is enough; the engine would repeat it after every successful response.
            self._budget.auth_tried.add(case.operation.label)
        if severity is not None:
            found = self._failures.setdefault(case_id, [])
            found.append(CheckFailure(check, failure.title, failure.message, severity))

    def _end(self) -> NoReturn:
        self._stop.set()
        raise KeyboardInterrupt  # the engine's own workers stop this way

    def _schema(self, some: list[Operation]) -> "_Schema":
        specification = specification_for(self._plan, self._phase, some)
        schema = _Schema(raw_schema=specification, config=self._config(specification))
        schema.sender = _ClientTransport(self)
        schema.hooks.register_hook_with_name(self._drop, "filter_failure")
        if self._plan.known_ids:
            schema.hooks.register_hook_with_name(self._mixed_ids, "flatmap_path_parameters")
        return schema

    def _config(self, specification: JsonObject) -> ProjectConfig:
        root = SchemathesisConfig(
            seed=self._plan.seed,
            cache=CacheConfig(enabled=False),
            suppress_health_check=[HealthCheck.all],
        )
        config = root.projects.get(specification)
        config.update(
            base_url=self._plan.base_url, headers={"x-api-key": self._plan.api_key}, workers=1
        )
        config.generation.update(
            max_examples=self._share,
            no_shrink=True,
            database="none",
            with_security_parameters=False,
        )
        config.phases.coverage.unexpected_methods = set()
        config.checks.update(included_check_names=_check_names(self._phase))
        return config

    def _drop(
        self, context: HookContext, failure: Failure, case: AnyCase, response: Response
    ) -> bool:
        """Hide every failure from the engine, which would repeat requests to shrink it."""
        self.record_failure(failure, case)
        return False

    def _mixed_ids(
        self, context: HookContext, path_parameters: dict[str, Any] | None
    ) -> st.SearchStrategy[dict[str, Any] | None]:
        """Return the path parameters, with ids of an existing run in every other request.

        Alternate instead of drawing: Hypothesis prefers some draws and would not yield half.
        """
        if path_parameters is None:
            return st.none()
        ids, names = next(self._known), next(self._names)
        return st.just(
            path_parameters | {name: ids[name] for name in names if name in path_parameters}
        )


def _check_names(phase: GeneratedPhase) -> list[str]:
    names = [one.name for one in BUILT_IN_CHECKS if one.severity is not None]
    # It sends three more requests for each operation, so it runs in one phase only.
    return [name for name in names if name != "ignored_auth" or phase is GeneratedPhase.FUZZING]


class _Schema(OpenApiSchema):
    """The specification, with the check's client in place of Schemathesis' own."""

    sender: BaseTransport[Any]

    @property
    def transport(self) -> BaseTransport[Any]:
        return self.sender


class _ClientTransport(BaseTransport[Any]):
    def __init__(self, turn: _Turn) -> None:
        super().__init__()
        self._turn = turn
        self._copy_serializers_from(REQUESTS_TRANSPORT)  # required to build bodies

    def serialize_case(self, case: AnyCase, **kwargs: Any) -> dict[str, Any]:
        return REQUESTS_TRANSPORT.serialize_case(case, **kwargs)

    def send(self, case: AnyCase, *, session: Any = None, **kwargs: Any) -> Response:
        return self._turn.respond(case, kwargs.get("headers") or {})
