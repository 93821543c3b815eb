"""A draft of a log format says what a file tells, and asks what it does not: a wrong guess would pay wrongly."""

import json
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.errors import CommandError
from playlog_cli.loading.formats.guessing.draft import QUESTION, draft_format, questions
from playlog_cli.loading.formats.guessing.sample import read_sample
from playlog_cli.loading.formats.model import FormatError
from playlog_cli.loading.formats.toml.parse import parse_format

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems


def draft(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return draft_format(read_sample(path, None), str(path))


def asked(toml: str) -> list[str]:
    return [line.removeprefix(QUESTION).strip() for line in toml.splitlines() if line.startswith(QUESTION)]


def test_a_draft_loads_once_its_questions_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    toml = draft(
        path,
        "Radio Example\n\nDatum;Uhrzeit;Künstler;Titel;Länge;Typ\n"
        "14.03.2026;23:59:10;Björk;Jóga;5:05;Musik\n15.03.2026;00:04:15;;Station;0:05;Jingle\n"
        "15.03.2026;00:04:20;Nena;99 Luftballons;3:53;Musik\n",
    )

    assert [question.split("?")[0] for question in asked(toml)] == [
        "in which time zone are the times",
        "which station is this",
        "which rows are no music",
    ]
    assert "'Musik' (2), 'Jingle' (1)" in toml
    assert "'14.03.2026 23:59:10' is 2026-03-14 23:59:10: 3 rows from 2026-03-14 to 2026-03-15, in order" in toml
    assert questions(toml) == 3
    for line in ('time_zone = "Europe/Berlin"', "station_id", "[[skip]]", 'column = "Typ"', 'values = ["Jingle"]'):
        toml = toml.replace(f"# {line}", line)
    rows = outcomes(path, toml)
    assert [(each["matched_at"][:19], each["artist"], each["duration_seconds"]) for each in matches(rows)] == [
        ("2026-03-14T22:59:10", "Björk", "305"),
        ("2026-03-14T23:04:20", "Nena", "233"),
    ]
    assert problems(rows) == []


def test_dates_that_can_be_read_in_two_ways_are_a_question_with_the_evidence(tmp_path: Path) -> None:
    toml = draft(tmp_path / "log.csv", "Time,Song,Artist\n03/04/2026 8:00 AM,a,b\n04/04/2026 9:00 PM,c,d\n")

    assert "the dates can be read in 2 ways. Keep one of these lines." in asked(toml)
    assert "is 2026-04-03 08:00:00: 2 rows from 2026-04-03 to 2026-04-04, in order" in toml
    assert "is 2026-03-04 08:00:00: 2 rows from 2026-03-04 to 2026-04-04, in order" in toml
    with pytest.raises(FormatError, match="match has no matched_at"):
        parse_format("draft.toml", toml)
    kept = toml.replace(
        '# matched_at = { column = "Time", format = "%m', 'matched_at = { column = "Time", format = "%m'
    )
    assert parse_format("draft.toml", kept).matched_at.format == "%m/%d/%Y %I:%M %p"


def test_one_day_above_twelve_decides_the_order_of_the_date(tmp_path: Path) -> None:
    toml = draft(tmp_path / "log.csv", "Time,Song,Artist\n03/04/2026 08:00,a,b\n03/14/2026 21:00,c,d\n")

    assert 'matched_at = { column = "Time", format = "%m/%d/%Y %H:%M" }' in toml.splitlines()


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["1773471605", "1773471905"], "unix"),
        (["1773471605000", "1773471905000"], "unix-ms"),
        (["2026-03-14T08:00:00+01:00", "2026-03-14T09:00:00+01:00"], "iso"),
        (["2026-03-14 08:00:00", "2026-03-14 09:00:00"], "iso"),
        (["14 Mar 2026 08:00", "15 Mar 2026 08:00"], "%d %b %Y %H:%M"),
        (["14.3.26, 8:05", "15.3.26, 8:10"], "%d.%m.%y, %H:%M"),
        (["Mar 14, 2026 8:05 pm", "Mar 15, 2026 9:05 am"], "%b %d, %Y %I:%M %p"),
    ],
)
def test_ways_to_write_a_time(tmp_path: Path, values: list[str], found: str) -> None:
    toml = draft(tmp_path / "log.tsv", "played at\ttitle\tartist\n" + "".join(f"{each}\ta\tb\n" for each in values))

    assert f'matched_at = {{ column = "played at", format = "{found}" }}' in toml.splitlines()
    assert ("in which time zone" in toml) == (found[:4] != "unix" and "+" not in values[0])


