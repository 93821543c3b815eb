"""Each shape that stations' files have loads with at most 15 lines of TOML: a row that is read wrongly pays wrongly."""

import io
import json
import re
from datetime import date, time
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.loading.files.row import RowsError
from playlog_cli.loading.formats.model import FormatError
from playlog_cli.loading.formats.reading.columns import check_columns
from playlog_cli.loading.formats.toml.parse import parse_format
from playlog_cli.loading.track_ids import artist_title_id

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems, skipped

JOGA, NENA = artist_title_id("Björk", "Jóga"), artist_title_id("Nena", "99 Luftballons")


def read(
    folder: Path, content: str | bytes, toml: str, name: str = "log.csv"
) -> tuple[list[dict[str, str]], list[tuple[int, str]], list[int]]:
    """The matches of a file, its bad rows, and the lines of its skipped rows."""
    assert len(toml.strip().splitlines()) <= 15, "a person should write it in ten minutes"
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = outcomes(path, toml)
    return matches(rows), problems(rows), skipped(rows)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1", "cp1252", "mac-roman"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_log_from_excel_in_any_encoding_with_any_line_end(tmp_path: Path, encoding: str, end: str) -> None:
    toml = f"""
delimiter = "tab"
time_zone = "Europe/Zurich"
{f'encoding = "{encoding}"' if encoding[:3] != "utf" else ""}
[match]
matched_at = {{ columns = ["Datum", "Zeit"], format = "%d.%m.%Y %H:%M:%S" }}
station_id = {{ constant = "fm-1" }}
artist = "Künstler"
title = "Titel"
duration_seconds = {{ column = "Länge", format = "m:ss" }}
"""
    log = end.join(["Datum\tZeit\tKünstler\tTitel\tLänge", "14.03.2026\t08:00:05\tBjörk\tJóga\t5:05", ""])

    assert read(tmp_path, log.encode(encoding), toml) == (
        [
            {
                "matched_at": "2026-03-14T07:00:05.000000+0000",
                "station_id": "fm-1",
                "artist": "Björk",
                "title": "Jóga",
                "duration_seconds": "305",
                "track_id": JOGA,
            }
        ],
        [],
        [],
    )


def test_a_twelve_hour_clock(tmp_path: Path) -> None:
    toml = """
time_zone = "America/New_York"
[match]
matched_at = { columns = ["Day", "Time"], format = "%m/%d/%Y %I:%M %p" }
track_id = "Id"
"""
    times = ["12:00 AM", "12:30 a.m.", "11:59 pm", "12:00 PM", "1:05 p.m.", "01:05 P"]
    found, bad, _ = read(tmp_path, "Day,Time,Id\n" + "".join(f"03/14/2026,{time},x\n" for time in times), toml)

    assert [each["matched_at"][:16] for each in found] == [
        "2026-03-14T04:00",
        "2026-03-14T04:30",
        "2026-03-15T03:59",
        "2026-03-14T16:00",
        "2026-03-14T17:05",
        "2026-03-14T17:05",
    ]
    assert bad == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [("unix", "1773471605"), ("unix", "1773471605.0"), ("unix-ms", "1773471605000"), ("iso", "2026-03-14T07:00:05Z")],
)
def test_seconds_and_milliseconds_since_1970_and_iso_8601(tmp_path: Path, kind: str, text: str) -> None:
    toml = f'[match]\nmatched_at = {{ column = 1, format = "{kind}" }}\ntrack_id = 2\n'

    ((match,), bad, _) = read(tmp_path, f"{text};x\n", "header = false\n" + toml)

    assert (match["matched_at"], bad) == ("2026-03-14T07:00:05.000000+0000", [])


def test_seconds_and_milliseconds_are_not_confused(tmp_path: Path) -> None:
    log, toml = "{},x\n", 'header = false\n[match]\nmatched_at = {{ column = 1, format = "{}" }}\n'

    for number, kind, problem in (
        ("1773471605", "unix-ms", "too small for milliseconds: the format must be unix"),
        ("1773471605000", "unix", "must be a number of seconds since 1970; another format is unix-ms"),
    ):
        (_, ((_, found),), _) = read(tmp_path, log.format(number), toml.format(kind))
        assert problem in found


