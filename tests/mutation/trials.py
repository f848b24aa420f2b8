"""One trial: a check, or plain Schemathesis, against one faulty or one correct server."""

import logging
import math
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from deadringer.contracts.check import CheckOptions, Report, run_check
from deadringer.contracts.rules import RULES
from deadringer.mockserver.faults.contract import CONTRACT_FAULTS
from tests.project import ROOT

from . import faults, faulty_server, variants
from .more_variants import MORE_VARIANTS
from .servers import KEY, mock

GROUPS = {rule.name: rule.group.value for rule in RULES}
CATALOGUE = {fault.name: fault for fault in CONTRACT_FAULTS}
SERVERS = {fault.name: fault for fault in faults.FAULTS}
VARIANTS = {variant.name: variant for variant in (*variants.VARIANTS, *MORE_VARIANTS)}
IDS: dict[str, tuple[str, ...]] = {"workflow_ids": ("wf_abc123",), "run_ids": ("run_x7k9m2",)}
PLAIN_EXAMPLES = 25
PLAIN_TIMEOUT_S = 300


@dataclass(frozen=True)
class Trial:
    """What was found on one server. `is_right`: a fault was found, a correct server passed."""

    kind: str
    name: str
    is_right: bool
    found_by: tuple[str, ...]
    requests: int
    elapsed_s: float
    is_right_plain: bool | None = None


def attempt(kind: str, name: str, *, plain: bool = False) -> Trial:
    """Check one server of a kind: "catalogue", "servers" or "variants"."""
    logging.disable(logging.CRITICAL)
    began_s = time.monotonic()
    with _served(kind, name) as url:
        report = run_check(_options(kind, name, url))
        elapsed_s = time.monotonic() - began_s
        plain_found = found_by_schemathesis(url, _key(kind, name)) if plain else None
    found = _errors(report) if kind != "catalogue" else _of_severity(report, name)
    is_right = not found if kind == "variants" else bool(_groups(kind, name) & {*found})
    wanted_plain = kind != "variants"
    return Trial(
        kind,
        name,
        is_right and (kind != "variants" or report.exit_code == 0),
        tuple(found),
        report.requests,
        elapsed_s,
        None if plain_found is None else plain_found is wanted_plain,
    )


def _served(kind: str, name: str) -> AbstractContextManager[str]:
    if kind == "variants":
        return variants.served(VARIANTS[name])
    return faulty_server.served(SERVERS[name]) if kind == "servers" else mock(name)


def _key(kind: str, name: str) -> str:
    return VARIANTS[name].api_key if kind == "variants" else KEY


def _options(kind: str, name: str, url: str) -> CheckOptions:
    ids: dict[str, tuple[str, ...]] = {}
    watch_s, writes = 2.0, False
    if kind == "variants":
        ids |= IDS if VARIANTS[name].needs_ids else {}
        writes = VARIANTS[name].writes
    elif kind == "servers":
        writes, watch_s = SERVERS[name].needs_writes, 10.0 if SERVERS[name].starts else 2.0
    else:
        writes = CATALOGUE[name].needs_writes
    return CheckOptions(
        base_url=url,
        api_key=_key(kind, name),
        watch_s=watch_s,
        writes_allowed=writes,
        generated_cases=15 if kind == "variants" else 0,
        workflow_ids=ids.get("workflow_ids", ()),
        run_ids=ids.get("run_ids", ()),
    )


def _groups(kind: str, name: str) -> set[str]:
    """Return the names of the rules whose finding counts."""
    groups = SERVERS[name].groups if kind == "servers" else (CATALOGUE[name].group,)
    return {rule for rule, group in GROUPS.items() if group in groups}


def _errors(report: Report) -> list[str]:
    return [
        result.rule
        for result in report.results
        if any(one.severity.value == "error" for one in result.findings)
    ]


def _of_severity(report: Report, name: str) -> list[str]:
    severity = CATALOGUE[name].severity
    return [
        result.rule
        for result in report.results
        if any(one.severity.value == severity for one in result.findings)
    ]


def found_by_schemathesis(url: str, key: str) -> bool:
    """Return whether Schemathesis alone, with its defaults, reports a failure of a server."""
    command = [
        str(Path(sys.executable).with_name("st")),
        "run",
        str(ROOT / "openapi.yaml"),
        f"--url={url}",
        f"--header=x-api-key: {key}",
        f"--max-examples={PLAIN_EXAMPLES}",
        "--seed=0",
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PLAIN_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 1


def interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share, by Wilson's score."""
    if not total:
        return 0.0, 1.0
    z, share = 1.96, right / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (middle - spread) / (1 + z * z / total), (middle + spread) / (1 + z * z / total)
