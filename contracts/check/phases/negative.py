"""Requests that should be refused: keys, unknown ids, foreign runs, odd ids, bad pages."""

import random
import string
from collections.abc import Iterator, Mapping

from deadringer.contracts.check.options import Effort
from deadringer.contracts.check.session import Inspection, KnownRun
from deadringer.contracts.envelopes import members
from deadringer.contracts.exchanges import Intent

ODD_IDS = ("..", "x" * 1000, "a/b", "ünï-✓-😀", "%2e%2e%2f", "a b;c'd\"", "null", "-1")
BAD_RUN_PAGES = (
    {"page": "0"},
    {"page_size": "101"},
    {"page": "one"},
    {"page_size": "0"},
    {"page": "-1"},
    {"page_size": "many"},
)
BAD_WORKFLOW_PAGES = ({"limit": "0"}, {"limit": "101"}, {"offset": "-1"}, {"status": "NONSENSE"})
FAR_PAGE = 1_000_000


def probe_refusals(inspection: Inspection, runs: list[KnownRun], effort: Effort) -> None:
    """Send every kind of request that must be refused, around runs that were read."""
    first = runs[0]
    _probe_keys(inspection, first)
    _probe_unknown(inspection, first)
    _probe_isolation(inspection, runs, effort.foreign)
    _probe_odd_ids(inspection, first, effort.odd_ids)
    _probe_pages(inspection, first.workflow_id, effort.bad_pages)
    _probe_methods(inspection, first)


def _unknown_id(inspection: Inspection, prefix: str) -> str:
    """Make an id no service hands out; the same for the same seed."""
    source = random.Random(f"{inspection.options.seed} {prefix}")  # noqa: S311 - not a secret
    return prefix + "".join(source.choices(string.ascii_lowercase + string.digits, k=17))


def _probe_keys(inspection: Inspection, run: KnownRun) -> None:
    """Ask every operation without a key and with a wrong one, and one operation in every way."""
    for operation_id, parameters in _askable(inspection, run):
        ask = inspection.ask
        ask(operation_id, parameters, headers={})
        wrong = {"x-api-key": _unknown_id(inspection, "trig_")}
        ask(operation_id, parameters, headers=wrong, intent=Intent.BAD_KEY)
    detail = {"id": run.workflow_id, "runId": run.run_id}
    lost = {"id": run.workflow_id, "runId": _unknown_id(inspection, "run_")}
    inspection.ask("getExecution", lost, headers={})
    inspection.ask("getExecution", detail, headers={"x-api-key": ""})
    for headers in _near_keys(inspection.options.api_key):
        inspection.ask("getExecution", detail, headers=headers, intent=Intent.BAD_KEY)
    for name in ("api_key", "x-api-key"):
        key = {name: inspection.options.api_key}
        inspection.ask("getExecution", detail, query=key, headers={}, intent=Intent.KEY_IN_QUERY)
    bearer = {"authorization": f"Bearer {inspection.options.api_key}"}
    inspection.ask("getExecution", detail, headers=bearer, intent=Intent.BEARER_KEY)


