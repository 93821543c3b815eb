"""`{"check": true}` against moto: what it proves, that it changes nothing, and that it names what is missing."""

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from playlog.checking.check import check_convert, check_store, is_check
from playlog.checking.parts import CheckError
from playlog.runtime.retry import CLIENT_CONFIG
from playlog_cli.wiring import built_template

from tests.support.aws import Aws, Request, environment, on, refused, taken_but_for, taken_on
from tests.support.builders import make_item

pytest_plugins = ["tests.support.aws_fixture"]


@pytest.fixture(autouse=True)
def lambda_answers(aws: Aws) -> None:
    aws.door.faults.append(on("Invoke", taken_on))
    # moto accepts every character, deletes by any handle and takes any number.
    aws.door.faults.append(on("SendMessageBatch", taken_but_for(lambda body: "\0" in body)))
    aws.door.faults.append(on("DeleteMessage", refused("ReceiptHandleIsInvalid")))
    aws.door.faults.append(on("ReceiveMessage", refused("InvalidParameterValue")))


def client(service: str) -> Any:
    session = boto3.Session("test", "test", region_name=built_template.REGION)
    return session.client(service, config=CLIENT_CONFIG)  # type: ignore[call-overload]


def convert(variables: Mapping[str, str] = {}) -> dict[str, Any]:
    return check_convert({**environment("ConvertMatchesFunction"), **variables}, client, "the-converter")


def store(variables: Mapping[str, str] = {}) -> dict[str, Any]:
    return check_store({**environment("StoreFailuresFunction"), **variables}, client)


@pytest.mark.parametrize(
    ("event", "asks"), [({"check": True}, True), ({"check": "true"}, False), ({}, False), ([], False)], ids=str
)
def test_a_run_would_be_taken_for_a_check_or_a_check_for_a_run(event: Any, asks: bool) -> None:
    assert is_check(event) is asks


def test_each_part_of_a_sound_stack_is_named(aws: Aws) -> None:
    answer = convert()

    assert answer["success"] is True
    assert answer["checked"] == [
        "settings",
        "code",
        "dynamodb:Query on index unprocessed-index of table MatchCacheTable",
        "dynamodb:UpdateItem on table MatchCacheTable",
        "dynamodb:PutItem on table PlayLogTable",
        "dynamodb:UpdateItem on table PlayLogTable",
        "dynamodb:Query on table PlayLogTable",
        "dynamodb:BatchGetItem on table StationGuardTable",
        "dynamodb:UpdateItem on table StationGuardTable",
        f"sqs:SendMessage on queue {aws.convert_settings.dead_letter_queue_url}",
        "lambda:InvokeFunction on function the-converter:live",
    ]
    assert store()["checked"][2:5] == [
        "dynamodb:PutItem on table FailedPlayLogTable",
        "dynamodb:Query on table FailedPlayLogTable",
        "dynamodb:UpdateItem on table MatchCacheTable",
    ]


def test_a_check_would_change_matches_plays_failures_or_letters(aws: Aws) -> None:
    aws.put(make_item("waits"))
    before = aws.matches()

    convert()
    store()
    aws.door.faults.clear()

    assert (aws.matches(), aws.plays(), aws.failures(), aws.take_letters()) == (before, [], [], [])


@pytest.mark.parametrize(
    ("operation", "where", "says"),
    [
        ("Query", "MatchCacheTable", "dynamodb:Query on index unprocessed-index of table MatchCacheTable is denied"),
        ("TransactWriteItems", "MatchCacheTable", "dynamodb:UpdateItem on table MatchCacheTable is denied"),
        ("TransactWriteItems", '"Put"', "dynamodb:PutItem on table PlayLogTable is denied"),
        ("BatchGetItem", "StationGuardTable", "dynamodb:BatchGetItem on table StationGuardTable is denied"),
        ("SendMessageBatch", "", "sqs:SendMessage on queue"),
    ],
)
def test_a_denied_action_is_named_with_its_resource(aws: Aws, operation: str, where: str, says: str) -> None:
    aws.door.faults.insert(0, on(operation, refused("AccessDeniedException", where=where)))

    with pytest.raises(CheckError, match=says):
        convert()


def test_everything_that_is_missing_is_named_at_once(aws: Aws) -> None:
    del aws
    with pytest.raises(CheckError) as missing:
        convert({"PLAY_LOG_TABLE": "no-such-table", "STATION_GUARD_TABLE": "nor-this"})

    assert "dynamodb:PutItem on table no-such-table failed: ResourceNotFoundException" in str(missing.value)
    assert "dynamodb:BatchGetItem on table nor-this failed: ResourceNotFoundException" in str(missing.value)


def test_a_setting_that_is_off_is_named(aws: Aws) -> None:
    del aws
    with pytest.raises(CheckError, match="settings: the environment variable BATCH_SIZE is '0'"):
        convert({"BATCH_SIZE": "0"})
    with pytest.raises(CheckError, match="settings: the environment variable FAILED_PLAY_LOG_TABLE is missing"):
        store({"FAILED_PLAY_LOG_TABLE": ""})


def test_a_write_that_goes_through_is_not_taken_for_a_permission(aws: Aws) -> None:
    """Only a cancelled condition proves the permission: a conflict or a throttle proves nothing."""

    def conflicts(_request: Request, _send: Any) -> Any:
        return refused("TransactionConflictException")(_request, _send)

    aws.door.faults.insert(0, on("TransactWriteItems", conflicts))

    with pytest.raises(CheckError, match="dynamodb:UpdateItem on table MatchCacheTable failed: TransactionConflict"):
        convert()


def test_the_log_tells_a_check_from_a_run(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    del aws
    convert()

    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"check": True, "missing": []}
