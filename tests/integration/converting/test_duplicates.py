"""The rule of duplicates holds across pages and runs: a rule that only groups within a page pays plays twice."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from playlog.converting.run import convert
from playlog.domain.duplicates import rule_for
from playlog.domain.match import Match
from playlog.domain.shards import shard_of

from tests.support.aws import Aws
from tests.support.builders import MATCHED_AT, make_match

pytest_plugins = ["tests.support.aws_fixture"]

# Instants that a tolerance would join, and that a gap of 30 s joins: 0 s, 0 s again, 1 s, 2 s, and 4 minutes later.
SECONDS = (0, 0, 1, 2, 240)


def heard() -> list[Match]:
    """Matches of one track on one station, each 10 s long."""
    return [
        make_match(f"m-{number}", matched_at=MATCHED_AT + timedelta(seconds=second), seconds=10)
        for number, second in enumerate(SECONDS)
    ]


def put(aws: Aws, matches: list[Match]) -> None:
    shard = {"S": shard_of("station-1", aws.convert_settings.unprocessed_shards)}
    aws.put(*({**match.item, "unprocessed_shard": shard, "duration_seconds": {"N": "10"}} for match in matches))


def run(aws: Aws, gap: int, page: int) -> None:
    settings = replace(aws.convert_settings, airing_gap=timedelta(seconds=gap), batch_size=page)
    shards = [str(shard) for shard in range(settings.unprocessed_shards)]
    convert(shards, settings, aws.client, aws.sqs, aws.retry_budget())


def plays_of(aws: Aws) -> dict[str, int]:
    """The number of matches of each play, by its id."""
    return {play["play_id"]["S"]: int(play["match_count"]["N"]) for play in aws.plays()}


def expected(gap: int) -> dict[str, int]:
    """What the rule says of all matches at once."""
    airings = rule_for(timedelta(seconds=gap)).group(heard(), [])
    return {airing.play_key.play_id: len(airing.matches) for airing in airings}


@pytest.mark.parametrize("gap", [0, 30])
@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_of_any_size_give_the_plays_that_the_rule_gives_for_all_matches(aws: Aws, gap: int, page: int) -> None:
    put(aws, heard())
    run(aws, gap, page)

    assert plays_of(aws) == expected(gap)


@pytest.mark.parametrize("gap", [0, 30])
@pytest.mark.parametrize("cut", range(1, len(SECONDS)))
def test_two_runs_give_the_plays_that_the_rule_gives_for_all_matches(aws: Aws, gap: int, cut: int) -> None:
    for matches in (heard()[:cut], heard()[cut:]):
        put(aws, matches)
        run(aws, gap, 100)

    assert plays_of(aws) == expected(gap)


@pytest.mark.parametrize("gap", [0, 30])
def test_a_run_for_each_match_gives_the_plays_that_the_rule_gives_for_all_matches(aws: Aws, gap: int) -> None:
    for match in heard():
        put(aws, [match])
        run(aws, gap, 100)

    assert plays_of(aws) == expected(gap)


def test_both_rules_are_tried_with_what_they_join_and_what_they_keep_apart() -> None:
    assert sorted(expected(0).values()) == [1, 1, 1, 2]
    assert sorted(expected(30).values()) == [1, 4]
    assert any(later - earlier <= 2 for earlier, later in pairwise(SECONDS) if later != earlier)