def test_an_encoding_is_asked_for_with_the_words_in_each(tmp_path: Path) -> None:
    toml = draft(tmp_path / "log.csv", "start;artist;title\n2026-03-14 08:00;Björk;Jóga\n".encode("mac-roman"))

    assert "the text is not UTF-8. Which of these reads right? Keep that encoding." in asked(toml)
    assert "mac-roman: 08:00;Björk;Jóga" in toml
    assert 'encoding = "cp1252"' in toml


def test_a_file_without_a_header_is_known_by_its_values(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    toml = draft(path, "2026-03-14 08:00:00|DE-TA8-15-00014|x\n2026-03-14 09:00:00|DETA81500015|y\n")

    assert "header = false" in toml
    assert 'matched_at = { column = 1, format = "iso" }' in toml
    assert "isrc = 2" in toml
    found = matches(outcomes(path, toml.replace("# time_zone", "time_zone")))
    assert [each["track_id"] for each in found] == ["DETA81500014", "DETA81500015"]


def test_json_by_the_paths_of_its_members(tmp_path: Path) -> None:
    rows = [{"played_at": 1773471605, "duration": 305, "song": {"title": "Jóga", "artist": "Björk", "id": "x"}}]
    for content in (json.dumps(rows), json.dumps({"total": 1, "rows": rows})):
        toml = draft(tmp_path / "history.json", content)

        assert 'matched_at = { column = "played_at", format = "unix" }' in toml
        assert 'artist = "song.artist"' in toml
        assert "time zone" not in toml
        (match,) = matches(outcomes(tmp_path / "history.json", toml))
        assert (match["title"], match["duration_seconds"]) == ("Jóga", "305")


HOUR = [{"at": f"08:{n:02}:00", "title": "Jóga", "artists": [{"name": "Björk"}, {"name": "B"}]} for n in range(9)]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([{"title": "Breakfast", "day": "2026-03-14", "songs": HOUR}, {"title": "News", "day": "2026-03-14"}], "songs"),
        ({"programmes": [{"title": "Breakfast", "day": "2026-03-14", "songs": HOUR}]}, "songs"),
        ({"total": 9, "day": "2026-03-14", "songs": HOUR}, "songs"),
        ({"days": [{"day": "2026-03-14", "hours": [{"songs": HOUR[:4]}, {"songs": HOUR[4:]}, {}]}]}, "hours.songs"),
        ({"day": "2026-03-14", "songs": [{**song, "text": "x" * 200_000} for song in HOUR]}, "songs"),
    ],
)
def test_the_songs_in_the_lists_of_programmes_are_rows_and_their_artists_are_none(
    tmp_path: Path, document: object, path: str
) -> None:
    toml = draft(tmp_path / "a.json", json.dumps(document))

    assert f'rows = "{path}"' in toml.splitlines()
    assert f"{path} has 9 members in " in toml
    found = matches(outcomes(tmp_path / "a.json", toml.replace("# time_zone", "time_zone")))
    assert [each["matched_at"][:19] for each in found] == [f"2026-03-14T07:{n:02}:00" for n in range(9)]
    assert {each["title"] for each in found} == {"Jóga"}


def test_what_stands_around_a_list_is_not_taken_for_what_its_members_lack(tmp_path: Path) -> None:
    songs = [{"at": f"2026-03-14T08:{n:02}:00Z", "song": "Jóga"} for n in range(9)]
    shows = [
        {"playlists": [{"title": "Breakfast", "artist": "Anna", "start": "2026-03-14T08:00:00Z", "played": songs}]}
    ]
    toml = draft(tmp_path / "a.json", json.dumps([*shows, {"playlists": [{"title": "News"}]}]))

    assert 'rows = "played"' in toml
    assert 'matched_at = { column = "played.at", format = "iso" }' in toml
    assert 'title = "played.song"' in toml
    assert "Anna" not in toml
    assert "artist = " not in toml
    assert any(question.startswith("which columns are artist and title") for question in asked(toml))


def test_times_in_two_columns_are_a_question(tmp_path: Path) -> None:
    rows = "".join(f"{1_773_471_605 + n * 60},14.03.2026,19:0{n}:05,Björk,Jóga,14.03.2026 19:00\n" for n in range(9))
    toml = draft(tmp_path / "log.csv", "timestamp,date,time,artist,title,end\n" + rows)

    assert 'matched_at = { column = "timestamp", format = "unix" }' in toml
    assert "other columns have times, too: date ('14.03.2026'), time ('19:00:05'). Is this the right one?" in asked(
        toml
    )


