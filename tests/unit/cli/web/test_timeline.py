"""The time line shows when something was on air, where nothing was, and where two plays overlap."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from playlog_cli.auditing.items import State
from playlog_cli.plays.matches import MatchLine
from playlog_cli.plays.reading import PlayLine
from playlog_cli.web.timeline import WIDTH, gaps_of, overlaps_of, rows_of

DAY = datetime(2026, 3, 14, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def play(start: float, seconds: float = 180, *, flagged: bool = False, active: bool = True) -> PlayLine:
    """A play that begins so many seconds after midnight."""
    begins = DAY + timedelta(seconds=start)
    stops = begins + timedelta(seconds=seconds)
    return PlayLine("station-1", f"play-{start}", "track-1", "m-1", begins, stops, 1, None, flagged, active)


def match(start: float, seconds: float = 180) -> MatchLine:
    begins = DAY + timedelta(seconds=start)
    stops = begins + timedelta(seconds=seconds)
    return MatchLine("m-1", "station-1", "track-1", "", "", begins, stops, State.PLAYED, "play-0")


def test_a_day_on_which_clocks_change_has_its_hours() -> None:
    start = datetime(2026, 3, 29, tzinfo=BERLIN).astimezone(UTC)
    end = datetime(2026, 3, 30, tzinfo=BERLIN).astimezone(UTC)
    labels = [row.label for row in rows_of(start, end, [], [], {}, BERLIN)]
    assert (len(labels), labels[1:3]) == (23, ["01:00", "03:00"])


def test_a_play_over_the_full_hour_is_in_both_rows() -> None:
    rows = rows_of(DAY, DAY + timedelta(hours=2), [play(3540, 120)], [], {"track-1": "Song"}, ZoneInfo("UTC"))
    first, second = (next(bar for bar in row.bars if "play" in bar.kind) for row in rows)
    assert (first.x, first.width) == (983.3, 16.7)
    assert (second.x, second.width) == (0.0, 16.7)
    assert first.title == "play of Song, 00:59:00 to 01:01:00 UTC, 1 matches"


def test_matches_are_above_and_plays_below_and_overlaps_below_each_other() -> None:
    plays = [play(0), play(60)]
    (row,) = rows_of(DAY, DAY + timedelta(hours=1), plays, [match(0)], {}, ZoneInfo("UTC"))
    above, *below = (bar.y for bar in row.bars)
    assert above < row.middle <= below[0] < below[1] < row.height


def test_gaps_and_overlaps_are_counted_among_plays_that_count() -> None:
    plays = [play(0), play(100), play(200, active=False), play(600), play(700, 30), play(839)]
    assert [stop - start for start, stop in gaps_of(plays)] == [timedelta(seconds=320)]
    assert overlaps_of(plays) == 2


@given(st.lists(st.tuples(st.floats(-7200, 90000), st.floats(0, 9000)), max_size=30))
def test_whatever_was_on_air_each_bar_lies_in_its_row(spans: list[tuple[float, float]]) -> None:
    plays = sorted((play(*span) for span in spans), key=lambda each: each.start)
    rows = rows_of(DAY, DAY + timedelta(days=1), plays, [match(*span) for span in spans], {}, ZoneInfo("UTC"))
    assert len(rows) == 24
    for row in rows:
        for bar in row.bars:
            assert 0 <= bar.x <= WIDTH
            assert bar.x + bar.width <= WIDTH + 2
            assert 0 <= bar.y < row.height
