"""Why a fault that its schema lets pass could never strike: for requests and scenarios alike."""

from collections.abc import Collection, Iterable, Iterator

from contracts import Json, JsonObject, Operation, operations

from .nearest import nearest_ids
from .schema_problems import Problem, good_members
from .transport_faults import defaults

_API = "/v1"
_WILD = "*?["
_TOGETHER = (("delay_ms", "delay_to_ms"), ("every", "length"), ("from_s", "until_s"))


def problems_of_fault(fault: JsonObject, workflows: Collection[str] | None) -> Iterator[Problem]:
    """Yield every reason why a transport fault meets no request, or not as it says.

    `workflows` are the ids a request may name; None if not all of them are known.
    """
    yield from problems_of_span(fault)
    yield from _of_scope(fault)
    yield from _of_numbers(fault)
    wanted = fault.get("workflow_id")
    if wanted is not None and workflows is not None and wanted not in workflows:
        fix = f"nearest: {', '.join(nearest_ids(wanted, workflows)) or 'none'}"
        yield Problem(("workflow_id",), f"{wanted!r} is not a workflow that is served", fix)


def readable_fault(fault: Json, problems: Iterable[Problem]) -> JsonObject:
    """Give what can be judged of a fault that its schema has problems with: {} if nothing can.

    Members that mean something together are left out together; of alternatives nothing is known
    without their `kind`.
    """
    bad = {one.path[0] for one in problems if one.path}
    good = {} if "kind" in bad else good_members(fault, problems)
    apart = {name for pair in _TOGETHER if bad & {*pair} for name in pair}
    return {name: value for name, value in good.items() if name not in apart}


def problems_of_operation(written: JsonObject) -> Iterator[Problem]:
    """Yield that `operation` is none of the API's, if it is not."""
    known = [one.operation_id for one in operations()]
    if written.get("operation", known[0]) not in known:
        shown = f"{written['operation']!r} is not an operation of the API"
        yield Problem(("operation",), shown, f"use one of: {', '.join(known)}")


def problems_of_span(fault: JsonObject) -> Iterator[Problem]:
    """Yield why `from_s` and `until_s` leave a fault of any kind no time."""
    begins, ends = fault.get("from_s"), fault.get("until_s")
    fix = "let it end later than it begins"
    if ends is None:
        return
    if begins is not None and ends <= begins:
        yield Problem(("until_s",), f"{ends} is not after from_s, {begins}", fix)
    elif begins is None and ends <= 0:
        yield Problem(("until_s",), f"{ends} is over before the fault is set", fix)


def _of_scope(fault: JsonObject) -> Iterator[Problem]:
    meant = [one for one in operations() if fault.get("operation") in {None, one.operation_id}]
    yield from problems_of_operation(fault)
    methods = _methods(meant or operations())
    if fault.get("method", methods[0]) not in methods:
        whose = f"of {fault['operation']}" if "operation" in fault and meant else "of the API"
        shown = f"{fault['method']!r} is not a method {whose}"
        yield Problem(("method",), shown, f"use one of: {', '.join(methods)}")
    if "workflow_id" in fault and meant and not any("{id}" in one.path for one in meant):
        shown = f"{fault['operation']} is not about a workflow"
        yield Problem(("workflow_id",), shown, "leave one of the two out")
    if not _may_be_of_the_api(fault.get("path", _API)):
        shown = f"{fault['path']!r} is no path of the API"
        yield Problem(("path",), shown, f"begin it with {_API}, or with *")


def _methods(meant: Collection[Operation]) -> list[str]:
    found = {one.method for one in meant}
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def _may_be_of_the_api(pattern: str) -> bool:
    begin = next((place for place, sign in enumerate(pattern) if sign in _WILD), len(pattern))
    literal = pattern[:begin]
    if begin == len(pattern):
        return literal == _API or literal.startswith(f"{_API}/")
    return _API.startswith(literal) or literal.startswith(f"{_API}/")


def _of_numbers(fault: JsonObject) -> Iterator[Problem]:
    if "length" in fault and "every" not in fault:
        yield Problem(("length",), "means nothing without every", "add every, or leave it out")
    elif "length" in fault and fault["length"] > fault["every"]:
        shown = f"{fault['length']} is more than every, {fault['every']}"
        yield Problem(("length",), shown, "let a burst be no longer than what it is a part of")
    quiet = fault.get("every", 0) - fault.get("length", 1)
    if "every" in fault and fault.get("count", quiet + 1) <= quiet:
        shown = f"{fault['count']} requests pass before the first burst, after {quiet}"
        yield Problem(("count",), shown, f"let it be more than {quiet}")
    if fault.get("delay_to_ms") is not None:
        low = fault.get("delay_ms", defaults(fault["kind"])["delay_ms"])
        if fault["delay_to_ms"] < low:
            shown = f"{fault['delay_to_ms']} is below delay_ms, {low}"
            yield Problem(("delay_to_ms",), shown, "let it be the longer of the two")