def test_jingles_advertisements_and_totals_are_skipped(tmp_path: Path) -> None:
    toml = """
time_zone = "Europe/Zurich"
[match]
matched_at = "When"
artist = "Artist"
title = "Title"
[[skip]]
column = "When"
values = ["Total*", ""]
[[skip]]
column = "Type"
except = ["music*"]
"""
    log = (
        "Radio Example;;;\nMarch 2026;;;\nWhen;Type;Artist;Title\n2026-03-14 08:00:00;MUSIC;Björk;Jóga\n;;;\n"
        "2026-03-14 08:05:00;Jingle;;Station\n2026-03-14 08:05:10;Music CH;Nena;99 Luftballons\n;;;continued\n"
        "Total: 2;;;\n"
    )

    found, bad, left = read(tmp_path, log, toml)

    assert [each["track_id"] for each in found] == [JOGA, NENA]
    assert (bad, left) == ([], [6, 8, 9])


def test_the_station_and_the_day_from_the_files_name(tmp_path: Path) -> None:
    toml = """
file_name = "{station}_{day:8}.csv"
time_zone = "Europe/Zurich"
[match]
matched_at = { columns = ["{day}", "Time"], format = "%Y%m%d %H:%M" }
station_id = { column = "{station}", values = { "rabe" = "fm-1", "kanal_k" = "fm-2" } }
track_id = { column = "Cart", prefix = "kanal-k:" }
"""

    found, bad, _ = read(tmp_path, "Time,Cart\n08:00,000123\n", toml, "kanal_k_20260314.csv")

    assert (found, bad) == (
        [{"matched_at": "2026-03-14T07:00:00.000000+0000", "station_id": "fm-2", "track_id": "kanal-k:000123"}],
        [],
    )
    (_, ((line, problem),), _) = read(tmp_path, "Time,Cart\n08:00,000123\n", toml, "other_20260314.csv")
    assert line == 2
    assert problem.startswith("station_id is 'other': the log format has values for 'rabe', 'kanal_k' only")
    assert read(tmp_path, "Time,Cart\n08:00,1\n", toml, "rabe_20260314.csv")[0][0]["station_id"] == "fm-1"
    for name, says in (("rabe.csv", "its name must be like"), ("a_b_12.csv", "may be 'a' or 'a_b': give a part")):
        with pytest.raises(RowsError, match=says):
            read(tmp_path, "Time,Cart\n08:00,1\n", toml.replace(":8}", "}"), name)


def test_fields_between_carets_with_pipes_between(tmp_path: Path) -> None:
    toml = """
delimiter = "|"
quote = "^"
time_zone = "America/New_York"
[match]
matched_at = { column = "START", format = "%Y-%m-%d %H:%M:%S" }
artist = "FEATURED_ARTIST"
title = "SOUND_RECORDING_TITLE"
isrc = "ISRC"
"""
    header = "FEATURED_ARTIST|SOUND_RECORDING_TITLE|ISRC|START\n"
    log = "^Björk^|^Jóga | live^|^GB-AXY-97-00123^|^2026-03-14 08:00:05^\n"

    assert read(tmp_path, header + log, toml)[0] == [
        {
            "matched_at": "2026-03-14T12:00:05.000000+0000",
            "artist": "Björk",
            "title": "Jóga | live",
            "isrc": "GB-AXY-97-00123",
            "track_id": "GBAXY9700123",
        }
    ]


@pytest.mark.parametrize(
    "isrc", ["DETA81500014", "deta81500014", "DE-TA8-15-00014", "ISRC DETA81500014", "DE TA8 15 00014"]
)
def test_an_isrc_is_the_track_however_it_is_written(tmp_path: Path, isrc: str) -> None:
    toml = '[match]\nmatched_at = "t"\nisrc = "isrc"\ntrack_id = "cart"\nartist = "a"\ntitle = "b"\n'
    log = f"t,isrc,cart,a,b\n2026-03-14T08:00:00Z,{isrc},1234,Björk,Jóga\n"

    assert read(tmp_path, log, toml)[0][0]["track_id"] == "DETA81500014"
    assert read(tmp_path, log, 'track_from = ["track_id"]\n' + toml)[0][0]["track_id"] == "1234"


@pytest.mark.parametrize(
    ("isrc", "cart", "track"),
    [("n/a", "1234", "1234"), (r"\N", r"\N", JOGA), ("", "", JOGA), ("DE-TA8-15-00014", "", "DETA81500014")],
)
def test_the_first_id_that_a_row_has_is_the_track(tmp_path: Path, isrc: str, cart: str, track: str) -> None:
    toml = '[match]\nmatched_at = "t"\nisrc = "isrc"\ntrack_id = "cart"\nartist = "a"\ntitle = "b"\n'

    ((match,), _, _) = read(tmp_path, f"t,isrc,cart,a,b\n2026-03-14T08:00:00Z,{isrc},{cart},Björk,Jóga\n", toml)

    assert match["track_id"] == track


