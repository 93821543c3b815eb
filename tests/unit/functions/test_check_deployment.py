"""What stands between a new version and its traffic: its answers to CloudFormation and to CodeDeploy."""

import importlib.util
import json
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

APP = Path(__file__).resolve().parents[3] / "functions/check_deployment/app.py"
CONVERT = "arn:aws:lambda:eu-west-1:123456789012:function:convert:7"
STORE = "arn:aws:lambda:eu-west-1:123456789012:function:store:4"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_deployment_app", APP)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("VERSIONS", json.dumps({"ConvertMatches": CONVERT, "StoreFailures": STORE}))
    monkeypatch.setattr(module.time, "sleep", lambda _seconds: None)
    return module


class Aws:
    """Lambda and CodeDeploy: versions answer as they are told to."""

    def __init__(self, answers: dict[str, Any], live: str = "6") -> None:
        self.answers = answers
        self.live = live
        self.invoked: list[str] = []
        self.statuses: list[dict[str, str]] = []

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert json.loads(Payload) == {"check": True}
        self.invoked.append(FunctionName)
        answer = self.answers.get(FunctionName, {"success": True, "checked": []})
        if isinstance(answer, Exception):
            raise answer
        error = {"FunctionError": "Unhandled"} if isinstance(answer, dict) and "errorMessage" in answer else {}
        return {"Payload": BytesIO(json.dumps(answer).encode()), **error}

    def get_alias(self, FunctionName: str, Name: str) -> dict[str, str]:  # noqa: N803
        assert Name == "live"
        assert not FunctionName.endswith((":7", ":4"))
        if not self.live:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetAlias")
        return {"FunctionVersion": self.live}

    def put_lifecycle_event_hook_execution_status(self, **status: str) -> None:
        self.statuses.append(status)


def of_codedeploy(app: ModuleType, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(app.boto3, "client", lambda _service, **_options: aws)
    app.handler({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}, None)
    (status,) = aws.statuses
    return status


def of_cloudformation(app: ModuleType, aws: Aws, monkeypatch: pytest.MonkeyPatch, kind: str = "Update") -> Any:
    sent: list[Any] = []

    def urlopen(request: Any, timeout: float) -> BytesIO:
        assert timeout > 0
        assert (request.method, request.full_url) == ("PUT", "https://answer.here/")
        sent.append(json.loads(request.data))
        return BytesIO()

    monkeypatch.setattr(app.boto3, "client", lambda _service, **_options: aws)
    monkeypatch.setattr(app.urllib.request, "urlopen", urlopen)
    event = {
        "RequestType": kind,
        "ResponseURL": "https://answer.here/",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "DeploymentCheck",
        "ResourceProperties": {"Versions": {"ConvertMatches": CONVERT, "StoreFailures": STORE}},
    }
    app.handler(event, None)
    (answer,) = sent
    return answer


REFUSED = {"errorType": "CheckError", "errorMessage": "dynamodb:PutItem on table plays is denied"}
NO_ANSWERS = {
    "it raises": REFUSED,
    "it cannot be invoked": ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke"),
    "it is a run": {"success": False, "message": "No unprocessed matches found"},
    "it is nothing": None,
}


def test_traffic_would_not_go_to_a_sound_version(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws({})

    assert of_codedeploy(app, aws, monkeypatch) == {
        "deploymentId": "d-1",
        "lifecycleEventHookExecutionId": "e-1",
        "status": "Succeeded",
    }
    assert aws.invoked == [CONVERT, STORE]


@pytest.mark.parametrize("arn", [CONVERT, STORE])
@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_traffic_would_go_to_a_version_that_cannot_work(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch, arn: str, answer: Any
) -> None:
    assert of_codedeploy(app, Aws({arn: answer}), monkeypatch)["status"] == "Failed"
    assert of_cloudformation(app, Aws({arn: answer}), monkeypatch)["Status"] == "FAILED"


def test_the_aliases_move_to_what_was_checked(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = of_cloudformation(app, Aws({}), monkeypatch)

    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {"ConvertMatches": "7", "StoreFailures": "4"}
    assert answer["PhysicalResourceId"] == "DeploymentCheck"


def test_cloudformation_shows_what_is_missing(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = of_cloudformation(app, Aws({CONVERT: REFUSED}), monkeypatch)

    assert answer["Reason"] == "convert:7: CheckError: dynamodb:PutItem on table plays is denied"


def test_a_long_reason_is_still_an_answer(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation takes 4,096 bytes, and waits until its timeout for an answer that it does not take."""
    answer = of_cloudformation(app, Aws({CONVERT: {**REFUSED, "errorMessage": "long " * 5_000}}), monkeypatch)

    assert len(json.dumps(answer)) < 4_096


def test_a_rollback_would_be_stopped_by_the_check_of_what_is_live(
    app: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a table is down: the stack would be stuck in UPDATE_ROLLBACK_FAILED."""
    aws = Aws({CONVERT: REFUSED}, live="7")

    assert of_cloudformation(app, aws, monkeypatch)["Status"] == "SUCCESS"
    assert CONVERT not in aws.invoked


def test_the_first_deployment_would_not_be_checked(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws({STORE: REFUSED}, live="")

    assert of_cloudformation(app, aws, monkeypatch, kind="Create")["Status"] == "FAILED"


def test_a_stack_would_not_let_itself_be_deleted(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_cloudformation(app, Aws({CONVERT: REFUSED}), monkeypatch, kind="Delete")["Status"] == "SUCCESS"


def test_new_permissions_get_the_time_that_they_need(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM User Guide, "Changes that I make are not always immediately visible"."""
    monkeypatch.setenv("SETTLING_SECONDS", "60")
    answers: dict[str, Any] = {CONVERT: REFUSED}
    monkeypatch.setattr(app.time, "sleep", lambda _seconds: answers.clear())

    assert of_codedeploy(app, Aws(answers), monkeypatch)["status"] == "Succeeded"
