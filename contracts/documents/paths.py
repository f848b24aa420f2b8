"""Which operation of the specification a path asks for."""

import re
from urllib.parse import unquote

from deadringer.contracts.specification import Operation, operations


def operation_at(method: str, path: str) -> tuple[Operation, str, dict[str, str]] | None:
    """Find the operation a path ends with: there may be a prefix before it.

    Gives it with the path from there on, and its parameters, decoded. Literal paths go first, as
    `/v1/workflows/actions` is no workflow.
    """
    for operation in sorted(operations(), key=lambda one: one.path.count("{")):
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))
        match = re.search(f"{pattern}$", path)
        if match and operation.method == method:
            parameters = {name: unquote(value) for name, value in match.groupdict().items()}
            return operation, match[0], parameters
    return None
