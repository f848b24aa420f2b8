"""The types of parsed JSON, named once."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Any value `json.loads` can return. Documents come from strangers, so nothing more is known."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object whose members have not been validated yet."""