@pytest.mark.parametrize(
    ("artist", "title", "is_same"),
    [
        ("BJÖRK", "  jóga ", True),
        ("Bjo\u0308rk", "Jo\u0301ga", True),
        ("Björk", "Jóga\u00a0", True),
        ("\uff22\uff4aörk", "Jóga", True),
        ("Björk feat. X", "Jóga", False),
        ("Björk", "Jóga (live)", False),
        ("Björk Jóga", "", False),
    ],
)
def test_artist_and_title_are_one_track_in_any_case_spacing_and_unicode_form(
    artist: str, title: str, is_same: bool
) -> None:
    assert (artist_title_id(artist, title) == JOGA) == is_same


def test_a_byte_that_an_encoding_lacks_takes_no_other_row_with_it(tmp_path: Path) -> None:
    toml = 'encoding = "cp1252"\n[match]\nmatched_at = "t"\nartist = "a"\n'
    log = b"t,a\n2026-03-14T08:00:00Z,Bj\xf6rk\n2026-03-14T09:00:00Z,\x8d\n2026-03-14T10:00:00Z,Nena\n"

    found, bad, _ = read(tmp_path, log, toml)

    assert [each["artist"] for each in found] == ["Björk", "Nena"]
    assert [line for line, _ in bad] == [3]


def test_a_date_in_a_heading_is_that_of_the_rows_below_it(tmp_path: Path) -> None:
    toml = """
time_zone = "America/Los_Angeles"
[match]
matched_at = { columns = ["{day}", "Time"], format = "%Y-%m-%d %H:%M:%S" }
artist = "Artist"
title = "Song"
[[heading]]
part = "day"
column = 1
format = "%Y-%m-%d"
[[skip]]
column = 1
values = ["Playlist*"]
"""
    log = (
        "Playlist date,On air,Show,DJ\n2026-03-14,08:00,Talk,Ana\nTime,Artist,Song\n08:05:00,Björk,Jóga\n"
        "Playlist date,On air,Show\n2026-03-15,09:00,Music\nTime,Artist,Song\n09:05:00,Nena,99 Luftballons\n"
    )

    found, bad, left = read(tmp_path, log, toml)

    assert [(each["matched_at"][:16], each["artist"]) for each in found] == [
        ("2026-03-14T15:05", "Björk"),
        ("2026-03-15T16:05", "Nena"),
    ]
    assert (bad, left) == ([], [5, 6, 7])


def test_a_header_that_stands_again_is_no_row(tmp_path: Path) -> None:
    toml = '[match]\nmatched_at = "t"\nartist = "a"\n'

    found, bad, left = read(tmp_path, "t,a\n2026-03-14T08:00:00Z,Björk\nt,a\n2026-03-15T08:00:00Z,Nena\n", toml)

    assert ([each["artist"] for each in found], bad, left) == (["Björk", "Nena"], [], [3])


def test_texts_that_mean_nothing(tmp_path: Path) -> None:
    toml = """
blank = ["n/a", "Not found", "--"]
[match]
matched_at = "t"
artist = "a"
title = "b"
album = "c"
duration_seconds = "d"
"""
    ((match,), bad, _) = read(tmp_path, "t,a,b,c,d\n2026-03-14T08:00:00Z,Björk,Jóga,--,Not found\n", toml)

    assert set(match) == {"matched_at", "artist", "title", "track_id"}
    assert bad == []


def test_a_row_without_any_id_is_loaded_without_one_and_fails_where_people_see_it(tmp_path: Path) -> None:
    toml = '[match]\nmatched_at = "t"\nartist = "a"\ntitle = "b"\n'

    ((match,), bad, _) = read(tmp_path, "t,a,b\n2026-03-14T08:00:00Z,,News\n", toml)

    assert "track_id" not in match
    assert bad == []


def test_a_cell_that_holds_the_delimiter_unquoted_is_a_bad_row(tmp_path: Path) -> None:
    toml = '[match]\nmatched_at = "t"\nartist = "a"\ntitle = "b"\n'

    found, bad, _ = read(
        tmp_path, "t,a,b\n2026-03-14T08:00:00Z,Crosby, Stills,Helplessly\n2026-03-14T09:00:00Z,a,b,\n", toml
    )

    assert [each["title"] for each in found] == ["b"]
    advice = "put a cell that holds the delimiter in quotes, and each row on a line of its own"
    assert bad == [(2, f"the row has 4 cells and the header 3: {advice}")]


