"""The state shared by the phases of a check: client, recorder, and what is known of the server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deadringer.contracts.envelopes import (
    envelope_schema,
    good_schema,
    in_documented_names,
    members,
)
from deadringer.contracts.exchanges import MISSING, Exchange, Failure, Intent
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.rules import Context, Scope
from deadringer.contracts.specification import Operation
from deadringer.contracts.timestamps import parse_timestamp
from deadringer.contracts.traffic import body_of, time_of

from .http.client import Client, Request
from .options import CheckOptions
from .recorder import ResultRecorder

ABSENT = frozenset({404, 405, 501})
GATEWAY_ERRORS = frozenset({502, 503, 504})
PASSING_AT_LEAST = 4
PASSING_SHARE = 0.08
"""So many failures that pass when the request is repeated are tolerated: at least, and of all."""
REPEATS_IN_VAIN = 12
"""After so many repeated requests that failed again nothing is repeated any more."""


@dataclass(slots=True)
class KnownRun:
    """A run the check has heard of: its row in a list, and every good read of its detail.

    `timeline` has every read of either in order: `from` ("list" or "detail"), `status` (None for a
    404), `sent_s` and `received_s` (seconds, monotonic).
    """

    workflow_id: str
    run_id: str
    row: JsonObject | None = None
    reads: list[Exchange] = field(default_factory=list)
    not_found: list[Exchange] = field(default_factory=list)
    timeline: list[JsonObject] = field(default_factory=list)

    def note_read(self, source: str, status: Json, exchange: Exchange) -> None:
        """Append a read to the timeline; `source` is "list" or "detail"."""
        self.timeline.append(
            {
                "from": source,
                "status": status if isinstance(status, str) else None,
                "sent_s": exchange.sent_at_s,
                "received_s": exchange.sent_at_s + exchange.elapsed_s,
            }
        )

    @property
    def execution(self) -> JsonObject | None:
        """Return the execution as last read, or None if it was never read."""
        return execution_of(self.reads[-1]) if self.reads else None

    @property
    def status(self) -> str:
        """Return the last status, from the detail or else from the list."""
        source = self.execution or self.row or {}
        status = source.get("status")
        return status if isinstance(status, str) else ""


@dataclass(slots=True)
class KnownWorkflow:
    """A workflow known to the check; `pages` are the pages of its list of runs."""

    workflow_id: str
    described: JsonObject | None = None
    pages: list[Exchange] = field(default_factory=list)
    total: int | None = None


@dataclass(slots=True)
class CheckSession:
    """The state of one running check."""

    options: CheckOptions
    client: Client
    recorder: ResultRecorder
    operations: Mapping[str, Operation]
    notes: list[str] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    catalogue: frozenset[str] | None = None
    workflows: dict[str, KnownWorkflow] = field(default_factory=dict)
    runs: dict[tuple[str, str], KnownRun] = field(default_factory=dict)
    passing: list[Exchange] = field(default_factory=list)
    repeats_in_vain: int = 0

    def offers(self, operation_id: str) -> bool:
        """Return whether the specification has the operation and the server is not known to lack
        it.
        """
        return operation_id in self.operations and operation_id not in self.absent

    def request(
        self,
        operation_id: str,
        path_parameters: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        intent: Intent = Intent.READ,
        method: str = "",
        optional: bool = False,
        validated: bool = True,
        path: str = "",
    ) -> Exchange:
        """Send one request with the key (or with `headers` instead) and validate the exchange.

        With `optional`, a response that shows that the server lacks the operation is not validated,
        and the operation counts as absent from then on. Without `validated`, the caller validates.
        `path` replaces the path template of the operation.
        """
        operation = self.operations[operation_id]
        exchange = self.send(
            Request(
                operation=operation._replace(path=path) if path else operation,
                path_parameters=path_parameters or {},
                query=query or {},
                headers={"x-api-key": self.options.api_key} if headers is None else headers,
                body=body,
                method=method,
                intent=intent,
            )
        )
        if exchange.succeeded:
            self.present.add(operation_id)
        if optional and exchange.status in ABSENT and exchange.failure is None:
            self.absent.add(operation_id)
            return exchange
        if validated:
            self.validate_exchange(exchange)
        return exchange

    def send(self, request: Request) -> Exchange:
        """Send one request, and again if a failure of the moment may be the cause of its response.

        A gateway that fails once in a while is not the service. What passes on the second attempt
        is stored in `passing` and only reported if it happens often.

        Raises:
            BudgetSpentError: if no request or no time is left.
        """
        exchange = self.client.send(request)
        if not _may_pass(exchange) or self.repeats_in_vain >= REPEATS_IN_VAIN:
            return exchange
        again = self.client.send(request)
        if _may_pass(again):
            self.repeats_in_vain += 1
        else:
            self.passing.append(exchange)
        return again

    def settle_passing_failures(self) -> None:
        """Report failures that passed on a second attempt if there were too many of them."""
        count = len(self.passing)
        if count:
            self.notes.append(f"{count} responses failed and were right when requested again")
        if count > max(PASSING_AT_LEAST, PASSING_SHARE * self.client.requests):
            for exchange in self.passing:
                self.validate_exchange(exchange)

    def validate_exchange(self, exchange: Exchange) -> None:
        """Validate an exchange with the rules about HTTP, and its body with its schema."""
        context = self.context()
        if exchange.failure is None and exchange.body is not MISSING:
            schema = envelope_schema(exchange)
            if schema:
                # The phase that sent the request validates a successful body.
                self.recorder.validate_document(
                    schema, exchange.body, (), context=context, exchange=exchange
                )
            self.recorder.apply(
                Scope.TEXT,
                exchange.body,
                exchange.repeated_members,
                context=context,
                exchange=exchange,
                document=exchange.body,
            )
        self.recorder.apply(
            Scope.EXCHANGE, exchange, context=context, exchange=exchange, document=body_of(exchange)
        )

    def good_data(self, exchange: Exchange) -> Json:
        """Validate the body of a 2xx response with its schema and return its `data`, or None."""
        if not exchange.succeeded or exchange.failure or exchange.operation_id is None:
            return None
        body = body_of(exchange)
        if exchange.operation_id == "listExecutions":
            body = in_documented_names(body)
        schema = good_schema(exchange.operation_id)
        self.recorder.validate_document(schema, body, (), context=self.context(), exchange=exchange)
        return members(body).get("data")

    def good_execution(self, exchange: Exchange) -> JsonObject | None:
        """Validate the body and the execution in it; return that, or None if there is none."""
        execution = execution_of(exchange)
        if exchange.operation_id != "getExecution" or execution is None:
            self.good_data(exchange)
            return None
        self.recorder.validate_document(
            "execution_envelope",
            body_of(exchange),
            [
                (Scope.EXECUTION, (execution,), "/data"),
                (Scope.AGED, (execution, time_of(exchange)), "/data"),
            ],
            context=self.context(execution),
            exchange=exchange,
        )
        return execution

    def context(self, execution: JsonObject | None = None) -> Context:
        """Return what is known beside a document: definition, catalogue, tolerances."""
        settings = self.options.settings
        if execution is None:
            return Context(catalogue=self.catalogue, settings=settings)
        workflow = self.workflows.get(str(execution.get("workflow_id")))
        described = workflow.described if workflow else None
        definition = members(described).get("workflow")
        if not isinstance(definition, dict):
            return Context(catalogue=self.catalogue, settings=settings)
        return Context(
            definition=definition,
            catalogue=self.catalogue,
            settings=settings,
            definition_may_have_changed=_may_have_changed(members(described), execution),
        )

    def known_ids(self) -> tuple[tuple[str, str], ...]:
        """Return (workflow id, run id) of every run read so far."""
        return tuple(key for key, run in self.runs.items() if run.reads)


def execution_of(exchange: Exchange) -> JsonObject | None:
    """Return the execution of a successful detail response, or None."""
    data = members(body_of(exchange)).get("data")
    return data if exchange.succeeded and isinstance(data, dict) else None


def _may_pass(exchange: Exchange) -> bool:
    """Return whether the same request may succeed a moment later."""
    if exchange.failure is not None:
        return exchange.failure in {Failure.DROPPED, Failure.TIMED_OUT}
    if exchange.status in GATEWAY_ERRORS:
        return True
    has_body = exchange.method != "HEAD" and exchange.status not in {204, 304}
    is_loud = exchange.succeeded or exchange.status >= 500
    return is_loud and has_body and exchange.body is MISSING


def _may_have_changed(workflow: JsonObject, execution: JsonObject) -> bool:
    updated = parse_timestamp(workflow.get("updated"))
    started = parse_timestamp(execution.get("started_at"))
    return updated is None or started is None or updated > started
