"""A station's own log loads by a log format: a row that is read wrongly pays the wrong artist, or nobody."""

from pathlib import Path

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems, skipped

FORMAT = """
delimiter = ";"
time_zone = "Europe/Zurich"

[match]
matched_at = { columns = ["Datum", "Zeit"], format = "%d.%m.%Y %H:%M:%S" }
station_id = { constant = "fm-1" }
artist = "Interpret"
title = "Titel"
isrc = "ISRC"
duration_seconds = { column = "Länge", format = "m:ss" }

[[skip]]
column = "Typ"
values = ["Jingle*", "Werbung"]
"""
LOG = """\
Datum;Zeit;Interpret;Titel;Länge;ISRC;Typ
14.03.2026;08:00:00;Björk;Jóga;5:05;GB-AXY-97-00123;Musik
14.03.2026;08:05:05;;Station;0:05;;Jingle 3

14.03.2026;08:05:10;Björk;  Hunter ;4:15;;Musik
14.03.2026;8.09;Björk;Hunter;4:15;;Musik
"""


def test_columns_constants_local_times_and_ids_of_artist_and_title(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG)

    rows = outcomes(path, FORMAT)

    assert matches(rows) == [
        {
            "matched_at": "2026-03-14T07:00:00.000000+0000",
            "station_id": "fm-1",
            "artist": "Björk",
            "title": "Jóga",
            "isrc": "GB-AXY-97-00123",
            "duration_seconds": "305",
            "track_id": "GBAXY9700123",
        },
        {
            "matched_at": "2026-03-14T07:05:10.000000+0000",
            "station_id": "fm-1",
            "artist": "Björk",
            "title": "Hunter",
            "duration_seconds": "255",
            "track_id": "artist-title:044fefb641a9b57b43197463",
        },
    ]
    assert skipped(rows) == [3]
    assert problems(rows) == [
        (6, "matched_at is '14.03.2026 8.09': by the log format it must be a time like '14.03.2026 17:05:09'")
    ]


def test_artist_and_title_in_one_column_are_split_at_the_first_separator(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "time,name,\n2026-03-14 08:00:00,Queen  -  Under Pressure - Remastered,\n2026-03-14 08:04:00,Station ID,\n"
        "2026-03-14 08:04:10,News - Weather,\n2026-03-14 08:05:00,,\n2026-03-14 08:06:00,News - Queen -,\n"
    )

    rows = outcomes(
        path,
        """
time_zone = "UTC"
[match]
matched_at = "time"
artist = { column = "name", split = " - ", part = 1, values = { "Queen" = "Queen", "News" = "BBC" } }
title = { column = "name", split = " - ", part = 2, prefix = "The " }
[[skip]]
column = "name"
values = ["* - Weather"]
""",
    )

    assert [(each.get("artist"), each.get("title")) for each in matches(rows)] == [
        ("Queen", "The Under Pressure - Remastered"),
        (None, None),
        ("BBC", "The Queen -"),
    ]
    assert problems(rows) == [
        (
            3,
            "artist is part 1 of 'Station ID', which has no ' - ': if such rows are no music, skip them: "
            '[[skip]] column = "name" except = ["* - *"]',
        )
    ]
    assert skipped(rows) == [4]
