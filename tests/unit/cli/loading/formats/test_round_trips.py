"""A log written from matches reads back as those matches, with any delimiter, zone and clock."""

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playlog.domain import timestamps
from playlog_cli.loading.formats.reading.fast_times import numeric_parser
from playlog_cli.loading.formats.reading.local_time import end_instant

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems

# Zones with every kind of change: none, one hour, half an hour, a day that was left out, and other hemispheres.
ZONES = [
    "UTC",
    "Europe/Zurich",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Santiago",
    "Africa/Casablanca",
]
CLOCKS = ["%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%d %H.%M.%S", "%d %b %Y %H:%M:%S", "unix", "unix-ms", "iso"]
CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"])
NAMES = st.text(CHARACTERS, min_size=1, max_size=12).filter(lambda text: text == text.strip() and text != r"\N")
CHANGES = {
    "Europe/Zurich": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "America/New_York": datetime(2026, 11, 1, 6, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, 15, tzinfo=UTC),
}
FIRST = datetime(1975, 1, 1, tzinfo=UTC)
INSTANTS = st.one_of(
    st.integers(0, 60 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds)),
    st.builds(
        lambda change, seconds: change + timedelta(seconds=seconds),
        st.sampled_from([*CHANGES.values(), datetime(2026, 3, 29, 1, tzinfo=UTC)]),
        st.integers(-9000, 9000),
    ),
)
DURATIONS = {
    "m:ss": lambda seconds: f"{seconds // 60}:{seconds % 60:02}",
    "h:mm:ss": lambda seconds: f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
    "ss.fff": lambda seconds: f"{seconds}.0",
    "ss,fff": lambda seconds: f"{seconds},0",
    "milliseconds": lambda seconds: f"{seconds * 1000}",
}


def local_text(instant: datetime, zone: ZoneInfo, clock: str) -> str:
    """How a station writes an instant."""
    if clock == "unix":
        return str(int(instant.timestamp()))
    if clock == "unix-ms":
        return str(int(instant.timestamp()) * 1000)
    local = instant.astimezone(zone)
    return local.isoformat() if clock == "iso" else local.strftime(clock)


