"""CheckDeployment: invokes new versions with `{"check": true}` before they receive traffic.

CloudFormation asks before it moves an alias, at each deployment. On AWS, CodeDeploy asks again right before it shifts
traffic. This function has no layers: it must be able to say that a layer is broken.
"""

import json
import os
import time
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# A check takes seconds. Together both stay below the timeouts of this function and of CloudFormation.
CLIENT_CONFIG = Config(connect_timeout=3, read_timeout=25, retries={"total_max_attempts": 1})
LIVE = "live"
# AWS CloudFormation User Guide, "Custom resource response objects": a response has at most 4,096 bytes.
REASON_LENGTH = 2_000
PAUSE_SECONDS = 5.0


def handler(event: dict[str, Any], _context: Any) -> None:
    """Checks versions, and tells the service that asked.

    Args:
        event: of CloudFormation's custom resource, with ``Versions`` (name and ARN of each version), or CodeDeploy's
            lifecycle event.
    """
    functions = boto3.client("lambda", config=CLIENT_CONFIG)
    if "DeploymentId" in event:
        problems = check(json.loads(os.environ["VERSIONS"]).values(), functions)
        answer_codedeploy(event, problems, boto3.client("codedeploy", config=CLIENT_CONFIG))
    else:
        answer_cloudformation(event, _problems(event, functions))


def check(versions: Iterable[str], functions: Any) -> list[str]:
    """Invokes versions with the check, for some time until it passes: new permissions do not work at once.

    Args:
        versions: ARNs that end in the version.
        functions: client for Lambda.

    Returns:
        What is wrong; nothing if all of them can do their work.
    """
    versions, end = list(versions), time.monotonic() + float(os.environ.get("SETTLING_SECONDS", "0"))
    while (
        problems := [problem for arn in versions if (problem := _problem(arn, functions))]
    ) and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return problems


def _problem(arn: str, functions: Any) -> str | None:
    name = ":".join(arn.split(":")[-2:])
    try:
        answer = functions.invoke(FunctionName=arn, Payload=json.dumps({"check": True}))
        payload = json.loads(answer["Payload"].read() or "null")
    except (BotoCoreError, ClientError, ValueError) as error:
        return f"{name} cannot be invoked: {error}"
    if "FunctionError" in answer:
        kind, message = payload.get("errorType", "Error"), payload.get("errorMessage", "no message")
        return f"{name}: {kind}: {' '.join(str(message).split())}"
    if not isinstance(payload, dict) or payload.get("success") is not True:
        return f"{name} answered {json.dumps(payload)[:200]}, which is not the answer of a check"
    return None


def _problems(event: dict[str, Any], functions: Any) -> list[str]:
    if event["RequestType"] == "Delete":
        return []
    try:
        versions = event["ResourceProperties"]["Versions"].values()
        return check([arn for arn in versions if not _is_live(arn, functions)], functions)
    except Exception as error:  # noqa: BLE001 - without an answer, CloudFormation would wait for it until its timeout
        return [f"the check itself failed: {type(error).__name__}: {error}"]


def _is_live(arn: str, functions: Any) -> bool:
    """Whether traffic goes to a version already, as when CloudFormation rolls back: a check has nothing to protect."""
    function, _, version = arn.rpartition(":")
    try:
        return bool(functions.get_alias(FunctionName=function, Name=LIVE)["FunctionVersion"] == version)
    except ClientError:
        return False


def answer_codedeploy(event: dict[str, Any], problems: Sequence[str], codedeploy: Any) -> None:
    """Lets CodeDeploy shift traffic, or makes it stop the deployment and leave the alias where it is."""
    for problem in problems:
        print(problem)  # to the log, since CodeDeploy takes no reason
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Failed" if problems else "Succeeded",
    )


def answer_cloudformation(event: dict[str, Any], problems: Sequence[str]) -> None:
    """Lets CloudFormation go on to the aliases, or makes it roll back with the reason."""
    versions = event["ResourceProperties"].get("Versions", {})
    body = {
        "Status": "FAILED" if problems else "SUCCESS",
        "Reason": "; ".join(problems)[:REASON_LENGTH] or "checked",
        "PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"]),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        # What the aliases point at: CloudFormation knows it only once the check has passed.
        "Data": {name: arn.rpartition(":")[2] for name, arn in versions.items()},
    }
    # The address is CloudFormation's own.
    request = urllib.request.Request(  # noqa: S310
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # nosec B310
        pass