@pytest.mark.parametrize("start", ["timestamp,", ""])
def test_a_date_and_a_time_that_no_row_has_both_are_no_time(tmp_path: Path, start: str) -> None:
    rows = f"{'1773471605,' if start else ''}14.03.2026,,a,b\n{'1773471705,' if start else ''},19:00:05,a,b\n"
    toml = draft(tmp_path / "log.csv", f"{start}date,time,artist,title\n{rows}")

    assert any(line.startswith("matched_at") for line in toml.splitlines()) == bool(start)
    assert "other columns" not in toml


def test_rows_without_a_station_are_a_question(tmp_path: Path) -> None:
    rows = "2026-03-14T08:00:00Z,fm-1,Björk,Jóga\n2026-03-14T08:05:00Z,,Björk,Hunter\n"
    toml = draft(tmp_path / "log.csv", "time,station,artist,title\n" + rows)

    assert "1 row names no station: which is it? Name it with --station." in asked(toml)


def test_texts_that_mean_an_empty_cell_are_asked_about(tmp_path: Path) -> None:
    songs = "".join(f"2026-03-14T08:{minute:02}:00Z,Nena,a,{215_000 + minute}\n" for minute in range(50))
    rest = "2026-03-14T09:12:00Z,N/A,c,ohne\n2026-03-14T09:16:00Z,Nena,d,ohne\n"
    toml = draft(tmp_path / "log.csv", f"start,artist,title,duration_ms\n{songs}{rest}")

    assert "do these mean an empty cell? 'ohne' (2), 'N/A' (1)" in asked(toml)
    answered = toml.replace('# blank = ["ohne", "N/A"]', 'blank = ["ohne", "N/A"]')
    *_, last_but_one, last = matches(outcomes(tmp_path / "log.csv", answered))
    assert (last_but_one["title"], "artist" in last_but_one, "duration_seconds" in last_but_one) == ("c", False, False)
    assert (last["artist"], "duration_seconds" in last) == ("Nena", False)


def test_a_file_with_the_newest_row_first_is_told_also_where_rows_share_a_minute(tmp_path: Path) -> None:
    clocks = ["08:09", "08:05", "08:05", "08:02", "08:04", "08:00"]
    rows = "".join(f"2026-03-14 {clock},a,b,7\n" for clock in clocks)
    toml = draft(tmp_path / "log.csv", f"start,artist,title,station\n{rows}")

    assert "6 rows, newest first, going forward 1 time" in toml
    assert "#   stations here: '7'" in toml


def test_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Date", "Time", "Title", "Artist"], ["14.03.2026", "08:00", "Jóga", "Björk"]):
        book.active.append(row)
    book.save(tmp_path / "log.xlsx")

    toml = draft_format(read_sample(tmp_path / "log.xlsx", None), "log.xlsx")

    assert 'matched_at = { columns = ["Date", "Time"], format = "%d.%m.%Y %H:%M" }' in toml
    assert "delimiter" not in toml


def test_a_workbook_whose_first_sheet_is_a_cover(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["KILT log, March"])
    sheet = book.create_sheet("Lög")
    for row in (["Date", "Time", "Title", "Artist"], ["14.03.2026", "08:00", "Jóga", "Björk"]):
        sheet.append(row)
    book.save(tmp_path / "log.xlsx")

    toml = draft_format(read_sample(tmp_path / "log.xlsx", None), "log.xlsx")

    assert 'sheet = "Lög"' in toml
    (match,) = matches(
        outcomes(tmp_path / "log.xlsx", toml.replace('# time_zone = "Europe/Berlin"', 'time_zone = "UTC"'))
    )
    assert (match["title"], match["artist"]) == ("Jóga", "Björk")


