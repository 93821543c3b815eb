"""An item that a person broke is shown as far as it can be, and breaks no page for the others."""

from typing import Any

import pytest
from playlog.schema import FAILED_PLAY_LOG, MATCH_CACHE, PLAY_LOG
from playlog_cli.web.access.gate import Keys

from tests.integration.cli.plays.test_edits import KEY, put_play
from tests.integration.cli.web.conftest import Fail
from tests.support.aws import Aws
from tests.support.builders import make_item
from tests.support.site.client import Client, previewed

pytest_plugins = ["tests.support.aws_fixture"]

VALUES: list[dict[str, Any]] = [
    {"S": "2026-03-14"},
    {"N": "-9.9E+125"},
    {"L": [{"M": {}}, {"S": "x"}]},
    {"M": {"at": {"N": "1"}, "x": {"L": []}}},
]
PLAY = f"station={KEY.station_id}&play={KEY.play_id.replace('+', '%2B').replace('#', '%23')}"
KEYS = {"match_id", "attempt", "station_id", "play_id"}
INDEXED = {"reason_code", "failed_at", "matched_at", "unprocessed_shard", "track_id", "played_at"}


def values_of(name: str) -> list[dict[str, Any] | None]:
    """What a person can write there: the key of an index is a text. None for nothing."""
    return [VALUES[0]] if name in INDEXED else [None, *VALUES]


def names_of(schema: Any, *more: str) -> list[str]:
    return [each.name for each in schema if each.name not in KEYS] + [*more]


def check(client: Client, what: object, *paths: str) -> None:
    answers = {path: client.get(path).status for path in paths}
    assert ({path: status for path, status in answers.items() if status >= 500}, client.defects) == ({}, []), what


@pytest.mark.parametrize("name", names_of(FAILED_PLAY_LOG))
def test_a_broken_record_is_shown(aws: Aws, client: Client, fail: Fail, name: str) -> None:
    fail(make_item("m-1", source={"S": "TV"}))
    table = aws.store_settings.failed_play_log_table
    (record,) = aws.dynamodb.scan(TableName=table)["Items"]
    for value in values_of(name):
        broken = {key: each for key, each in record.items() if key != name} | ({name: value} if value else {})
        aws.dynamodb.put_item(TableName=table, Item=broken)
        check(client, value, "/failures", "/failures?text=m", "/failures/match?id=m-1")


@pytest.mark.parametrize("name", names_of(MATCH_CACHE, "mended"))
def test_a_broken_match_is_shown_and_previewed(aws: Aws, client: Client, fail: Fail, keys: Keys, name: str) -> None:
    fail(make_item("m-1", source={"S": "TV"}))
    match = aws.match("m-1")
    put_play(aws)
    form = {"csrf": keys.csrf, "scope": "all", "attribute": "source", "value": "Radio"}
    for value in values_of(name):
        aws.put({key: each for key, each in match.items() if key != name} | ({name: value} if value else {}))
        day = "/plays/day?station=station-1&day=2026-03-14"
        check(client, value, "/failures", "/failures/match?id=m-1", day, f"/plays/matches?{PLAY}")
        assert previewed(client, form).status == 200, value
    assert client.defects == []


@pytest.mark.parametrize("name", names_of(PLAY_LOG, "edited"))
def test_a_broken_play_is_shown(aws: Aws, client: Client, name: str) -> None:
    put_play(aws)
    (play,) = aws.plays()
    for value in values_of(name):
        broken = {key: each for key, each in play.items() if key != name} | ({name: value} if value else {})
        aws.dynamodb.put_item(TableName=aws.convert_settings.play_log_table, Item=broken)
        day = "/plays/day?station=station-1&day=2026-03-14"
        check(client, value, f"/plays/play?{PLAY}", day, "/plays/track?track=track-1")
