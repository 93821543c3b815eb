"""Why CloudFormation undid a deployment: the answer of the deployment check."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

CHECK = "Custom::DeploymentCheck"
# The events with which a deployment begins.
BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


def refusal(cloudformation: "CloudFormationClient", stack: str) -> str | None:
    """What the check of the last deployment found.

    Args:
        cloudformation: client.
        stack: its name.

    Returns:
        What is missing; None if the check did not refuse the deployment.
    """
    try:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    except (BotoCoreError, ClientError):
        return None
    for event in events:  # the newest first
        status = event.get("ResourceStatus", "")
        if event.get("ResourceType") == CHECK and status.endswith("_FAILED"):
            return event.get("ResourceStatusReason")
        if event.get("ResourceType") == "AWS::CloudFormation::Stack" and status in BEGINNINGS:
            return None
    return None