def test_rows_without_a_time_and_columns_called_twice(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-14 08:{minute},a,b,c\n" for minute in range(10, 20))
    toml = draft(tmp_path / "log.csv", f"start,title,title,artist\n{rows}Total,2,,\n,2,,\n")

    assert "title = 2" in toml
    assert "1 row without a time, like '2'. Skip them?" in asked(toml)


def test_rows_that_share_their_time_are_asked_about(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-14T08:00:00Z,{number},b\n" for number in range(3))
    toml = draft(tmp_path / "log.csv", f"episode,title,artist\n{rows}2026-03-14T09:00:00Z,a,b\n")

    assert "4 rows have 2 times: is this the time of the row, or of a programme?" in asked(toml)


def test_a_letter_late_in_the_file_tells_the_encoding_too(tmp_path: Path) -> None:
    rows = b"2026-03-14 08:00,a,b\n" * 5_000

    toml = draft(tmp_path / "log.csv", b"start,title,artist\n" + rows + "2026-03-14 09:00,Jóga,c\n".encode("latin-1"))

    assert "cp1252: 09:00,Jóga,c" in toml


def test_an_encoding_that_a_byte_rules_out_is_not_proposed(tmp_path: Path) -> None:
    toml = draft(tmp_path / "log.csv", b"start,title,artist\n2026-03-14 08:00,J\x97ga,a\n2026-03-14 09:00,b,\x8d\n")

    assert "cp1252" not in toml
    assert 'encoding = "mac-roman"' in toml


def test_text_from_the_file_cannot_end_a_comment_or_act_on_a_terminal(tmp_path: Path) -> None:
    toml = draft(tmp_path / "log.csv", 'start,type,artist,title\n2026-03-14 08:00,"x\n[match]\x1b[2J",a,b\n')

    assert "\x1b" not in toml
    assert toml.count("\n[match]") == 1
    parse_format("draft.toml", toml)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (["Date;Artist;Title", "46095,33339;Björk;Jóga", "46095,34;Nena;99"], 'column = "Date"'),
        (["Date;Time;Artist;Title", "46095;0,33339;Björk;Jóga", "46095;0,34;Nena;99"], 'columns = ["Date", "Time"]'),
    ],
)
def test_day_numbers_of_excel(tmp_path: Path, rows: list[str], columns: str) -> None:
    path = tmp_path / "log.csv"
    toml = draft(path, "\n".join([*rows, ""]))

    assert f'matched_at = {{ {columns}, format = "excel" }}' in toml.splitlines()
    assert "is 2026-03-14 08:00:05: 2 rows from 2026-03-14 to 2026-03-14, in order" in toml
    found = outcomes(path, toml.replace("# time_zone", "time_zone"))
    assert [each["matched_at"][:19] for each in matches(found)] == ["2026-03-14T07:00:05", "2026-03-14T07:09:36"]
    wrong = outcomes(path, 'time_zone = "UTC"\n[match]\nmatched_at = { column = "Title", format = "excel" }')
    assert "it must be a time like '46095.7119'" in problems(wrong)[0][1]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("3:45", "m:ss"),
        ("0:03:45", "h:mm:ss"),
        ("00:03:45", "h:mm:ss"),
        ("00:45:00", "h:mm:ss"),
        ("225", "ss.fff"),
        ("225,5", "ss,fff"),
        ("225000", "milliseconds"),
    ],
)
@pytest.mark.parametrize("name", ["Dauer", "Durée", "Duración", "Played Duration (s)"])
def test_ways_to_write_a_duration(tmp_path: Path, name: str, written: str, found: str) -> None:
    toml = draft(tmp_path / "log.csv", f"start;title;artist;{name}\n" + f"2026-03-14 08:00;a;b;{written}\n" * 2)

    assert f'duration_seconds = {{ column = "{name}", format = "{found}" }}' in toml.splitlines()
    assert "is read as hours" not in toml


def test_minutes_and_seconds_that_a_spreadsheet_took_for_hours_are_a_question(tmp_path: Path) -> None:
    toml = draft(tmp_path / "log.csv", "start;title;artist;length\n" + "2026-03-14 08:00;a;b;03:45:00\n" * 2)

    assert "'03:45:00' is read as hours: did a row last that long?" in asked(toml)


@pytest.mark.parametrize(
    ("header", "artist", "title"),
    [
        ("Sendedatum;Interpret/Band;Musiktitel", "Interpret/Band", "Musiktitel"),
        ("Date de diffusion;Artiste;Titre", "Artiste", "Titre"),
        ("Fecha;Artista;Título", "Artista", "Título"),
        ("Datum;Interpret;Titel", "Interpret", "Titel"),
    ],
)
def test_names_of_columns_in_other_languages(tmp_path: Path, header: str, artist: str, title: str) -> None:
    toml = draft(tmp_path / "log.csv", f"{header}\n14.03.2026 08:00;Björk;Jóga\n")

    assert {f'artist = "{artist}"', f'title = "{title}"'} <= set(toml.splitlines())


