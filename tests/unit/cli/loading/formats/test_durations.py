"""A play lasts as long as the log says: a rate per second pays by it."""

from pathlib import Path

import pytest
from playlog_cli.loading.files.row import Row
from playlog_cli.loading.results import Order

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems

FORMAT = """
time_zone = "Europe/Zurich"
[match]
matched_at = "t"
track_id = "id"
station_id = {{ constant = "fm-1" }}
duration_seconds = {}
"""


def durations(folder: Path, duration: str, text: str) -> list[str | None]:
    path = folder / "log.csv"
    path.write_text(text)
    rows = outcomes(path, FORMAT.format(duration))
    assert problems(rows) == []
    return [each.get("duration_seconds") for each in sorted(matches(rows), key=lambda each: str(each["track_id"]))]


@pytest.mark.parametrize(
    ("clock", "text", "seconds"),
    [
        ("m:ss", "3:35", "215"),
        ("m:ss", "03:35", "215"),
        ("m:ss", "75:00", "4500"),
        ("m:ss", "1:02:03", "3723"),
        ("m:ss", "0:03.250", "3.25"),
        ("h:mm:ss", "0:03:35", "215"),
        ("h:mm:ss", "00:03:35,5", "215.5"),
        ("ss.fff", "215.500", "215.5"),
        ("ss,fff", "215,5", "215.5"),
        ("milliseconds", "215500", "215.5"),
        ("m:ss", "", None),
    ],
)
def test_each_way_to_write_a_duration(tmp_path: Path, clock: str, text: str, seconds: str | None) -> None:
    log = f"t;d;id\n2026-03-14 08:00:00;{text};1\n"

    assert durations(tmp_path, f'{{ column = "d", format = "{clock}" }}', log) == [seconds]


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        ("m:ss", "3:75"),
        ("m:ss", "215"),
        ("h:mm:ss", "3:35"),
        ("h:mm:ss", "1:75:00"),
        ("ss.fff", "3:35"),
        ("ss.fff", "1,215.5"),
        ("ss.fff", "NaN"),
        ("ss,fff", "abc"),
    ],
)
def test_a_duration_that_is_written_otherwise_is_a_bad_row(tmp_path: Path, clock: str, text: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"t;d;id\n2026-03-14 08:00:00;{text};1\n")

    ((line, problem),) = problems(outcomes(path, FORMAT.format(f'{{ column = "d", format = "{clock}" }}')))

    assert line == 2
    assert f"duration_seconds is '{text}': by the log format it must be written like" in problem


def test_a_plain_column_is_in_seconds(tmp_path: Path) -> None:
    assert durations(tmp_path, '"d"', "t,d,id\n2026-03-14 08:00:00,215,1\n") == ["215"]


@pytest.mark.parametrize("constant", ["180", '"180"'])
def test_the_same_duration_for_each_row(tmp_path: Path, constant: str) -> None:
    log = "t,id\n2026-03-14 08:00:00,1\n2026-03-14 08:01:00,2\n"

    assert durations(tmp_path, f"{{ constant = {constant} }}", log) == ["180", "180"]


def test_from_beginning_to_end(tmp_path: Path) -> None:
    log = "t,e,id\n2026-03-14 08:00:00,08:03:35,1\n2026-03-14 23:59:00,00:02:00,2\n"

    assert durations(tmp_path, '{ end = "e", format = "%H:%M:%S" }', log) == ["215", "180"]


def test_an_end_with_its_date_in_another_column(tmp_path: Path) -> None:
    log = "t,d,e,id\n2026-03-14 23:59:00,15.03.2026,00:02,1\n"

    assert durations(tmp_path, '{ end = ["d", "e"], format = "%d.%m.%Y %H:%M" }', log) == ["180"]


def test_an_end_over_a_change_of_the_clock(tmp_path: Path) -> None:
    spring = "t,e,id\n2026-03-29 01:58:00,03:01:00,1\n"
    autumn = "t,e,id\n2026-10-25 01:58:00,02:01:00,1\n2026-10-25 02:59:00,02:03:00,2\n2026-10-25 03:10:00,03:11:00,3\n"

    assert durations(tmp_path, '{ end = "e", format = "%H:%M:%S" }', spring) == ["180"]
    path = tmp_path / "log.csv"
    path.write_text(autumn)
    found = matches(outcomes(path, 'ambiguous = "earlier"\n' + FORMAT.format('{ end = "e", format = "%H:%M:%S" }')))
    assert {each["track_id"]: each["duration_seconds"] for each in found} == {"1": "180", "2": "240", "3": "60"}


def test_an_end_before_the_beginning_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("t,e,id\n2026-03-14 08:00:00,2026-03-14 07:59:00,1\n")

    ((_, problem),) = problems(outcomes(path, FORMAT.format('{ end = "e" }')))

    assert "the end is '2026-03-14 07:59:00', which is no time from the start on" in problem


