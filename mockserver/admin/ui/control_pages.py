"""The journal and the control page; their scripts use the control API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from flask import Flask, Response

from deadringer.contracts import operations
from deadringer.contracts.rules import rule_named
from deadringer.mockserver.admin.address import shown_key
from deadringer.mockserver.faults.transport import CHAOS, KINDS, NAMED_FAULTS
from deadringer.mockserver.world.documents import NamedRun
from deadringer.mockserver.world.scenarios import load_scenario, ready_names
from deadringer.mockserver.world.service import Service
from deadringer.mockserver.world.started_runs import DRIVES

from .shell import UI, session_of_page, show_page

RUN_STATUSES = ("completed", "failed", "running")


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch; `prefer` has the same effect for one request, `body` is the fault to post."""

    kind: str
    name: str
    story: str
    prefer: str = ""
    body: str = ""
    rule_id: str = ""
    rule: str = ""
    remark: str = ""

    @property
    def searched(self) -> str:
        """The text that a search looks through."""
        return f"{self.name} {self.story} {self.rule} {self.rule_id}".lower()


class SwitchGroup(NamedTuple):
    """Contract faults that violate rules of one group."""

    name: str
    switches: tuple[Switch, ...]


def add_control_pages(app: Flask, service: Service, *, has_world: bool = True) -> None:
    """Add `/__mock/ui/journal` and `/__mock/ui/control`.

    Without `has_world` there are no switches for time, runs and scenarios.
    """
    app.add_url_rule(f"{UI}journal", "ui journal", lambda: _journal_page(service))
    app.add_url_rule(
        f"{UI}control", "ui control", lambda: _control_page(service, has_world=has_world)
    )


def _journal_page(service: Service) -> Response:
    return show_page("journal.html", "ui journal", **_for_curl(service))


def _control_page(service: Service, *, has_world: bool) -> Response:
    return show_page(
        "control.html",
        "ui control",
        **_for_curl(service),
        has_world=has_world,
        workflows=service.snapshot(session_of_page()).workflows(),
        statuses=RUN_STATUSES,
        drives=DRIVES,
        transport=transport_switches(),
        scenarios=scenario_switches(service.settings.seed),
        chaos=[Switch("chaos", name, story) for name, (story, _) in CHAOS.items()],
        groups=list(contract_switches()),
        kinds=list(KINDS.values()),
        operations=[one.operation_id for one in operations()],
        example=_example_path(service),
        trace_root=f"{UI}runs/",
    )


def _for_curl(service: Service) -> dict[str, Any]:
    """Return the values that scripts need to write curl lines."""
    needs_token = service.settings.control_token is not None
    return {"key": shown_key(service.settings), "needs_token": needs_token}


@cache
def scenario_switches(seed: int) -> tuple[Switch, ...]:
    """Return one switch per bundled scenario."""
    return tuple(
        Switch("scenario", name, load_scenario(name, seed).summary) for name in ready_names()
    )


def transport_switches() -> list[Switch]:
    """Return one switch per named transport fault."""
    return [
        Switch(
            "transport",
            name,
            _story(body["kind"], body.get("status")),
            prefer=f"fault={name}",
            body=json.dumps(body),
        )
        for name, body in NAMED_FAULTS.items()
    ]


def _story(kind: str, status: int | None) -> str:
    return f"Responds with {status}." if status else KINDS[kind].description


def contract_switches() -> Iterator[SwitchGroup]:
    """Yield the contract faults, grouped like the rules they violate."""
    from deadringer.mockserver.faults.contract import (
        CONTRACT_FAULTS,  # many modules, which few pages need
    )

    ordered = sorted(CONTRACT_FAULTS, key=lambda fault: fault.group)
    for group, faults in groupby(ordered, key=lambda fault: fault.group):
        switches = (
            Switch(
                "contract",
                fault.name,
                fault.story,
                prefer=f"fault={fault.name}",
                rule_id=rule_named(fault.rule).id,
                rule=fault.rule,
                remark=_remark(fault.severity, needs_writes=fault.needs_writes),
            )
            for fault in faults
        )
        yield SwitchGroup(group, tuple(switches))


def _remark(severity: str, *, needs_writes: bool) -> str:
    remarks = ["a warning"] if severity == "warning" else []
    remarks += ["found by a check with --allow-writes"] if needs_writes else []
    return ", ".join(remarks)


def _example_path(service: Service) -> str:
    """Return the path of a run for the curl lines."""
    runs: list[NamedRun] = list(service.executions.named_runs())
    return next((run.path for run in runs if run.status == "completed"), "/v1/workflows")
