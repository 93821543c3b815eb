"""The converter never takes away what a person decided about a play's flag, whatever its mean confidence does."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from botocore.awsrequest import AWSResponse
from playlog.converting.run import convert
from playlog.domain import timestamps
from playlog_cli.plays.edits import Edit, edit_play
from playlog_cli.stacks.stack import Stack

from tests.support.aws import Aws, Request, Send, on
from tests.support.builders import MATCHED_AT, NOW, make_item

pytest_plugins = ["tests.support.aws_fixture"]

TEN = timedelta(seconds=10)


def hear(aws: Aws, number: int, score: int) -> None:
    """Converts one more match of the airing, with a confidence; plays below 50 are flagged."""
    at = timestamps.to_text(MATCHED_AT + timedelta(seconds=10 * number))
    aws.put(make_item(f"m-{number}", matched_at={"S": at}, avg_confidence_score={"N": str(score)}))
    settings = replace(
        aws.convert_settings, airing_gap=timedelta(seconds=30), flag_below_confidence=Decimal(50), default_duration=TEN
    )
    convert(["0"], settings, aws.client, aws.sqs, aws.retry_budget())


def edit(aws: Aws, stack: Stack, *edits: Edit) -> None:
    for each in edits:
        (play,) = aws.plays()
        assert edit_play(stack, play, each, who="ada", now=NOW).why_not is None


def flag(aws: Aws) -> bool:
    (play,) = aws.plays()
    return bool(play["flagged"]["BOOL"])


def test_a_persons_flag_stays_though_the_mean_falls_below_the_limit_and_rises_again(aws: Aws, stack: Stack) -> None:
    hear(aws, 0, 60)
    edit(aws, stack, Edit.FLAG)

    for number, score in enumerate((10, 100, 100), start=1):
        hear(aws, number, score)
        assert flag(aws), f"after a confidence of {score}"


def test_a_flag_that_a_person_took_away_stays_away_though_the_mean_rises_and_falls_again(
    aws: Aws, stack: Stack
) -> None:
    hear(aws, 0, 40)
    edit(aws, stack, Edit.UNFLAG)

    for number, score in enumerate((100, 0, 0), start=1):
        hear(aws, number, score)
        assert not flag(aws), f"after a confidence of {score}"


@pytest.mark.parametrize(
    ("first", "second", "edits", "flagged"),
    [(40, 100, [Edit.UNFLAG, Edit.FLAG], True), (60, 0, [Edit.FLAG, Edit.UNFLAG], False), (60, 0, [Edit.FLAG], True)],
)
def test_an_edit_between_the_converters_reading_and_writing_is_kept(
    aws: Aws, stack: Stack, first: int, second: int, edits: list[Edit], flagged: bool
) -> None:
    hear(aws, 0, first)

    def meanwhile(_request: Request, send: Send) -> AWSResponse:
        edit(aws, stack, *edits)
        return send()

    aws.door.faults.append(on("TransactWriteItems", meanwhile, times=1))
    hear(aws, 1, second)

    (play,) = aws.plays()
    assert (play["match_count"]["N"], flag(aws), len(play["edited"]["L"])) == ("2", flagged, len(edits))


def test_an_edit_of_something_else_leaves_the_flag_to_the_mean(aws: Aws, stack: Stack) -> None:
    hear(aws, 0, 60)
    edit(aws, stack, Edit.WITHDRAW, Edit.RESTORE)

    hear(aws, 1, 0)

    assert flag(aws)


@pytest.mark.parametrize("edited", [{"S": "by hand"}, {"L": [{"S": "flagged"}, {"M": {}}]}, {"NULL": True}])
def test_a_list_of_edits_that_is_no_such_list_holds_up_nothing(aws: Aws, edited: dict[str, object]) -> None:
    hear(aws, 0, 60)
    (play,) = aws.plays()
    aws.dynamodb.put_item(TableName=aws.convert_settings.play_log_table, Item={**play, "edited": edited})

    hear(aws, 1, 0)

    assert flag(aws)
