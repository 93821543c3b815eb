"""No role may do more than the list here says, wherever the stack is deployed."""

import re
from typing import Any

import pytest

from tests.support.aws import TEMPLATE

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
# Only where the stack has a key of its own.
KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
# Each role's actions, by the logical id of the resource that they are allowed on.
ALLOWED: dict[str, dict[str, set[str]]] = {
    "ConvertMatchesRole": {
        "MatchCacheTable/index": {"dynamodb:Query"},
        "MatchCacheTable": {"dynamodb:UpdateItem"},
        "PlayLogTable": {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"},
        "StationGuardTable": {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
        "DeadLetterQueue": {"sqs:SendMessage"},
        "playlog-convert-matches:live": {"lambda:InvokeFunction"},
        "ConvertMatchesLogGroup": LOGS,
        "EncryptionKeyArn": KEY,
    },
    "StoreFailuresRole": {
        "DeadLetterQueue": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "FailedPlayLogTable": {"dynamodb:PutItem", "dynamodb:Query"},
        "MatchCacheTable": {"dynamodb:UpdateItem"},
        "StoreFailuresLogGroup": LOGS,
        "EncryptionKeyArn": KEY,
    },
    "CheckDeploymentRole": {
        "ConvertMatchesFunction:*": {"lambda:InvokeFunction"},
        "StoreFailuresFunction:*": {"lambda:InvokeFunction"},
        "ConvertMatchesFunction": {"lambda:GetAlias"},
        "StoreFailuresFunction": {"lambda:GetAlias"},
        "CheckDeploymentLogGroup": LOGS,
        "Deployments/*": {"codedeploy:PutLifecycleEventHookExecutionStatus"},
    },
    "DeploymentRole": {
        **{
            f"{function}{suffix}": {"lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"}
            for function in ("ConvertMatchesFunction", "StoreFailuresFunction")
            for suffix in ("", ":live")
        },
        "CheckDeploymentFunction": {"lambda:InvokeFunction"},
        "*": {"cloudwatch:DescribeAlarms"},
    },
}
# Of the template's text: what one partition, one region or one account alone has.
SOMEWHERE = re.compile(
    r"arn:aws[:-]|amazonaws\.com\.cn|\b[a-z]{2}-(?:east|west|central|south|north)\w*-\d\b|\b\d{12}\b"
)


def shortened(resource: Any) -> str:
    """A resource as the list names it: by its logical id, with what follows that in the ARN."""
    match resource:
        case {"Ref": "EncryptionKeyArn"}:
            return "EncryptionKeyArn"
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::GetAtt": str(path)}:
            return path.removesuffix(".Arn")
        case {"Fn::Sub": [str(text), dict()]} if "playlog-convert-matches-${Id}" in text:
            return "playlog-convert-matches:" + text.rpartition(":")[2]
        case {"Fn::Sub": str(text)} if "deploymentgroup" in text:
            return "Deployments/*" if text.endswith(":${Deployments}/*") else text
        case {"Fn::Sub": str(text)}:
            name, rest = text.removeprefix("${").split(".Arn}")
            return name + ("/index" if rest == "/index/unprocessed-index" else rest)
        case _:
            return str(resource)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def on_aws(value: Any) -> Any:
    """A value as it is on AWS, with a key of the account, and with references left as they are."""
    match value:
        case {"Fn::If": ["IsOnAws" | "HasEncryptionKey", then, _]}:
            return on_aws(then)
        case list():
            return [on_aws(each) for each in value]
        case dict():
            return {name: on_aws(each) for name, each in value.items()}
        case _:
            return value


@pytest.mark.parametrize("role", TEMPLATE.of_type("AWS::IAM::Role"), ids=lambda role: role.logical_id)
def test_a_role_may_do_what_the_list_says_and_nothing_else(role: Any) -> None:
    found: dict[str, set[str]] = {}
    for policy in on_aws(role.properties["Policies"]):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            for resource in as_list(statement["Resource"]):
                found.setdefault(shortened(resource), set()).update(as_list(statement["Action"]))

    assert found == ALLOWED[role.logical_id]


def test_nothing_else_gives_permissions() -> None:
    assert TEMPLATE.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy") == []
    assert all("ManagedPolicyArns" not in role.properties for role in TEMPLATE.of_type("AWS::IAM::Role"))
    functions = TEMPLATE.of_type("AWS::Serverless::Function")
    assert all("Role" in each.properties and "Policies" not in each.properties for each in functions)


@pytest.mark.parametrize("role", TEMPLATE.of_type("AWS::IAM::Role"), ids=lambda role: role.logical_id)
def test_an_account_that_asks_for_a_permissions_boundary_could_not_deploy(role: Any) -> None:
    assert role.properties["PermissionsBoundary"] == {
        "Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]
    }


def test_the_template_would_work_in_one_partition_region_or_account_only() -> None:
    text = "\n".join(line.partition("  #")[0] for line in TEMPLATE.path.read_text(encoding="utf-8").splitlines())

    assert SOMEWHERE.findall(text) == []


@pytest.mark.parametrize("kind", ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"])
def test_a_stack_with_a_name_of_128_characters_could_not_be_deployed(kind: str) -> None:
    """Amazon CloudWatch: a name of an alarm has at most 255 characters, and of a dashboard too."""
    for resource in TEMPLATE.of_type(kind):
        name = TEMPLATE.value(resource.properties.get("AlarmName", resource.properties.get("DashboardName")))
        assert len(name.replace("playlog", "p" * 128, 1)) <= 255


def test_two_stacks_in_one_account_would_share_a_function() -> None:
    (name,) = [
        each.properties["FunctionName"]
        for each in TEMPLATE.of_type("AWS::Serverless::Function")
        if "FunctionName" in each.properties
    ]

    assert "AWS::StackId" in str(name)
    assert len("playlog-convert-matches-") + 8 <= 64  # AWS Lambda API Reference, CreateFunction


def test_each_parameter_that_changes_a_function_publishes_a_version() -> None:
    """Otherwise a changed setting would never go live: the alias would stay at the version before."""
    for name in ("ConvertMatches", "StoreFailures"):
        variables = TEMPLATE.resources[f"{name}Function"].properties["Environment"]["Variables"]
        set_by = {each["Ref"] for each in variables.values() if isinstance(each, dict) and "Ref" in each}
        described = str(TEMPLATE.resources[f"{name}Version"].properties["Description"])

        assert {each for each in set_by & TEMPLATE.parameters.keys() if f"${{{each}}}" not in described} == set()


def test_both_aliases_wait_for_the_check_of_both_versions() -> None:
    checked = TEMPLATE.resources["DeploymentCheck"].properties["Versions"]

    assert checked == {name: {"Ref": f"{name}Version"} for name in ("ConvertMatches", "StoreFailures")}
    for name in checked:
        version = TEMPLATE.resources[f"{name}Live"].properties["FunctionVersion"]
        assert version == {"Fn::GetAtt": f"DeploymentCheck.{name}"}


def test_a_deployment_is_undone_by_the_alarms_for_errors_and_the_heartbeat() -> None:
    groups = {group.logical_id: group.properties for group in TEMPLATE.of_type("AWS::CodeDeploy::DeploymentGroup")}
    alarms = {
        name: {each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]} for name, group in groups.items()
    }

    assert alarms == {
        "ConvertMatchesDeployments": {"ConvertMatchesErrorsAlarm", "NoSuccessfulRunAlarm"},
        "StoreFailuresDeployments": {"StoreFailuresErrorsAlarm"},
    }
    for group in groups.values():
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    pace = TEMPLATE.resources["DeploymentPace"].properties["TrafficRoutingConfig"]["TimeBasedCanary"]
    heartbeat = TEMPLATE.value(TEMPLATE.resources["NoSuccessfulRunAlarm"].properties["Metrics"])[1]["MetricStat"][
        "Period"
    ]
    assert pace["CanaryInterval"] * 60 > heartbeat


def test_a_key_of_the_account_is_used_by_dynamodb_alone() -> None:
    for role in TEMPLATE.of_type("AWS::IAM::Role"):
        for policy in on_aws(role.properties["Policies"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                if KEY & set(as_list(statement["Action"])):
                    service = {"Fn::Sub": "dynamodb.${AWS::Region}.${AWS::URLSuffix}"}
                    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": service}}


@pytest.mark.parametrize("table", TEMPLATE.of_type("AWS::DynamoDB::Table"), ids=lambda table: table.logical_id)
def test_every_table_is_encrypted_by_the_account_s_key_if_there_is_one(table: Any) -> None:
    key = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "EncryptionKeyArn"}}

    assert on_aws(table.properties["SSESpecification"]) == key
    assert TEMPLATE.value(table.properties["SSESpecification"]) == {"SSEEnabled": False}
