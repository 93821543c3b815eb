"""Files of the programs that stations use load as they come, by the formats that ship."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.loading.files.row import SkippedRow
from playlog_cli.loading.formats.catalog import find_format, shipped_formats

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems


def read(path: Path, name: str, station: str | None = "fm-1", skipped: int = 0) -> list[dict[str, str]]:
    """The matches of a file, of which this many rows are skipped by a rule and none is bad."""
    log_format = find_format(name)
    assert log_format
    rows = outcomes(path, replace(log_format, time_zone=ZoneInfo("Europe/Zurich")), station)
    assert problems(rows) == []
    assert sum(isinstance(row, SkippedRow) for row in rows) == skipped
    found = matches(rows)
    for each in found:
        assert each.pop("track_id").startswith("artist-title:") or each["isrc"]
    return found


@pytest.mark.parametrize("name", shipped_formats())
def test_each_format_says_what_it_reads_and_who_documents_its_columns(name: str) -> None:
    shipped = shipped_formats()[name]

    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert shipped.about.endswith(".")
    assert all(source.startswith("https://") or Path(source).exists() for source in shipped.sources)
    assert len(shipped.toml.splitlines()) <= 36, "a reader should see a format at once"
    assert (find_format(name) is None) == shipped.has_reader


def test_azuracast(tmp_path: Path) -> None:
    song = {"id": "9f3", "text": "Björk - Jóga", "artist": "Björk", "title": "Jóga", "album": "Homogenic", "isrc": ""}
    history = [
        {"sh_id": 4, "played_at": 1773472500, "duration": 0, "streamer": "Ana", "is_visible": True, "song": song},
        {"sh_id": 3, "played_at": 1773472300, "duration": 12, "playlist": "jingles", "is_visible": False, "song": song},
        {"sh_id": 2, "played_at": 1773471905, "duration": 305, "playlist": "day", "is_visible": True, "song": song},
        {
            "sh_id": 1,
            "played_at": 1773471600,
            "duration": 233,
            "is_visible": True,
            "song": {**song, "title": "Hunter", "isrc": "GBAXY9700124"},
        },
    ]
    expected = [
        {
            "matched_at": "2026-03-14T07:05:05.000000+0000",
            "station_id": "fm-1",
            "duration_seconds": "305",
            "artist": "Björk",
            "title": "Jóga",
            "album": "Homogenic",
        },
        {
            "matched_at": "2026-03-14T07:00:00.000000+0000",
            "station_id": "fm-1",
            "duration_seconds": "233",
            "artist": "Björk",
            "title": "Hunter",
            "album": "Homogenic",
            "isrc": "GBAXY9700124",
        },
    ]
    bare, page = tmp_path / "bare.json", tmp_path / "page.json"
    bare.write_text(json.dumps(history))
    page.write_text(json.dumps({"page": 1, "total": 4, "links": {"self": "/"}, "rows": history}, indent=2))

    assert read(bare, "azuracast", skipped=2) == expected, "a jingle and the song that is still playing are no plays"
    assert read(page, "azuracast", skipped=2) == expected


def test_an_older_azuracast_without_is_visible_and_isrc(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    song = {"text": "Björk - Jóga", "artist": "Björk", "title": "Jóga", "album": ""}
    path.write_text(json.dumps([{"sh_id": 1, "played_at": 1773471905, "duration": 305, "song": song}]))

    assert [each["title"] for each in read(path, "azuracast")] == ["Jóga"]


def test_azuracasts_timeline(tmp_path: Path) -> None:
    path = tmp_path / "fm-1_timeline_2026-03-14_00-00-00_to_2026-03-15_00-00-00.csv"
    path.write_text(
        "Date,Time,Listeners,Delta,Track,Artist,Playlist,Streamer\n"
        '2026-03-14,12:05am,3,0,"99 Luftballons",Nena,day,\n'
        "2026-03-14,12:10pm,3,-1,Jóga,Björk,,DJ\n"
    )

    assert read(path, "azuracast-csv") == [
        {
            "matched_at": "2026-03-13T23:05:00.000000+0000",
            "station_id": "fm-1",
            "artist": "Nena",
            "title": "99 Luftballons",
        },
        {"matched_at": "2026-03-14T11:10:00.000000+0000", "station_id": "fm-1", "artist": "Björk", "title": "Jóga"},
    ]


LIBRETIME = {
    "matched_at": "2026-03-14T07:00:00.000000+0000",
    "station_id": "fm-1",
    "duration_seconds": "305",
    "artist": "Björk",
    "title": 'Jóga, "live"',
    "album": "Homogenic",
    "isrc": "GBAXY9700123",
    "composers": "Björk, Sjón",
}


def test_libretimes_feed(tmp_path: Path) -> None:
    row = {
        "starts": "2026-03-14 08:00:00",
        "ends": "2026-03-14 08:05:05",
        "history_id": 7,
        "instance_id": 3,
        "track_title": 'Jóga, "live"',
        "artist_name": "Björk",
        "album_title": "Homogenic",
        "isrc_number": "GBAXY9700123",
        "composer": "Björk, Sjón",
        "checkbox": "",
    }
    of_a_web_stream = {
        **dict.fromkeys(row),
        "starts": "2026-03-14 09:00:00",
        "track_title": "Nena - 99 Luftballons",
        "artist_name": "Web Radio",
    }
    feed, default = tmp_path / "feed.json", tmp_path / "default.json"
    feed.write_text(json.dumps([row, of_a_web_stream]))
    default.write_text(json.dumps([{name: row[name] for name in ("starts", "ends", "track_title", "artist_name")}]))

    assert read(feed, "libretime") == [
        LIBRETIME,
        {
            "matched_at": "2026-03-14T08:00:00.000000+0000",
            "station_id": "fm-1",
            "artist": "Web Radio",
            "title": "Nena - 99 Luftballons",
        },
    ]
    assert read(default, "libretime") == [
        {name: value for name, value in LIBRETIME.items() if name not in ("album", "isrc", "composers")}
    ]


def test_libretimes_csv(tmp_path: Path) -> None:
    export, default = tmp_path / "export.csv", tmp_path / "default.csv"
    times = "2026-03-14,08:00:00,2026-03-14,08:05:05"
    export.write_text(
        "album_title,isrc_number,composer,startDate,startTime,endDate,endTime,title,artist\r\n"
        f'Homogenic,GBAXY9700123,"Björk, Sjón",{times},"Jóga, ""live""",Björk'
    )
    default.write_text(f'startDate,startTime,endDate,endTime,title,artist\r\n{times},"Jóga, ""live""",Björk')

    assert read(export, "libretime-csv") == [LIBRETIME]
    assert read(default, "libretime-csv") == [
        {name: value for name, value in LIBRETIME.items() if name not in ("album", "isrc", "composers")}
    ]


