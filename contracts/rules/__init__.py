"""The semantic rules of the contract: small functions over parsed JSON, each with its source."""

from deadringer.contracts.violations import Severity

from .instances import Instance, Instances, instances_of
from .judging import judge, judge_execution, judge_pair, unexplained
from .model import Breach, Context, Group, Rule, Scope, Settings
from .selection import RULES, rule_named, select
from .shape import SCHEMA_RULE

__all__ = [
    "RULES",
    "SCHEMA_RULE",
    "Breach",
    "Context",
    "Group",
    "Instance",
    "Instances",
    "Rule",
    "Scope",
    "Settings",
    "Severity",
    "instances_of",
    "judge",
    "judge_execution",
    "judge_pair",
    "rule_named",
    "select",
    "unexplained",
]