def read(content: bytes, toml: str) -> tuple[list[dict[str, str]], list[tuple[int, str]]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_bytes(content)
        rows = outcomes(path, toml)
    return matches(rows), problems(rows)


def table(rows: Sequence[Sequence[str]], delimiter: str, quote: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(INSTANTS, NAMES, NAMES, st.integers(1, 86_400)), min_size=1, max_size=6),
    zone=st.sampled_from(ZONES),
    clock=st.sampled_from(CLOCKS),
    duration=st.sampled_from(sorted(DURATIONS)),
    delimiter=st.sampled_from(",;\t|:"),
    quote=st.sampled_from("\"'^"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    has_header=st.booleans(),
)
def test_a_log_reads_back_as_the_matches_that_it_was_written_from(
    rows: list[tuple[datetime, str, str, int]],
    zone: str,
    clock: str,
    duration: str,
    delimiter: str,
    quote: str,
    encoding: str,
    has_header: bool,
) -> None:
    header = ["When", "Artist", "Title", "Length"]
    body = [
        [local_text(instant, ZoneInfo(zone), clock), artist, title, DURATIONS[duration](seconds)]
        for instant, artist, title, seconds in rows
    ]
    columns = header if has_header else [1, 2, 3, 4]
    where = [json.dumps(column) for column in columns]
    toml = f"""
delimiter = {json.dumps(delimiter)}
quote = {json.dumps(quote)}
header = {json.dumps(has_header)}
time_zone = "{zone}"
ambiguous = "earlier"
[match]
matched_at = {{ column = {where[0]}, format = "{clock}" }}
artist = {where[1]}
title = {where[2]}
duration_seconds = {{ column = {where[3]}, format = "{duration}" }}
"""

    found, bad = read(table([header, *body] if has_header else body, delimiter, quote).encode(encoding), toml)

    assert bad == []
    assert len(found) == len(rows)
    assert sorted(map(_names, found)) == sorted(row[1:3] for row in rows)
    for each in found:
        candidates = [row for row in rows if row[1:3] == _names(each)]
        assert any(_is_same(each, row, ZoneInfo(zone), clock) for row in candidates)


def _names(match: dict[str, str]) -> tuple[str, str]:
    return match["artist"], match["title"]


def _is_same(match: dict[str, str], row: tuple[datetime, str, str, int], zone: ZoneInfo, clock: str) -> bool:
    """Whether a match is a row. An hour that the clock shows twice may be either, as one row does not tell which."""
    instant, _, _, seconds = row
    found = timestamps.from_text(match["matched_at"])
    local = instant.astimezone(zone).replace(tzinfo=None)
    hours = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    is_told = clock in ("unix", "unix-ms", "iso")
    return int(match["duration_seconds"]) == seconds and (found == instant if is_told else found in hours)


@settings(max_examples=100, deadline=None)
@given(
    zone=st.sampled_from(sorted(CHANGES)),
    steps=st.lists(st.integers(61, 1700), min_size=12, max_size=60),
    is_descending=st.booleans(),
)
@example(zone="Europe/Zurich", steps=[600] * 40, is_descending=False)
def test_a_log_in_order_over_a_change_of_the_clock_reads_back_exactly(
    zone: str, steps: list[int], is_descending: bool
) -> None:
    """At least one row in each of the two hours, and times that go back: then nothing is left to the setting."""
    instant = CHANGES[zone] - timedelta(hours=2)
    instants = [instant := instant + timedelta(seconds=step) for step in steps]
    local = [each.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S") for each in instants]
    hidden = [text for text, each in zip(local, instants, strict=True) if _is_shown_twice(each, ZoneInfo(zone))]
    back = [after for before, after in pairwise(hidden) if after < before]
    order = list(reversed(range(len(steps)))) if is_descending else list(range(len(steps)))
    text = "t,id\n" + "".join(f"{local[number]},{number}\n" for number in order)
    toml = f'time_zone = "{zone}"\n[match]\nmatched_at = "t"\ntrack_id = "id"\n'

    found, bad = read(text.encode(), toml)

    assert bool(bad) == (bool(hidden) and not back)
    for each in found:
        assert each["matched_at"] == timestamps.to_text(instants[int(each["track_id"])])


def _is_shown_twice(instant: datetime, zone: ZoneInfo) -> bool:
    local = instant.astimezone(zone).replace(tzinfo=None)
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert second is not None
    return first > second


@settings(max_examples=200, deadline=None)
@given(start=INSTANTS, seconds=st.integers(0, 80_000), zone=st.sampled_from(ZONES))
def test_an_end_is_never_before_its_start_and_never_later_than_the_true_end(
    start: datetime, seconds: int, zone: str
) -> None:
    end = start + timedelta(seconds=seconds)
    local = end.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    found = end_instant(start, local, ZoneInfo(zone))

    assert found is not None
    assert start <= found <= end
    assert found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local


@settings(max_examples=300, deadline=None)
@given(
    moment=INSTANTS,
    time_format=st.sampled_from(
        [
            "%d.%m.%Y %H:%M:%S",
            "%m/%d/%y %I:%M %p",
            "%Y%m%d%H%M%S",
            "%d%m%Y %H:%M",
            "%Y-%m-%dT%H:%M:%S",
            "%I:%M:%S%p %d/%m/%Y",
        ]
    ),
    noise=st.sampled_from(["", "0", " ", "x", "٣"]),
    place=st.integers(0, 20),
)
def test_fast_times_are_those_of_strptime(moment: datetime, time_format: str, noise: str, place: int) -> None:
    text = moment.strftime(time_format)
    text = text[:place] + noise + text[place:]
    parse = numeric_parser(time_format)
    assert parse
    try:
        expected = datetime.strptime(text, time_format)  # noqa: DTZ007 - a local time
    except ValueError:
        expected = None

    found = parse(text)

    assert found == expected or (found is None and expected is not None)  # what it does not read is left to strptime


@pytest.mark.parametrize("time_format", ["%d %b %Y %H:%M", "%H:%M", "%d.%m.%Y", "%d.%d.%Y %H:%M", "%c"])
def test_other_formats_are_left_to_strptime(time_format: str) -> None:
    assert numeric_parser(time_format) is None


def test_two_digits_of_a_year_are_read_as_posix_says() -> None:
    parse = numeric_parser("%d.%m.%y %H:%M")
    assert parse
    found = [parse(f"14.03.{year} 08:00") for year in ("68", "69", "00")]

    assert [each.year if each else None for each in found] == [2068, 1969, 2000]


def test_a_day_that_does_not_exist_is_left_to_strptime() -> None:
    parse = numeric_parser("%d.%m.%Y %H:%M")
    assert parse
    assert parse("31.02.2026 08:00") is None
    assert parse("28.02.2026 08:00") == datetime.combine(date(2026, 2, 28), datetime.min.time()) + timedelta(hours=8)
