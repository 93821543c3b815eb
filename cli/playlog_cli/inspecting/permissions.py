"""May an EventBridge rule invoke a function? Reads the function's resource policy."""

import json
from fnmatch import fnmatchcase
from typing import Any

from playlog_cli.inspecting.facts import EVENTBRIDGE


def may_invoke(policy: str | None, rule_arn: str) -> bool | None:
    """Whether a function's policy lets a rule invoke it.

    Args:
        policy: the policy as JSON; None if the function has none.
        rule_arn: ARN of the rule.

    Returns:
        The answer; None if it depends on a condition that is not supported.
    """
    answers = set()
    for statement in json.loads(policy)["Statement"] if policy else []:
        principals = statement.get("Principal", {})
        services = ["*"] if principals == "*" else _listed(principals.get("Service") or principals.get("AWS"))
        if not any(service in (EVENTBRIDGE, "*") for service in services):
            continue
        if any(fnmatchcase("lambda:invokefunction", action.lower()) for action in _listed(statement["Action"])):
            answers.add((statement["Effect"], _meets(statement.get("Condition", {}), rule_arn)))
    if ("Deny", True) in answers:
        return False
    if ("Deny", None) in answers or (("Allow", None) in answers and ("Allow", True) not in answers):
        return None
    return ("Allow", True) in answers


def _meets(conditions: dict[str, dict[str, Any]], rule_arn: str) -> bool | None:
    """Whether an invocation by the rule meets the conditions; None if a condition is not supported."""
    known = {"aws:sourcearn": rule_arn, "aws:sourceaccount": rule_arn.split(":")[4]}
    has_unsupported = False
    for operator, wanted in ((operator, item) for operator, each in conditions.items() for item in each.items()):
        key, patterns = wanted[0].lower(), _listed(wanted[1])
        if key not in known or operator not in ("ArnLike", "ArnEquals", "StringLike", "StringEquals"):
            has_unsupported = True
        elif operator == "StringEquals":
            if known[key] not in patterns:
                return False
        elif not any(fnmatchcase(known[key], pattern) for pattern in patterns):
            return False
    return None if has_unsupported else True


def _listed(value: Any) -> list[str]:
    """A list from one value or several: IAM allows both."""
    return [value] if isinstance(value, str) else list(value or [])
