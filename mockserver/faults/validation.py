"""Find faults that match their schema but could never apply, in requests and scenarios."""

from collections.abc import Collection, Iterable, Iterator

from deadringer.contracts import Json, JsonObject, nearest_names, operations
from deadringer.mockserver.schema_errors import Problem, good_members

from .transport import API_ROOT, defaults

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods a request may have."""
_WILD = "*?["
_TOGETHER = (("delay_ms", "delay_to_ms"), ("every", "length"), ("from_s", "until_s"))


def problems_of_fault(fault: JsonObject, workflows: Collection[str] | None) -> Iterator[Problem]:
    """Yield every reason why a transport fault matches no request, or not as described.

    `workflows` are the ids a request may name; None if not all of them are known.
    """
    yield from problems_of_span(fault)
    yield from _of_scope(fault)
    yield from _of_numbers(fault)
    wanted = fault.get("workflow_id")
    if wanted is not None and workflows is not None and wanted not in workflows:
        fix = f"nearest: {', '.join(nearest_names(wanted, workflows)) or 'none'}"
        yield Problem(("workflow_id",), f"{wanted!r} is not a workflow that is served", fix)


def readable_fault(fault: Json, problems: Iterable[Problem]) -> JsonObject:
    """Return the members of an invalid fault that can still be validated, {} if none can.

    Members that belong together are omitted together; without a valid `kind` there are none.
    """
    bad = {one.path[0] for one in problems if one.path}
    good = {} if "kind" in bad else good_members(fault, problems)
    apart = {name for pair in _TOGETHER if bad & {*pair} for name in pair}
    return {name: value for name, value in good.items() if name not in apart}


def problems_of_operation(written: JsonObject) -> Iterator[Problem]:
    """Yield a problem if `operation` is unknown, or does not fit the `workflow_id` beside it."""
    known = {one.operation_id: one for one in operations()}
    named = written.get("operation")
    if named is not None and named not in known:
        shown = f"{named!r} is not an operation of the API"
        yield Problem(("operation",), shown, f"use one of: {', '.join(known)}")
    elif named is not None and "workflow_id" in written and "{id}" not in known[named].path:
        yield Problem(("workflow_id",), f"{named} is not about a workflow", "remove one of the two")


def problems_of_method(written: JsonObject, known: Collection[str] = METHODS) -> Iterator[Problem]:
    """Yield a problem if `method` is not among the known ones."""
    if "method" in written and written["method"] not in known:
        shown = f"{written['method']!r} is not a method of these requests"
        yield Problem(("method",), shown, f"use one of: {', '.join(known)}")


def problems_of_span(fault: JsonObject) -> Iterator[Problem]:
    """Yield a problem if no time lies between `from_s` and `until_s`."""
    begins, ends = fault.get("from_s"), fault.get("until_s")
    fix = "make it end later than it begins"
    if ends is None:
        return
    if begins is not None and ends <= begins:
        yield Problem(("until_s",), f"{ends} is not after from_s, {begins}", fix)
    elif begins is None and ends <= 0:
        yield Problem(("until_s",), f"{ends} ends before the fault is set", fix)


def _of_scope(fault: JsonObject) -> Iterator[Problem]:
    yield from problems_of_operation(fault)
    meant = [one.method for one in operations() if fault.get("operation") == one.operation_id]
    # Faults do not apply to OPTIONS. The API refuses some other methods, which is a response.
    apart = {"OPTIONS"} if not meant else {*METHODS} - {*meant, *(["HEAD"] * ("GET" in meant))}
    yield from problems_of_method(fault, [one for one in METHODS if one not in apart])
    if not _may_be_of_the_api(fault.get("path", API_ROOT)):
        shown = f"{fault['path']!r} is not a path of the API"
        yield Problem(("path",), shown, f"begin it with {API_ROOT} or *")


def _may_be_of_the_api(pattern: str) -> bool:
    begin = next((place for place, sign in enumerate(pattern) if sign in _WILD), len(pattern))
    literal = pattern[:begin]
    if begin == len(pattern):
        return literal == API_ROOT or literal.startswith(f"{API_ROOT}/")
    return API_ROOT.startswith(literal) or literal.startswith(f"{API_ROOT}/")


def _of_numbers(fault: JsonObject) -> Iterator[Problem]:
    if "length" in fault and "every" not in fault:
        yield Problem(("length",), "has no effect without every", "add every, or remove it")
    elif "length" in fault and fault["length"] > fault["every"]:
        shown = f"{fault['length']} is more than every, {fault['every']}"
        yield Problem(("length",), shown, "make it at most every")
    quiet = fault.get("every", 0) - fault.get("length", 1)
    if "every" in fault and fault.get("count", quiet + 1) <= quiet:
        shown = f"{fault['count']} requests pass before the first burst, after {quiet}"
        yield Problem(("count",), shown, f"make it more than {quiet}")
    if fault.get("delay_to_ms") is not None:
        low = fault.get("delay_ms", defaults(fault["kind"])["delay_ms"])
        if fault["delay_to_ms"] < low:
            shown = f"{fault['delay_to_ms']} is below delay_ms, {low}"
            yield Problem(("delay_to_ms",), shown, "make it the larger of the two")