@pytest.mark.parametrize(
    ("name", "header", "last"),
    [("npr-ds", "Duration", "0:05:05"), ("npr-ds-end-time", "End time", "03/14/2026 08:05:05")],
)
def test_npr_digital_services(tmp_path: Path, name: str, header: str, last: str) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(
        f"Title\tArtist\tAlbum\tLabel\tStart Time\t{header}\ttrimmed\r\n"
        f'"Heroes" live\tBjörk\tHomogenic\tOne Little Indian\t03/14/2026 08:00:00\t{last}\t\r\n'.encode()
    )

    assert read(path, name) == [
        {
            "matched_at": "2026-03-14T07:00:00.000000+0000",
            "station_id": "fm-1",
            "duration_seconds": "305",
            "artist": "Björk",
            "title": '"Heroes" live',
            "album": "Homogenic",
            "label": "One Little Indian",
        }
    ]


def test_spinitron(tmp_path: Path) -> None:
    path = tmp_path / "playlist.csv"
    path.write_text(
        '"Playlist Title","Morning, with Ana"\n"DJ Name",Ana\n"Playlist Start Time","8:00:00 AM"\n\n'
        "Date-time,Artist,Song,Release,Label\n"
        "2026-03-14T08:00:00+0100,Björk,Jóga,Homogenic,One Little Indian\n2026-03-14 08:05:05,Nena,99 Luftballons,,\n"
    )

    assert read(path, "spinitron") == [
        {
            "matched_at": "2026-03-14T07:00:00.000000+0000",
            "station_id": "fm-1",
            "artist": "Björk",
            "title": "Jóga",
            "album": "Homogenic",
            "label": "One Little Indian",
        },
        {
            "matched_at": "2026-03-14T07:05:05.000000+0000",
            "station_id": "fm-1",
            "artist": "Nena",
            "title": "99 Luftballons",
        },
    ]


SUISA_2020 = [
    line.split("|")
    for line in (
        "Titel|Komponist|Interpret|Interpreten-Info|Sender|Sendedatum|Sendedauer|Sendezeit|ISRC|Label|EAN/GTIN|"
        "Titel des Tonträgers (Albumtitel)",
        "Jóga|Björk, Sjón|Björk||Radio Example|20260314|0:05:05|08:00:00|GBAXY9700123|OLI||Homogenic",
    )
]