@pytest.mark.parametrize(
    ("start", "end", "end_format"),
    [
        ("2026-03-14 08:00:00", "9999-12-31 23:59:59", "iso"),
        ("2026-03-14 08:00:00", "0001-01-01T00:00:00+05:00", "iso"),
        ("9999-12-31 12:00:00", "12:03:35", "%H:%M:%S"),
        ("9999-12-31T23:30:00Z", "00:33:35", "%H:%M:%S"),
    ],
)
def test_an_end_out_of_all_time_is_a_bad_row(tmp_path: Path, start: str, end: str, end_format: str) -> None:
    toml = FORMAT.format(f'{{ end = "e", format = "{end_format}" }}').replace("Europe/Zurich", "America/New_York")
    path = tmp_path / "log.csv"
    path.write_text(f"t,e,id\n2026-03-14 08:00:00,,1\n{start},{end},2\n")
    rows = outcomes(path, toml)

    assert [each["track_id"] for each in matches(rows)] == ["1"]
    ((line, problem),) = problems(rows)
    assert (line, problem.startswith("the end is ")) == (3, True)


def test_a_row_without_an_end_has_no_duration(tmp_path: Path) -> None:
    assert durations(tmp_path, '{ end = "e" }', "t,e,id\n2026-03-14 08:00:00,,1\n") == [None]


ROWS = ["2026-03-14 08:00:00,1", "2026-03-14 08:03:35,2", "2026-03-14 08:03:35,3", "2026-03-14 09:00:00,4"]


@pytest.mark.parametrize("rows", [ROWS, ROWS[::-1]], ids=["ascending", "descending"])
def test_up_to_the_next_row_with_a_maximum(tmp_path: Path, rows: list[str]) -> None:
    log = "\n".join(["t,id", *rows, ""])

    first, *others = durations(tmp_path, "{ until_next = 600 }", log)

    assert first == "215"
    assert sorted(map(str, others)) == ["600", "None", "None"]  # one of two at the same instant lasts, and not the last


def order_of(path: Path, toml: str) -> Order:
    """What a load counts of the order of a log's rows."""
    order = Order()
    for row in outcomes(path, toml):
        assert isinstance(row, Row)
        order.add(row)
    return order


@pytest.mark.parametrize("is_descending", [False, True])
def test_rows_out_of_order_and_rows_without_a_next_one_are_counted(tmp_path: Path, is_descending: bool) -> None:
    rows = [f"2026-03-14 {clock}:00,{clock}" for clock in ("08:00", "08:03", "10:00", "10:09", "09:00", "10:15")]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["t,id", *(rows[::-1] if is_descending else rows), ""]))
    order = order_of(path, FORMAT.format("{ until_next = 600 }"))

    assert (order.going_back, order.longest_rows, order.open_rows) == (1, 2, 2)


def test_rows_that_state_their_duration_may_come_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("t,d,id\n2026-03-14 08:00:00,,1\n2026-03-14 07:00:00,180,2\n2026-03-14 09:00:00,180,3\n")
    order = order_of(path, FORMAT.format('"d"'))

    assert (order.going_back, order.longest_rows, order.open_rows) == (0, 0, 0)


