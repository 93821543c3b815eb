"""A list has each play once, in the order of time, however little memory there is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.reporting.listing.sorting import sorted_plays

START = datetime(2026, 3, 14, tzinfo=UTC)


def play(minute: int, station: str = "s") -> ListedPlay:
    at = START + timedelta(minutes=minute)
    return ListedPlay(at, station, f"{minute}#t", "t", "", "Radio", at, Decimal(60), 1, None, False, True, False)


def test_plays_come_out_in_order_whatever_their_order_and_the_memory() -> None:
    plays = [play(minute, station) for minute in range(40) for station in ("a", "b")]
    mixed = Random(7).sample(plays, len(plays))
    for run in (1, 7, 1000):
        with sorted_plays(mixed, run) as found:
            assert list(found) == plays
            assert list(found) == plays
            assert found.count == len(plays)


def test_no_plays_are_an_empty_list() -> None:
    with sorted_plays([]) as found:
        assert (list(found), found.count) == ([], 0)