def test_a_byte_that_is_not_of_the_encoding_makes_a_bad_row(tmp_path: Path) -> None:
    toml = '[match]\nmatched_at = "t"\nartist = "a"\n'

    found, bad, _ = read(tmp_path, b"t,a\n2026-03-14T08:00:00Z,Bj\xf6rk\n2026-03-14T09:00:00Z,Nena\n", toml)

    assert [each["artist"] for each in found] == ["Nena"]
    ((line, problem),) = bad
    assert line == 2
    assert "which is not UTF-8: save the file as UTF-8, or name its encoding" in problem


FIXED = """
time_zone = "Europe/Zurich"
[fixed_width]
time = [1, 19]
artist = [21, 10]
title = [32, 20]
[match]
matched_at = "time"
artist = "artist"
title = "title"
"""


def test_columns_of_a_fixed_width(tmp_path: Path) -> None:
    log = f"2026-03-14 08:00:00 {'Björk':10} Jóga\n\n2026-03-14 08:05:05 {'Nena':10} 99 Luftballons  \n".encode()
    log += b"2026-03-14 09:00:00 Bj\xf6rk\n"

    found, bad, _ = read(tmp_path, log, FIXED)

    assert [(each["artist"], each["title"]) for each in found] == [("Björk", "Jóga"), ("Nena", "99 Luftballons")]
    assert [(line, "not UTF-8" in problem) for line, problem in bad] == [(4, True)]


def test_a_file_of_a_fixed_width_that_ends_within_a_row(tmp_path: Path) -> None:
    found, bad, _ = read(tmp_path, f"2026-03-14 08:00:00 {'Björk':10} Jóga\n2026-03-14 08:05:05 Nen", FIXED)

    assert ([each["title"] for each in found], [line for line, _ in bad]) == (["Jóga"], [2])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[1, 19]", "[0, 19]", "fixed_width.time: the first character is 0: it must be a whole number from 1"),
        ("[1, 19]", "19", "fixed_width.time is 19: it must be the first character from 1 and the number of characters"),
        ('"artist"\n', '"artits"\n', "the column is 'artits', which fixed_width does not have: its columns are 'time'"),
        ("time_zone", 'delimiter = ";"\ntime_zone', "the format has both fixed_width and delimiter"),
    ],
)
def test_a_mistake_in_the_widths_is_named(old: str, new: str, says: str) -> None:
    with pytest.raises(FormatError, match=re.escape(says)):
        check_columns(parse_format("f", FIXED.replace(old, new)))


def test_a_workbook_with_dates_and_clocks_as_excel_has_them(tmp_path: Path) -> None:
    toml = """
time_zone = "Europe/Zurich"
[match]
matched_at = { columns = ["Datum", "Zeit"], format = "%d.%m.%Y %H:%M:%S" }
station_id = { constant = "fm-1" }
artist = "Interpret"
title = "Titel"
duration_seconds = { column = "Länge", format = "h:mm:ss" }
[[skip]]
column = "Typ"
values = ["Jingle", "Werbung", ""]
"""
    book, content = openpyxl.Workbook(), io.BytesIO()
    day = date(2026, 3, 14)
    for row in (
        ["Radio Example"],
        ["Datum", "Zeit", "Typ", "Interpret", "Titel", "Länge"],
        [day, time(8, 0, 5), "Musik", "Björk", "Jóga", time(0, 5, 5)],
        [day, time(8, 5, 10), "Jingle", None, "Station", time(0, 0, 6)],
        ["14.03.2026", "08:05:16", "Musik", "Nena", "99 Luftballons", "0:03:53"],
        [None, None, None, None, "Total", None],
    ):
        book.active.append(row)
    book.save(content)

    found, bad, left = read(tmp_path, content.getvalue(), toml, "log.xlsx")

    assert found == [
        {
            "matched_at": "2026-03-14T07:00:05.000000+0000",
            "station_id": "fm-1",
            "artist": "Björk",
            "title": "Jóga",
            "duration_seconds": "305",
            "track_id": JOGA,
        },
        {
            "matched_at": "2026-03-14T07:05:16.000000+0000",
            "station_id": "fm-1",
            "artist": "Nena",
            "title": "99 Luftballons",
            "duration_seconds": "233",
            "track_id": NENA,
        },
    ]
    assert (bad, left) == ([], [4, 6])


SONGS = [
    {"at": "08:00:05", "title": "Jóga", "artist": "Björk"},
    {"at": "08:05:10", "title": "99 Luftballons", "artist": "Nena"},
]
SONG_FORMAT = """
time_zone = "UTC"
rows = "{rows}"
[match]
matched_at = {{ columns = ["{day}", "{rows}.at"], format = "%Y-%m-%d %H:%M:%S" }}
title = "{rows}.title"
artist = "{rows}.artist"
"""