def _askable(inspection: Inspection, run: KnownRun) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Give each operation that has answered well and may be asked without changing anything."""
    ids = {"id": run.workflow_id, "runId": run.run_id}
    for operation in inspection.operations.values():
        if operation.method == "GET" and operation.operation_id in inspection.present:
            yield operation.operation_id, {name: ids[name] for name in operation.path_parameters}


def _near_keys(key: str) -> Iterator[Mapping[str, str]]:
    """Give keys that a careless comparison would take for the real one."""
    other = "a" if key[-1:] != "a" else "b"
    for near in (key[:-1] + other, key[:-1], key + "x"):
        if near.strip():
            yield {"x-api-key": near}
    yield {"authorization": "Bearer " + key[:-1] + other}


def _probe_unknown(inspection: Inspection, run: KnownRun) -> None:
    """Ask for workflows and runs that do not exist, near and far from ones that do."""
    nobody, nothing = _unknown_id(inspection, "wf_"), _unknown_id(inspection, "run_")
    ask = inspection.ask
    for run_id in (nothing, run.run_id + "x", run.run_id[:-1] + "~"):
        ask("getExecution", {"id": run.workflow_id, "runId": run_id}, intent=Intent.UNKNOWN_RUN)
    execution_id = members(run.execution).get("id")
    if isinstance(execution_id, str) and execution_id and execution_id != run.run_id:
        # The log row's id is not the run's id; nothing promises that it is refused.
        ask("getExecution", {"id": run.workflow_id, "runId": execution_id}, intent=Intent.FUZZ)
    for operation_id in ("getExecution", "listExecutions", "getWorkflow"):
        if inspection.offers(operation_id):
            names = inspection.operations[operation_id].path_parameters
            ids = {"id": nobody, "runId": nothing}
            parameters = {name: ids[name] for name in names}
            ask(operation_id, parameters, intent=Intent.UNKNOWN_WORKFLOW)


def _probe_isolation(inspection: Inspection, runs: list[KnownRun], most: int) -> None:
    """Ask for each run under other workflows: known ones in turn, and one that does not exist."""
    others = list(inspection.workflows) or []
    nobody = _unknown_id(inspection, "wf_")
    asked = 0
    for turn, run in enumerate(runs):
        strangers = [one for one in others if one != run.workflow_id]
        turned = (
            strangers[turn % len(strangers) :] + strangers[: turn % len(strangers)]
            if strangers
            else []
        )
        # With few workflows every pair is asked; with many, each run meets a different one first.
        share = max(1, most // (2 * max(1, len(runs))))
        for workflow_id in [*turned[:share], nobody]:
            if asked >= most:
                return
            asked += 1
            ids = {"id": workflow_id, "runId": run.run_id}
            known = inspection.runs.get((workflow_id, run.run_id))
            if known is None:
                inspection.ask("getExecution", ids, intent=Intent.FOREIGN_RUN)


def _probe_odd_ids(inspection: Inspection, run: KnownRun, most: int) -> None:
    """Ask for ids that are legal texts and no service hands out."""
    for odd in ODD_IDS[:most]:
        ids = {"id": run.workflow_id, "runId": odd}
        inspection.ask("getExecution", ids, intent=_odd_intent(odd))
    for odd in ODD_IDS[: most // 2]:
        ids = {"id": odd, "runId": run.run_id}
        inspection.ask("getExecution", ids, intent=_odd_intent(odd))
        if inspection.offers("listExecutions") and odd != "..":
            inspection.ask("listExecutions", {"id": odd}, intent=_odd_intent(odd))
    nul = {"id": run.workflow_id, "runId": "a\0b"}
    inspection.ask("getExecution", nul, intent=Intent.FUZZ)


def _odd_intent(odd: str) -> Intent:
    # Many routers decode %2F first and then find no route at all, which is not the API's answer.
    return Intent.FUZZ if "/" in odd else Intent.ODD_ID


def _probe_pages(inspection: Inspection, workflow_id: str, most: int) -> None:
    """Ask the lists for pages out of range, and for one beyond the end."""
    if inspection.offers("listExecutions"):
        for query in BAD_RUN_PAGES[:most]:
            ids = {"id": workflow_id}
            inspection.ask("listExecutions", ids, query=query, intent=Intent.BAD_QUERY)
        far = {"page": str(FAR_PAGE), "page_size": "20"}
        inspection.ask(
            "listExecutions", {"id": workflow_id}, query=far, intent=Intent.PAGE_BEYOND_END
        )
    if inspection.offers("listWorkflows"):
        for query in BAD_WORKFLOW_PAGES[: most // 2]:
            inspection.ask("listWorkflows", query=query, intent=Intent.BAD_QUERY)


def _probe_methods(inspection: Inspection, run: KnownRun) -> None:
    """Ask with methods the operation does not have; ones that write only if writes are allowed."""
    methods = ["PROPFIND"]
    ids = {"id": run.workflow_id, "runId": run.run_id}
    if inspection.options.writes_allowed:
        methods += ["POST", "PUT", "PATCH", "DELETE"]
        ids = {"id": _unknown_id(inspection, "wf_"), "runId": _unknown_id(inspection, "run_")}
    for method in methods:
        inspection.ask("getExecution", ids, method=method, intent=Intent.WRONG_METHOD)
