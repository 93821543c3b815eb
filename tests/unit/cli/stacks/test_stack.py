"""Finding the stack: a stack that cannot be worked on is told, and an embedded AWS needs nothing to be set."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playlog.domain.duplicates import WithinGap
from playlog_cli.embedded.session import Server, Session
from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import open_session, read_stack

OUTPUTS = (
    "MatchCacheTable",
    "PlayLogTable",
    "FailedPlayLogTable",
    "DeadLetterQueueUrl",
    "ParkingLotQueueUrl",
    "ConvertMatchesFunction",
    "StoreFailuresFunction",
)
PARAMETERS = {
    "UnprocessedShards": "16",
    "DefaultDurationSeconds": "180",
    "FlagBelowConfidence": "62.5",
    "AiringGapSeconds": "30",
    "RetainPlayedDays": "90",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT_URL", "REGION", "DEFAULT_REGION", "PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", "/dev/null")


def description(status: str = "CREATE_COMPLETE", without: str = "") -> Any:
    """A stack as CloudFormation describes it."""
    return {
        "StackName": "playlog",
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": f"the-{key}"} for key in OUTPUTS if key != without],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items() if key != without
        ],
    }


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"]
)
def test_a_deployed_stack_is_known_by_its_outputs(status: str) -> None:
    stack = read_stack(description(status), open_session("eu-central-1", None))
    assert stack.match_cache_table == "the-MatchCacheTable"
    assert stack.store_failures_function == "the-StoreFailuresFunction"
    assert stack.shards == 16
    assert (stack.default_duration, stack.flag_below_confidence) == (timedelta(minutes=3), Decimal("62.5"))
    assert (stack.rule, stack.retain_played) == (WithinGap(timedelta(seconds=30)), timedelta(days=90))


@pytest.mark.parametrize(
    "status", ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"]
)
def test_a_stack_that_is_not_deployed_is_named_with_its_state(status: str) -> None:
    with pytest.raises(CommandError, match=f"stack `playlog` is {status}: wait until it is deployed"):
        read_stack(description(status), open_session("eu-central-1", None))


# A stack of contract 1 has no RetainPlayedDays, and keeps every match.
@pytest.mark.parametrize("missing", [*OUTPUTS, *(name for name in PARAMETERS if name != "RetainPlayedDays")])
def test_another_stack_is_refused_with_what_it_lacks(missing: str) -> None:
    with pytest.raises(CommandError, match=f"has no {missing}: name the stack"):
        read_stack(description(without=missing), open_session("eu-central-1", None))


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:4566"])
def test_an_embedded_aws_needs_no_region_and_no_credentials(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    session = open_session(None, None)
    credentials = session.get_credentials()
    assert credentials
    assert (session.region_name, credentials.access_key, credentials.secret_key) == ("us-east-1", "test", "test")


def test_an_embedded_aws_takes_what_the_user_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    session = open_session("eu-west-1", None)
    credentials = session.get_credentials()
    assert credentials
    assert (session.region_name, credentials.access_key) == ("eu-west-1", "mine")


@pytest.mark.parametrize("endpoint", ["https://dynamodb.example.com", "http://10.0.0.1:4566", "not a url", "http://["])
def test_made_up_credentials_never_leave_the_machine(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = open_session(None, None)
    assert session.region_name is None
    assert session.get_credentials() is None


def test_the_region_may_stand_in_either_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert open_session(None, None).region_name == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert open_session(None, None).region_name == "eu-west-3"
    assert open_session("eu-west-1", None).region_name == "eu-west-1"


@pytest.fixture
def local_stack(monkeypatch: pytest.MonkeyPatch) -> Server:
    """`playlog local up` is up: its environment is what a command sets, and is taken back after the test."""
    server = Server(pid=1, started_at=0.0, port=4567)
    for name in server.environment:
        monkeypatch.setenv(name, "")  # so that it is removed after the test
        monkeypatch.delenv(name)
    monkeypatch.setattr(Session, "running", lambda _: server)
    return server


def test_a_new_shell_uses_the_local_stack_and_says_so_in_one_line(
    local_stack: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    session = open_session(None, None)
    assert session.client("sqs").meta.endpoint_url == local_stack.endpoint
    assert session.region_name == "us-east-1"
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (
        "",
        "playlog: using the stack of `playlog local up` at http://127.0.0.1:4567\n",
    )


@pytest.mark.usefixtures("local_stack")
@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (("eu-west-1", None), {}),
        ((None, None), {"AWS_REGION": "eu-west-1"}),
        ((None, None), {"AWS_DEFAULT_REGION": "eu-west-1"}),
        ((None, None), {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}),
        ((None, None), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}),
    ],
)
def test_whoever_names_an_aws_gets_that_one(
    options: tuple[str | None, str | None],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    open_session(*options)
    assert capsys.readouterr().err == ""


def test_a_region_in_the_configuration_names_an_aws(
    local_stack: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    endpoint = open_session(None, None).client("sqs", aws_access_key_id="a", aws_secret_access_key="b").meta
    assert endpoint.endpoint_url != local_stack.endpoint