@pytest.mark.parametrize(
    ("document", "path", "day"),
    [
        ([{"day": "2026-03-14", "songs": SONGS}], "songs", "day"),
        ([{"day": "2026-03-14", "songs": SONGS[:1]}, {"day": "2026-03-14", "songs": SONGS[1:]}], "songs", "day"),
        ([{"day": "2026-03-14", "songs": SONGS}, {"day": "2026-03-15", "songs": []}, {"day": "x"}], "songs", "day"),
        ({"programmes": [{"day": "2026-03-14", "songs": SONGS}]}, "songs", "day"),
        ({"programmes": [{"day": "2026-03-14", "songs": SONGS}]}, "programmes.songs", "programmes.day"),
        ({"days": [{"day": "2026-03-14", "hours": [{"songs": [each]} for each in SONGS]}]}, "hours.songs", "day"),
        ({"about": {"day": "2026-03-14"}, "data": {"songs": SONGS}}, "data.songs", "about.day"),
        ({"day": "2026-03-14", "songs": SONGS, "hosts": [{"name": "A"}]}, "songs", "day"),
    ],
)
def test_the_songs_in_the_lists_of_programmes(tmp_path: Path, document: object, path: str, day: str) -> None:
    toml = SONG_FORMAT.format(rows=path, day=day)
    found, bad, _ = read(tmp_path, json.dumps(document), toml, "a.json")

    assert [(each["matched_at"][:19], each["track_id"]) for each in found] == [
        ("2026-03-14T08:00:05", JOGA),
        ("2026-03-14T08:05:10", NENA),
    ]
    assert bad == []


def test_a_programme_whose_songs_are_something_else_is_no_programme_without_songs(tmp_path: Path) -> None:
    document = [{"day": "2026-03-14", "songs": SONGS}, {"day": "2026-03-14", "songs": "Jóga"}, {"day": 1, "songs": 5}]

    found, bad, _ = read(tmp_path, json.dumps(document), SONG_FORMAT.format(rows="songs", day="day"), "a.json")

    assert (len(found), len(bad)) == (2, 2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            json.dumps([{"day": "2026-03-14", "songs": SONGS}]),
            "has no list 'song', .*: the lists of objects there are 'songs'",
        ),
        (json.dumps([{"day": "2026-03-14", "song": 1}, {"day": "2026-03-14", "song": 2}]), "'song.at'"),
        (json.dumps([{"day": "2026-03-14", "songs": "x"}]), "its objects have no lists of objects"),
        ("day,at\n2026-03-14,08:00:05\n", 'is no JSON: the log format says rows = "song", which'),
    ],
)
def test_lists_that_a_file_does_not_have_are_named(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(RowsError, match=says):
        read(tmp_path, content, SONG_FORMAT.format(rows="song", day="day"), "a.json")


@pytest.mark.parametrize("before", [{}, {"station": {"id": "x"}, "tags": ["a"], "hosts": [{"name": "A"}]}])
@pytest.mark.parametrize(("rows", "prefix"), [('rows = "songs"', "songs."), ("", "")])
def test_a_document_of_any_size_whose_songs_are_in_one_long_list(
    tmp_path: Path, before: dict[str, object], rows: str, prefix: str
) -> None:
    songs = [{"at": 1_773_471_605 + n, "title": f"Song {n}", "artist": "A" * 10_000} for n in range(500)]
    document = {**(before if rows else {}), "songs": songs, "next": None}
    toml = f"""
{rows}
[match]
matched_at = {{ column = "{prefix}at", format = "unix" }}
title = "{prefix}title"
artist = "{prefix}artist"
"""
    found, bad, _ = read(tmp_path, "\n \n" + json.dumps(document), toml, "a.json")

    assert [each["title"] for each in found] == [each["title"] for each in songs]
    assert bad == []


@pytest.mark.parametrize("length", [10, 500])
def test_a_second_list_after_a_long_one_is_not_lost(tmp_path: Path, length: int) -> None:
    songs = [{"at": 1_773_471_605 + n, "title": f"Song {n}", "artist": "A" * 10_000} for n in range(500)]
    document = {"songs": songs, "jingles": songs[:length]}
    toml = 'rows = "songs"\n[match]\nmatched_at = { column = "songs.at", format = "unix" }\ntitle = "songs.title"'

    found, bad, _ = read(tmp_path, json.dumps(document), toml, "a.json")

    assert len(found) == 500
    (problem,) = [problem for _, problem in bad]
    assert "objects in a list after its long one" in problem
