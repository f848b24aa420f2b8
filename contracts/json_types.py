"""The types of parsed JSON, named once."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Any value that `json.loads` can return. Documents are untrusted, so no structure is assumed."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object whose members have not been validated yet."""