def test_an_export_of_acrclouds_with_plausible_columns(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    toml = draft(
        path,
        "Date,Time,Channel,Title,Artists,Album,Label,ISRC,ACRID,Played Duration(s),Score\n"
        "2026-03-14,08:00:05,Radio Example,Jóga,Björk,Homogenic,OLI,GBAXY9700123,abc,73,100\n"
        "2026-03-14,08:05:05,Radio Example,99 Luftballons,Nena,Nena,,,abd,63,90\n",
    )

    found = outcomes(path, toml.replace("# time_zone", "time_zone"))
    assert [(each["matched_at"][:19], each["duration_seconds"], each["station_id"]) for each in matches(found)] == [
        ("2026-03-14T07:00:05", "73", "Radio Example"),
        ("2026-03-14T07:05:05", "63", "Radio Example"),
    ]
    assert questions(toml) == 1


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 20, b"a\0b,c\n", b"hello world\n", b"a,b\n", b'a,"b\n' * 3, b"PK\x03"]
)
def test_a_file_that_is_no_log_gives_questions(tmp_path: Path, content: bytes) -> None:
    assert asked(draft(tmp_path / "log.csv", content))


@pytest.mark.parametrize("content", [b"\0" * 500, b"PK\x03\x04", b"\xff\xfe\x00", b"\x1f\x8b\x08\x00"])
def test_a_file_that_is_no_text_is_a_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CommandError, match=r"log\.csv (is|seems|cannot)"):
        draft(tmp_path / "log.csv", content)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]", b'["a"]'])
def test_a_file_without_rows_says_so(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CommandError, match=r"log\.csv (is empty|holds no)"):
        draft(tmp_path / "log.csv", content)


@pytest.mark.parametrize("is_iso", [True, False])
def test_the_next_row_tells_no_duration_in_a_file_that_is_sorted_by_title(tmp_path: Path, is_iso: bool) -> None:
    hours = [8, 12, 9, 15, 10, 11, 7, 14]
    times = [f"2026-03-14 {hour:02}:00:00" if is_iso else f"14.03.2026 {hour:02}:00" for hour in hours]
    toml = draft(tmp_path / "a.csv", "Title,Time\n" + "".join(f"{n},{time}\n" for n, time in enumerate(times)))
    assert "going back 3 times" in toml
    assert "until_next" not in toml
    assert "The next row does not tell it: rows are not in the order of time." in toml

    toml = draft(tmp_path / "b.csv", "Title,Time\n" + "".join(f"{n},{time}\n" for n, time in enumerate(sorted(times))))
    assert "# duration_seconds = { until_next = 600 }" in toml


@pytest.mark.parametrize("names", [("iso_end_timestamp", "iso_start_timestamp"), ("playEnd", "playBegan")])
def test_a_start_is_the_time_of_a_row_and_not_an_end(tmp_path: Path, names: tuple[str, str]) -> None:
    toml = draft(tmp_path / "a.csv", f"Title,{names[0]},{names[1]}\na,2026-03-14T08:03:00Z,2026-03-14T08:00:00Z\n")

    assert f'matched_at = {{ column = "{names[1]}"' in toml


def test_artist_and_title_in_one_column_are_a_question_with_the_evidence(tmp_path: Path) -> None:
    names = ["Queen - Radio Ga Ga", "Sia - Alive", "Nena - 99 - Live", "Björk - Jóga", "Abba - Waterloo"]
    times = [f"2026-03-14 08:0{minute}:00" for minute in range(5)]
    toml = draft(tmp_path / "a.csv", "time,name\n" + "".join(map("{},{}\n".format, times, names)))

    question = "4 of 5 values have exactly one ' - ', like 'Queen - Radio Ga Ga': is part 1 the artist? If not, swap"
    assert any(each.startswith(question) for each in asked(toml))
    assert 'title = "name"' not in toml
    for attribute in ("artist", "title"):
        toml = toml.replace(f"# {attribute} =", f"{attribute} =")
    rows = outcomes(tmp_path / "a.csv", 'time_zone = "UTC"\n' + toml)
    assert (matches(rows)[0]["artist"], matches(rows)[0]["title"]) == ("Queen", "Radio Ga Ga")


def test_years_are_no_album(tmp_path: Path) -> None:
    toml = draft(tmp_path / "a.csv", "time,artist,title,release\n2026-03-14 08:00:00,Nena,99 Luftballons,1983\n")

    assert "album" not in toml