def test_a_skipped_row_ends_the_row_before_it(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("t,id\n2026-03-14 08:00:00,1\n2026-03-14 08:03:00,jingle\nnonsense,jingle\n2026-03-14 08:04:00,2\n")
    skip = '[[skip]]\ncolumn = "id"\nvalues = ["jingle"]\n'

    rows = outcomes(path, FORMAT.format("{ until_next = 600 }") + skip)

    assert [each.get("duration_seconds") for each in matches(rows)] == ["180", None]


def loaded(
    folder: Path, duration: str, text: str, *, ambiguous: str = "error"
) -> tuple[dict[str, str | None], list[int]]:
    """The durations by id, and the lines of the bad rows."""
    path = folder / "log.csv"
    path.write_text(text)
    rows = outcomes(path, f'ambiguous = "{ambiguous}"\n' + FORMAT.format(duration))
    return {each["track_id"]: each.get("duration_seconds") for each in matches(rows)}, [
        line for line, _ in sorted(problems(rows))
    ]


DOUBTFUL = ["2026-10-25 01:20:00,1", "2026-10-25 01:58:00,2", "2026-10-25 02:03:00,3", "2026-10-25 03:30:00,4"]


@pytest.mark.parametrize("is_descending", [False, True])
def test_a_row_that_a_doubtful_hour_ended_is_not_paid_up_to_the_row_after_it(
    tmp_path: Path, is_descending: bool
) -> None:
    rows = DOUBTFUL[::-1] if is_descending else DOUBTFUL
    text = "\n".join(["t,id", *rows, ""])
    lines = [1 + rows.index(row) + 1 for row in DOUBTFUL]

    found, bad = loaded(tmp_path, "{ until_next = 3600 }", text)
    assert (found, bad) == ({"1": "2280", "4": None}, sorted(lines[1:3]))
    # At most 200 seconds it lasted in either hour.
    assert loaded(tmp_path, "{ until_next = 200 }", text) == ({"1": "200", "2": "200", "4": None}, [lines[2]])
    found, bad = loaded(tmp_path, "{ until_next = 3600 }", text, ambiguous="later")
    assert (found, bad) == ({"1": "2280", "2": "3600", "3": "3600", "4": None}, [])


def test_a_row_in_an_hour_that_the_clock_skips_makes_the_end_of_the_row_before_it_unknown(tmp_path: Path) -> None:
    text = "t,id\n2026-03-29 01:58:00,1\n2026-03-29 02:03:00,2\n2026-03-29 03:30:00,3\n"

    assert loaded(tmp_path, "{ until_next = 3600 }", text) == ({"3": None}, [2, 3])


def test_a_bad_row_of_unknown_time_makes_the_row_before_it_bad_and_no_other(tmp_path: Path) -> None:
    text = "t,id\n2026-03-14 08:00:00,1\n2026-03-14 08:03:00,2\n2026-03-14 8 h,3\n2026-03-14 08:09:00,4\n"

    assert loaded(tmp_path, "{ until_next = 600 }", text) == ({"1": "180", "4": None}, [3, 4])
    assert loaded(tmp_path, "{ until_next = 600 }", text.replace("8 h", "08:05:00"))[0]["2"] == "120"


def test_no_row_is_paid_up_to_one_in_an_hour_that_the_clock_skips_beyond_a_row_of_unknown_time(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = ["2026-03-29 04:00:00,1", "2026-03-29 02:30:00,2", "nonsense,3", "2026-03-28 23:00:00,4"]  # newest first
    path.write_text("".join(f"{row}\n" for row in ["t,id", *rows]))
    found = outcomes(path, FORMAT.format("{ until_next = 600 }"))

    assert [each["track_id"] for each in matches(found)] == ["1"]
    assert [line for line, _ in problems(found)] == [4, 3, 5]
    assert "the time to the next row, line 4, of which the time" in problems(found)[-1][1]


def test_a_bad_row_of_another_station_leaves_a_row_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "t,id,s\n2026-03-14 08:00:00,1,a\n2026-03-14 08:01:00,2,b\n2026-03-14 8 h,3,b\n"
        "2026-03-14 08:03:00,4,a\n2026-03-14 08:04:00,5,b\n"
    )
    rows = outcomes(path, FORMAT.format("{ until_next = 600 }").replace('{ constant = "fm-1" }', '"s"'))

    assert {each["track_id"]: each.get("duration_seconds") for each in matches(rows)} == {
        "1": "180",
        "4": None,
        "5": None,
    }
    ((_, problem),) = [each for each in problems(rows) if each[0] == 3]
    assert problem.startswith(
        "duration_seconds is the time to the next row, line 4, of which the time or the station is not known"
    )


def test_a_row_that_is_held_in_a_doubtful_hour_is_bad_too_if_the_row_after_it_has_no_time(tmp_path: Path) -> None:
    text = (
        "t,id\n2026-10-25 02:10:00,1\n2026-10-25 02:50:00,2\n2026-10-25 02:05:00,3\nnonsense,4\n2026-10-25 03:30:00,5\n"
    )

    assert loaded(tmp_path, "{ until_next = 3600 }", text) == ({"1": "2400", "2": "900", "5": None}, [4, 5])


@pytest.mark.parametrize("bad", ["2026-03-14 08:05:00,3", "0001-01-01 00:00:00+14:00,3"])
@pytest.mark.parametrize("is_descending", [False, True])
def test_no_row_is_paid_up_to_one_beyond_a_row_that_is_at_no_instant(
    tmp_path: Path, bad: str, is_descending: bool
) -> None:
    rows = ["2026-03-14 08:00:00Z,1", "2026-03-14 08:03:00Z,2", bad, "2026-03-14 08:09:00Z,4"]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["t,id", *(rows[::-1] if is_descending else rows), ""]))

    read = outcomes(path, FORMAT.format("{ until_next = 600 }").replace('time_zone = "Europe/Zurich"', ""))

    assert {each["track_id"]: each.get("duration_seconds") for each in matches(read)} == {"1": "180", "4": None}
    assert len(problems(read)) == 2


def test_no_row_is_paid_up_to_one_beyond_a_row_whose_station_is_blank(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("t,id,s\n2026-03-14 08:00:00,1,a\n2026-03-14 08:02:00,2,\n2026-03-14 08:03:00,3,a\n")

    rows = outcomes(path, FORMAT.format("{ until_next = 600 }").replace('{ constant = "fm-1" }', '"s"'))

    ((line, problem),) = problems(rows)
    assert line == 2
    assert "line 3, of which the time or the station is not known" in problem


def test_a_row_out_of_order_keeps_the_doubt_of_its_end(tmp_path: Path) -> None:
    text = "t,id\n2026-03-14 08:05:00,1\n2026-03-14 8 h,2\n2026-03-14 08:00:00,3\n2026-03-14 08:20:00,4\n"

    assert loaded(tmp_path, "{ until_next = 600 }", text) == ({"1": None, "4": None}, [3, 4])
