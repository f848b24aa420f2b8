"""The contract of the API, and one engine that validates responses and documents."""

from .exchanges import MISSING, Exchange, Failure, Intent
from .json_text import (
    ExactNumber,
    JsonError,
    JsonText,
    exact_json_bytes,
    exact_number,
    json_bytes,
    parse_json,
    read_json,
    read_json_text,
)
from .json_types import Json, JsonObject
from .safe_text import escaped
from .schema_errors import SchemaError, explain
from .schema_files import UnknownSchemaError, load_schema, schema_names
from .specification import (
    Operation,
    bundle_specification,
    component_name,
    documented_codes,
    load_specification,
    operation_at,
    operations,
    specification_text,
)
from .suggestions import nearest_names
from .timestamps import format_timestamp, milliseconds_between, parse_timestamp
from .validation import (
    is_valid,
    timestamp_formats,
    validate,
)
from .variants import variants_of
from .violations import Severity, Violation, pointer_to, printable, show
from .workflow_commands import workflow_command

__all__ = [
    "MISSING",
    "ExactNumber",
    "Exchange",
    "Failure",
    "Intent",
    "Json",
    "JsonError",
    "JsonObject",
    "JsonText",
    "Operation",
    "SchemaError",
    "Severity",
    "UnknownSchemaError",
    "Violation",
    "bundle_specification",
    "component_name",
    "documented_codes",
    "escaped",
    "exact_json_bytes",
    "exact_number",
    "explain",
    "format_timestamp",
    "is_valid",
    "json_bytes",
    "load_schema",
    "load_specification",
    "milliseconds_between",
    "nearest_names",
    "operation_at",
    "operations",
    "parse_json",
    "parse_timestamp",
    "pointer_to",
    "printable",
    "read_json",
    "read_json_text",
    "schema_names",
    "show",
    "specification_text",
    "timestamp_formats",
    "validate",
    "variants_of",
    "workflow_command",
]
