"""`playlog failures mend`: a known person corrects a wrong value, and overwrites no other change."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog_cli.commands.operating.failures import failures_app
from playlog_cli.errors import CommandError
from playlog_cli.failures.mending import MendTally, mend, parse_corrections, preview
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.support.aws import Aws
from tests.support.builders import NOW, make_item

pytest_plugins = ["tests.support.aws_fixture"]

WHO = "arn:aws:iam::123456789012:user/ada"
RADIO = {"source": {"S": "Radio"}}
Invoke = Callable[..., Result]


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setattr("playlog_cli.commands.operating.failures.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.commands.operating.failures.identity", lambda _: WHO)
    return lambda *arguments: CliRunner().invoke(failures_app, ["mend", *arguments])


def fail(aws: Aws, *matches: Item) -> None:
    """Puts matches that have failed, each with its record."""
    for match in matches:
        failure = validate(match, now=NOW, default_duration=timedelta(minutes=3))
        assert isinstance(failure, Failure)
        letter = DeadLetter.of(failure, max_attempts=3, now=NOW)
        item = {name: value for name, value in match.items() if name != "unprocessed_shard"}
        aws.put({**item, "failed_reason": {"S": letter.reason}, "attempts": {"N": "1"}})
        aws.dynamodb.put_item(
            TableName=aws.store_settings.failed_play_log_table,
            Item={
                "match_id": match["match_id"],
                "attempt": {"N": "1"},
                "reason_code": {"S": letter.reason_code},
                "reason": {"S": letter.reason},
                "will_retry": {"BOOL": False},
                "failed_at": {"S": "2026-03-14T08:00:00.000000+0000"},
                "match": {"M": item},
            },
        )


def tv(match_id: str, **attributes: dict[str, str]) -> Item:
    return make_item(match_id, source={"S": "TV"}, **attributes)


def test_a_match_is_corrected_and_keeps_who_changed_what(aws: Aws, invoke: Invoke) -> None:
    fail(aws, tv("m-1", note={"S": "ours"}))
    result = invoke("m-1", "--set", "source=Radio", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        'match m-1: source: "TV" -> "Radio" (valid then)',
        "Corrected: 1 match. To wait again: none.",
    ]
    shown = CliRunner().invoke(failures_app, ["show", "m-1"]).stdout
    assert f' by {WHO}: source: "TV" -> "Radio"' in shown
    match = aws.match("m-1")
    assert (match["source"], match["note"], "failed_reason" in match) == ({"S": "Radio"}, {"S": "ours"}, True)
    (entry,) = match["mended"]["L"]
    assert {name: entry["M"][name] for name in ("by", "attribute", "from", "to")} == {
        "by": {"S": WHO},
        "attribute": {"S": "source"},
        "from": {"S": "TV"},
        "to": {"S": "Radio"},
    }


def test_with_retry_it_waits_again_in_the_shard_of_its_new_station(aws: Aws, invoke: Invoke, stack: Stack) -> None:
    fail(aws, tv("m-1"))
    invoke("m-1", "--set", "source=Radio", "--set", "station_id=station-9", "--retry", "--yes")
    match = aws.match("m-1")
    expected = make_item("m-1", station_id={"S": "station-9"})
    assert "failed_reason" not in match
    assert match["unprocessed_shard"] == {"S": home_shard(expected, stack)}
    assert len(match["mended"]["L"]) == 2


def home_shard(match: Item, stack: Stack) -> str:
    from zlib import crc32  # noqa: PLC0415 - as a writer computes it, not as the code does

    return str(crc32(match["station_id"]["S"].encode()) % stack.shards)


def test_many_are_corrected_with_one_confirmation_and_those_that_would_fail_stay(aws: Aws, invoke: Invoke) -> None:
    fail(aws, *(tv(f"m-{number}") for number in range(30)), tv("silent", track_id={"S": " "}))
    result = invoke("--reason", "INVALID_SOURCE", "--set", "source=Radio", "--retry", "--yes", "--json")
    done = json.loads(result.stdout)
    assert (len(done["mended"]), done["retried"], done["defective"], done["left"]) == (30, 30, 0, [])
    assert "unprocessed_shard" not in aws.match("silent")
    result = invoke("--station", "station-1", "--set", "source=Radio", "--retry", "--yes")
    assert "would still fail: track_id is ' '" in result.stdout
    assert "Corrected: 1 match. To wait again: none." in result.stdout
    assert "unprocessed_shard" not in aws.match("silent")


def test_nothing_changes_without_consent(aws: Aws, invoke: Invoke) -> None:
    fail(aws, tv("m-1"))
    before = aws.match("m-1")
    result = invoke("m-1", "--set", "source=Radio")
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith("To correct: 1 match. Correct? Cannot ask")
    assert aws.match("m-1") == before


@pytest.mark.parametrize(
    "change",
    [
        {"source": {"S": "Streaming"}},
        {"track_id": {"S": "other"}},
        {"attempts": {"N": "2"}},
        {"title": {"S": "new"}},
        {"mended": {"L": [{"M": {"by": {"S": "eve"}}}]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_match_that_somebody_else_changed_is_left(aws: Aws, stack: Stack, change: Item) -> None:
    fail(aws, tv("m-1"))
    planned = preview(aws.match("m-1"), RADIO, NOW)
    aws.put(aws.match("m-1") | change)
    before = aws.match("m-1")
    tally = mend(stack, [planned], MendTally(), who=WHO, now=NOW, retry=True)
    assert [each.why for each in tally.left] == ["it was changed meanwhile: look at it again"]
    assert (tally.mended, aws.match("m-1")) == ([], before)


def test_a_match_that_was_deleted_is_not_created_again(aws: Aws, stack: Stack) -> None:
    fail(aws, tv("m-1"))
    planned = preview(aws.match("m-1"), RADIO, NOW)
    aws.delete("m-1")
    assert mend(stack, [planned], MendTally(), who=WHO, now=NOW, retry=True).mended == []
    assert aws.matches() == []


def test_a_match_that_has_not_failed_is_left_and_said(aws: Aws, invoke: Invoke) -> None:
    aws.put(make_item("m-1"))
    result = invoke("m-1", "m-2", "--set", "source=Streaming", "--yes")
    assert result.exit_code == 1
    assert "match m-1 is left as it is: it has not failed" in result.stderr
    assert "match m-2 is left as it is: there is no such match" in result.stderr
    assert "mended" not in aws.match("m-1")


def test_an_empty_value_removes_an_optional_attribute(aws: Aws, invoke: Invoke) -> None:
    fail(aws, make_item("m-1", duration_seconds={"N": "-1"}))
    assert invoke("m-1", "--set", "duration_seconds=", "--yes").exit_code == 0
    assert "duration_seconds" not in aws.match("m-1")
    assert aws.match("m-1")["mended"]["L"][0]["M"]["to"] == {"NULL": True}


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        (["source"], "--set 'source': write it as NAME=VALUE"),
        (["processed=true"], "--set 'processed': name one of matched_at, track_id"),
        (["match_id=x"], "--set 'match_id': name one of"),
        (["unprocessed_shard=1"], "--set 'unprocessed_shard': name one of"),
        (["duration_seconds=long"], "--set duration_seconds is 'long': it must be a number"),
        (["duration_seconds=NaN"], "--set duration_seconds is 'NaN': it must be a number"),
        (["duration_seconds=-Infinity"], "--set duration_seconds is '-Infinity': it must be a number"),
        (
            ["duration_seconds=1E+99999999999999999999"],
            "--set duration_seconds is '1E+99999999999999999999': it must be",
        ),
        (
            ["duration_seconds=1." + "3" * 38],
            "--set duration_seconds is '1.333333333333333333333333333333333333",
        ),
        (["duration_seconds=1E+126"], "--set duration_seconds is '1E+126': it must have at most 38 digits"),
        (["duration_seconds=-1E-131"], "--set duration_seconds is '-1E-131': it must have at most 38 digits"),
        (["title=a\udcff"], "--set title is 'a\\udcff': it must be a text that UTF-8 can hold"),
        (["track_id="], "--set track_id: it must not be empty"),
        (["source=a", "source=b"], "--set names source twice"),
    ],
)
def test_a_correction_that_cannot_be_is_named_with_what_would_be_right(pairs: list[str], told: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_corrections(pairs)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("180.0", "180"),
        (" 1e2 ", "100"),
        ("1_000", "1000"),
        ("-0", "0"),
        ("0E+999999", "0"),
        ("1" * 38, "1" * 38),
        ("2" + "0" * 100, "2" + "0" * 100),
        ("0." + "1" * 38, "0." + "1" * 38),
        ("9.9E+125", "99" + "0" * 124),
    ],
)
def test_a_number_is_written_as_dynamodb_stores_it(text: str, stored: str) -> None:
    assert parse_corrections([f"duration_seconds={text}"]) == {"duration_seconds": {"N": stored}}


@pytest.mark.parametrize("arguments", [[], ["m-1", "--reason", "MALFORMED"], ["m-1"], ["--station", "s"]])
def test_what_to_correct_must_be_said(invoke: Invoke, arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith("say w")
