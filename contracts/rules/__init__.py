"""The semantic rules of the contract: small functions over parsed JSON, each with its source."""

from deadringer.contracts.violations import Severity

from .instances import Instance, Instances, instances_of
from .listed_runs import ANY_STATUS
from .model import Context, Group, Mismatch, Rule, Scope, Settings
from .selection import RULES, rule_named, select
from .shape import SCHEMA_RULE
from .validate import apply_rules, prepared, unexplained, validate_execution, validate_pair

__all__ = [
    "ANY_STATUS",
    "RULES",
    "SCHEMA_RULE",
    "Context",
    "Group",
    "Instance",
    "Instances",
    "Mismatch",
    "Rule",
    "Scope",
    "Settings",
    "Severity",
    "apply_rules",
    "instances_of",
    "prepared",
    "rule_named",
    "select",
    "unexplained",
    "validate_execution",
    "validate_pair",
]