SUISA = [
    line.split("|")
    for line in (
        "Sender|Titel des Musikwerks|Name des Komponisten|Interpret(en)|Sendedatum|Sendedauer|Sendezeit|ISRC|Label|"
        "EAN / GTIN|Albumtitel / Titel des Tonträgers",
        "Radio Example|Jóga|Björk, Sjón|Björk|2026-03-14|0:05:05|08:00:00|GBAXY9700123|OLI||Homogenic",
    )
]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(("name", "table"), [("suisa", SUISA), ("suisa-2020", SUISA_2020)])
def test_suisas_list(tmp_path: Path, kind: str, name: str, table: list[list[str]]) -> None:
    path = tmp_path / f"list.{kind}"
    if kind == "csv":
        path.write_text("\n".join(",".join(f'"{cell}"' for cell in row) for row in table))
    else:
        book = openpyxl.Workbook()
        for number, row in enumerate(table):
            book.active.append(row)
            if number:  # the date is one of the spreadsheet, and the time a text
                column = table[0].index("Sendedatum") + 1
                book.active.cell(number + 1, column).value = date(2026, 3, 14)
        book.save(path)

    assert read(path, name, station=None) == [
        {
            "matched_at": "2026-03-14T07:00:00.000000+0000",
            "station_id": "Radio Example",
            "duration_seconds": "305",
            "artist": "Björk",
            "title": "Jóga",
            "isrc": "GBAXY9700123",
            "label": "OLI",
            "album": "Homogenic",
            "composers": "Björk, Sjón",
        }
    ]


def test_rivendells_bmi_report(tmp_path: Path) -> None:
    path = tmp_path / "emr.txt"
    row = (
        f"FMDT{'WXYZ':40}FM{'AAA':25}202603012026031408:00:00000000001{'Jóga':40}{'Björk':40}{'Björk, Sjón':40}"
        f"00:05:05{'':11}{'GBAXY9700123':>12}F1{'':22}"
    )
    jingle = row.replace("08:00:00", "08:05:05").replace("F1  ", "JP  ")
    path.write_bytes(f"HEDRSTAWXYZ\r\n{row}\r\n{jingle}\r\nTRLR000000000004\r\n".encode())

    assert read(path, "rivendell-bmi", skipped=3) == [
        {
            "matched_at": "2026-03-14T07:00:00.000000+0000",
            "station_id": "fm-1",
            "duration_seconds": "305",
            "artist": "Björk",
            "title": "Jóga",
            "composers": "Björk, Sjón",
            "isrc": "GBAXY9700123",
        }
    ]


def test_rivendells_music_playout_report(tmp_path: Path) -> None:
    path = tmp_path / "music.txt"
    title = "Rivendell RDAirPlay Music Playout Report for 03/14/26"
    columns = "--Time--  -Cart-  Cut  A-Len  --Title-----------------------   --Artist----------------------   --Album"
    row = f"08:00:00  010123  001  05:05  {'Jóga':30}   {'Björk':30}   {'Homogenic':25}   {'One Little Indian':20}"
    macro = f"08:05:05  050001       00:00  {'Open the microphone':30}   {'':30}   {'':25}   {'':20}"
    path.write_text(f"{title:^144}\n{'Music -- of the day':^144}\n{columns}\n{row}\n{macro}\n")

    assert read(path, "rivendell-music", skipped=4) == [
        {
            "matched_at": "2026-03-14T07:00:00.000000+0000",
            "station_id": "fm-1",
            "duration_seconds": "305",
            "artist": "Björk",
            "title": "Jóga",
            "album": "Homogenic",
            "label": "One Little Indian",
        }
    ]

    several_days = path.read_text().replace("03/14/26", "03/14/26 - 03/15/26")
    path.write_text(several_days)
    log_format = find_format("rivendell-music")
    assert log_format
    rows = outcomes(path, replace(log_format, time_zone=ZoneInfo("Europe/Zurich")), "fm-1")
    assert (matches(rows), [line for line, _ in problems(rows)]) == ([], [4])


def test_rivendells_technical_playout_report(tmp_path: Path) -> None:
    path = tmp_path / "technical.txt"
    title = "Rivendell RDAirPlay Technical Playout Report for 03/14/26"
    columns = "--Time--  -Cart-  Cut  --Title----------------  A-Len  N-Len  --Host----  Srce  StartedBy  OnAir"
    row = f"08:00:00  010123  001  {'Jóga':23}  05:05  05:06  {'studio-1':10}  Main   Play     Yes "
    macro = f"08:05:05  050001  rml  {'Open the microphone':23}  00:00  00:00  {'studio-1':10}  Main   Play     No  "
    path.write_text(f"{title:^96}\r\n{'Day':^96}\r\n{columns}\r\n{row}\r\n{macro}\r\n")
    log_format = find_format("rivendell-technical")
    assert log_format

    rows = outcomes(path, replace(log_format, time_zone=ZoneInfo("Europe/Zurich")), "fm-1")

    assert (matches(rows), problems(rows)) == (
        [
            {
                "matched_at": "2026-03-14T07:00:00.000000+0000",
                "station_id": "fm-1",
                "duration_seconds": "305",
                "title": "Jóga",
                "track_id": "010123",
            }
        ],
        [],
    )
