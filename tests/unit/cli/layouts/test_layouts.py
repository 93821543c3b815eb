"""A file for a society has what its layout says, and the log format of the same name reads it back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.errors import CommandError
from playlog_cli.layouts.cells import Cells
from playlog_cli.layouts.fields import Surroundings
from playlog_cli.layouts.finding import about, find_layout, shipped_layouts
from playlog_cli.layouts.parse import parse_layout
from playlog_cli.layouts.rows import rows_of
from playlog_cli.layouts.writing import LaidOut, findings_in_words, parse_settings
from playlog_cli.loading.files.row import Row
from playlog_cli.loading.files.rows import read_rows
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.formats.catalog import find_format
from playlog_cli.loading.formats.model import FormatError
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.reporting.listing.sorting import sorted_plays

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems

ZONE = ZoneInfo("Europe/Zurich")
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1), ZONE)
NOON = datetime(2026, 3, 14, 11, tzinfo=UTC)
CATALOG = Catalog(
    [
        Entry(
            "t",
            "Snow | ^Rain",
            "Zoé",
            "Winter",
            "Fjord",
            "USAB12345678",
            "A. Ferrant",
            more={"performances": "12", "own_recording": "nein"},
        ),
        Entry("u", '"Tea",\tnow', "Łukasz", composers="B"),
    ]
)
SETTINGS = {"service": "WXYZ-FM", "category": "A", "station": "Radio X", "tuning_hours": "12.5"}


def play(
    track: str = "t", minute: int = 0, station: str = "fm-1", seconds: str = "183", source: str = "Streaming"
) -> ListedPlay:
    at = NOON + timedelta(minutes=minute)
    return ListedPlay(
        at, station, f"{at}#{track}", track, "", source, at, Decimal(seconds), 1, None, False, True, False
    )


@contextmanager
def laid_out(name: str, plays: Sequence[ListedPlay], catalog: Catalog = CATALOG) -> Iterator[LaidOut]:
    layout, _ = find_layout(name)
    given_settings = [f"{each}={SETTINGS[each]}" for each in layout.settings]
    with sorted_plays(plays) as in_order:
        yield LaidOut(in_order, catalog, layout, Surroundings(MARCH, parse_settings(layout, given_settings)))


def file_of(made: LaidOut, folder: Path) -> Path:
    """The file, written."""
    path = made.path(folder, made.check())
    made.write(path)
    return path


def written(
    name: str, plays: Sequence[ListedPlay], folder: Path, catalog: Catalog = CATALOG
) -> tuple[str, list[str], list[str]]:
    """The file's name, its lines, and what was found."""
    with laid_out(name, plays, catalog) as made:
        found = made.check()
        path = file_of(made, folder)
        text = path.read_bytes().decode(made.layout.encoding)
        assert text.endswith("\r\n")
        return path.name, text.removesuffix("\r\n").split("\r\n"), findings_in_words(made.layout, found)


@pytest.mark.parametrize("name", shipped_layouts())
def test_each_layout_says_what_it_is_for_and_names_its_sources(name: str) -> None:
    toml = shipped_layouts()[name]
    assert about(toml).endswith(".")
    assert "sources = [" in toml


def test_soundexchange_with_actual_total_performances(tmp_path: Path) -> None:
    plays = [play(), play(minute=5), play("u"), play("u", source="Radio")]
    assert written("soundexchange", plays, tmp_path) == (
        "WXYZ-FM20260301-20260331.txt",
        [
            "^WXYZ-FM^|^A^|^ZOE^|^SNOW RAIN^|^USAB12345678^|^WINTER^|^FJORD^|12",
            '^WXYZ-FM^|^A^|^?UKASZ^|^"TEA", NOW^|^^|^^|^^|',
        ],
        [
            "soundexchange: 2 rows",
            "left out: 1 plays: SoundExchange collects for digital transmissions, and these were heard over the air",
            "missing: ACTUAL_TOTAL_PERFORMANCES: 1 of 2 rows, 1 plays",
            "missing: ISRC or ALBUM_TITLE and MARKETING_LABEL: 1 of 2 rows, 1 plays",
            "missing: characters that ascii does not have: they become ?: 1 of 2 rows, 1 plays",
        ],
    )


def test_soundexchange_with_tuning_hours_counts_the_plays_of_each_channel(tmp_path: Path) -> None:
    _, lines, found = written("soundexchange-ath", [play(), play(minute=5), play(station="fm-2")], tmp_path)
    assert [line.rpartition("^FJORD^|")[2] for line in lines] == ["|12.5|^FM-1^|2", "|12.5|^FM-2^|1"]
    assert found == ["soundexchange-ath: 2 rows"]


@pytest.mark.parametrize("entry", [Entry("t", "A", "B", isrc="USAB12345678"), Entry("t", "A", "B", "Winter", "Fjord")])
def test_soundexchange_needs_an_isrc_or_album_and_label(tmp_path: Path, entry: Entry) -> None:
    _, _, found = written("soundexchange-ath", [play()], tmp_path, Catalog([entry]))
    assert found == ["soundexchange-ath: 1 row"]


def test_suisas_list_has_local_dates_and_times(tmp_path: Path) -> None:
    name, lines, found = written("suisa", [play(seconds="3661.5"), play("u", 1), play("without a title")], tmp_path)
    assert name == "RadioX_20260301-20260331.csv"
    assert lines == [
        "Sender,Titel des Musikwerks,Name des Komponisten,Interpret(en),Sendedatum,Sendedauer,Sendezeit,ISRC,Label,"
        "Identifikationsnummer,Eigenaufnahmen,EAN / GTIN,Albumtitel / Titel des Tonträgers,Aufnahmedatum,Aufnahmeland,"
        "Erstveröffentlichungsdatum,Katalog-Nummer / CD ID,Werkverzeichnisangaben,Bestellnummer,Veröffentlichungsland,"
        "Liveaufnahme",
        "Radio X,Snow | ^Rain,A. Ferrant,Zoé,2026-03-14,01:01:02,12:00:00,USAB12345678,Fjord,t,nein,,Winter,,,,,,,,",
        'Radio X,"""Tea"",\tnow",B,Łukasz,2026-03-14,00:03:03,12:01:00,,,u' + "," * 11,
    ]
    assert found[1] == "left out: 1 plays: SUISA cannot assign a play without a title"
    assert "missing: Eigenaufnahmen: 1 of 2 rows, 1 plays" in found


def test_suisas_list_up_to_2025(tmp_path: Path) -> None:
    _, lines, found = written("suisa-2020", [play(seconds="3661.5"), play("u", 1), play("without a title")], tmp_path)
    assert lines[1:] == [
        "Snow | ^Rain,A. Ferrant,Zoé,,Radio X,20260314,01:01:02,12:00:00,,USAB12345678,Fjord,,,,,Winter,,,,,,,,,t",
        '"""Tea"",\tnow",B,Łukasz,,Radio X,20260314,00:03:03,12:01:00' + "," * 17 + "u",
    ]
    assert found[1] == "left out: 1 plays: SUISA cannot assign a play without a title"


def test_npr_ds_has_tabs_and_no_quotes_and_one_station(tmp_path: Path) -> None:
    name, lines, _ = written("npr-ds", [play(), play("u", 1)], tmp_path)
    assert name == "fm-1_20260301-20260331.txt"
    assert lines == [
        "Title\tArtist\tAlbum\tLabel\tStart Time\tDuration",
        "Snow | ^Rain\tZoé\tWinter\tFjord\t03/14/2026 12:00:00\t0:03:03",
        '"Tea", now\tŁukasz\t\t\t03/14/2026 12:01:00\t0:03:03',
    ]
    with (
        laid_out("npr-ds", [play(), play(station="fm-2")]) as made,
        pytest.raises(CommandError, match="one file for each station"),
    ):
        made.check()
    with laid_out("npr-ds", []) as made, pytest.raises(CommandError, match="there are no plays: the layout npr-ds"):
        made.check()


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@settings(max_examples=15)
@pytest.mark.parametrize("name", ["suisa", "suisa-2020", "npr-ds"])
@given(
    st.lists(
        st.tuples(st.integers(0, 30), NAMES, NAMES, st.integers(1, 9000)),
        min_size=1,
        max_size=5,
        unique_by=lambda row: row[0],
    )
)
def test_the_log_format_of_the_same_name_reads_the_file_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, rows: list[tuple[int, str, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("layout")
    entries = [Entry(f"t-{minute}", title, artist, "Album", "Label") for minute, title, artist, _ in rows]
    plays = [play(f"t-{minute}", minute, seconds=str(seconds)) for minute, _, _, seconds in rows]
    with laid_out(name, plays, Catalog(entries)) as made:
        path = file_of(made, folder)
    log_format = find_format(name)
    assert log_format
    read = outcomes(path, replace(log_format, time_zone=ZONE), "fm-1")
    assert problems(read) == []
    assert [
        (each["title"], each["artist"], each["duration_seconds"], each["matched_at"]) for each in matches(read)
    ] == [
        (title, artist, str(seconds), (NOON + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000"))
        for minute, title, artist, seconds in sorted(rows)
    ]


def test_playlog_load_reads_the_plain_layout_back(tmp_path: Path) -> None:
    with laid_out("playlog", [play(), play("u", 1)]) as made:
        path = file_of(made, tmp_path)
    with opened(path) as source:
        rows = [row for row in read_rows(source) if isinstance(row, Row)]
    assert [(row.values["matched_at"], row.values["track_id"], row.values["title"]) for row in rows] == [
        ("2026-03-14T12:00:00+01:00", "t", "Snow | ^Rain"),
        ("2026-03-14T12:01:00+01:00", "u", '"Tea",\tnow'),
    ]


LAYOUT = 'file_name = "x.csv"\n[[column]]\nname = "A"\nfield = "title"\n'


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("", "the layout has no column: head each one with"),
        ("delimeter = 1\n" + LAYOUT, "the layout has a key 'delimeter' that means nothing: did you mean delimiter?"),
        (LAYOUT.replace("title", "tilte"), "column 'A': field is 'tilte': a row of one play has played_at,"),
        (
            'row = "track"\n' + LAYOUT.replace("title", "played_at"),
            "column 'A': field is 'played_at': a row of one track has",
        ),
        (LAYOUT.replace("title", "setting.x"), "column 'A': field is 'setting.x', which [settings] does not name"),
        (LAYOUT + 'format = "%Y"\n', "column 'A': only times and durations have a format"),
        (
            LAYOUT.replace("title", "duration") + 'format = "hh"\n',
            "column 'A': format is 'hh': it must be one of seconds",
        ),
        (
            LAYOUT.replace("x.csv", "{station_id}.csv"),
            "file_name has '{station_id}': the parts in braces may be from, to",
        ),
        (LAYOUT.replace("x.csv", "../x.csv"), "file_name is '../x.csv': it must be a name with parts"),
        ('delimiter = ";;"\n' + LAYOUT, "delimiter is ';;': it must be one character"),
        ('encoding = "utf-9"\n' + LAYOUT, "encoding is 'utf-9'"),
        ('quote = ""\nquoting = "texts"\n' + LAYOUT, "quote and quoting contradict each other"),
        (LAYOUT + '[[require]]\none_of = [["A"], ["B"]]\n', "require 1: one_of names 'B': there is no such column"),
        (LAYOUT + '[[leave_out]]\nfield = "title"\nwhy = "x"\n', "leave_out 1 must have one of values"),
        (LAYOUT.replace("title", "catalog.Title"), "column 'A': field is 'catalog.Title': write 'title'"),
        (LAYOUT.replace("title", "catalog.payee"), "column 'A': field is 'catalog.payee': it must name another column"),
        ('quote = ","\n' + LAYOUT, "quote is ',': it must be another character than the delimiter"),
        ('delimiter = "tab"\nquote = "\\t"\n' + LAYOUT, "quote is '\\t': it must be another character"),
        ('encoding = "idna"\n' + LAYOUT, "encoding is 'idna': it must be one for files of text"),
        (
            'encoding = "ascii"\n' + LAYOUT.replace('"A"', '"Ä"'),
            "column 'Ä': the encoding ascii does not have these characters",
        ),
        ('quote = ""\n' + LAYOUT.replace('"A"', '"A,B"'), "column 'A,B': its name must not have ','"),
        (
            LAYOUT + '[[leave_out]]\nfield = "title"\nbelow = 3\nwhy = "x"\n',
            "leave_out 1: field is 'title': below needs a number: duration",
        ),
        (
            LAYOUT.replace("title", "played_at") + 'format = "%d.%Q"\n',
            "column 'A': format is '%d.%Q': '%Q' is no code of strftime: write codes like",
        ),
        (LAYOUT.replace("title", "from") + 'format = "%"\n', "column 'A': format is '%': '%' is no code"),
        (LAYOUT.replace("x.csv", "{from:%E}.csv"), "file_name: format is '%E': '%E' is no code"),
        ('[settings]\na = "b"\n[x]', "the layout has a key 'x'"),
        (
            LAYOUT + '[[leave_out]]\nfield = "source"\nvalues = ["radio"]\nwhy = "x"\n',
            "leave_out 1: values has 'radio': source is Radio or Streaming",
        ),
        (
            LAYOUT + '[[leave_out]]\nfield = "flagged"\nvalues = ["True"]\nwhy = "x"\n',
            "leave_out 1: values has 'True': flagged is true or false",
        ),
        (LAYOUT + "[settings.a]\nabout = 'b'\nvalues = 3\n", "settings: a: values is 3"),
        (LAYOUT + "[settings.a]\nvalues = ['b']\n", "settings: a: about is missing"),
        (LAYOUT + LAYOUT.partition("\n")[2], "two columns are named 'A': each column needs a name of its own"),
    ],
)
def test_a_mistake_in_a_layout_is_named(toml: str, says: str) -> None:
    with pytest.raises(FormatError) as raised:
        parse_layout("mine", toml)
    assert str(raised.value).startswith(says)


def test_a_text_in_the_place_of_a_number_stays_one_cell(tmp_path: Path) -> None:
    catalog = Catalog([Entry("t", "Snow", "Zoé", "Winter", "Fjord", more={"performances": "1|2\r\n^3"})])
    _, lines, found = written("soundexchange", [play()], tmp_path, catalog)
    assert lines == ["^WXYZ-FM^|^A^|^ZOE^|^SNOW^|^^|^WINTER^|^FJORD^|^12 3^"]
    assert "missing: a number as ACTUAL_TOTAL_PERFORMANCES: 1 of 1 rows, 1 plays" in found


def test_a_column_of_the_catalog_is_found_whatever_its_case() -> None:
    layout = parse_layout("mine", LAYOUT.replace("title", "catalog.EAN"))
    with sorted_plays([play()]) as plays:
        made = LaidOut(plays, Catalog([Entry("t", more={"ean": "12"})]), layout, Surroundings(MARCH, {}))
        cells = Cells(layout, made.around)
        assert [cells.line(row) for row in rows_of(plays, made.catalog, layout, made.around)] == ["12\r\n"]


@pytest.mark.parametrize(
    "condition",
    ['values = ["true"]\nfield = "flagged"', 'below = 184\nfield = "duration"', 'blank = true\nfield = "catalog.ean"'],
)
def test_plays_are_left_out_by_each_kind_of_rule(condition: str) -> None:
    layout = parse_layout("mine", f'{LAYOUT}[[leave_out]]\nwhy = "not for us"\n{condition}\n')
    kept = Catalog([Entry("v", "Hail", more={"ean": "1"})])
    plays = [play()._replace(flagged=True), play("v", seconds="184")]
    with sorted_plays(plays) as in_order:
        found = LaidOut(in_order, kept, layout, Surroundings(MARCH, {})).check()
    assert (found.rows, found.left_out) == (1, {"not for us": 1})


def test_a_setting_that_is_missing_or_unknown_is_named() -> None:
    layout, _ = find_layout("soundexchange")
    with pytest.raises(CommandError, match="needs --set category=… \\(the category transmission code"):
        parse_settings(layout, ["service=X"])
    with pytest.raises(CommandError, match="--set is 'x=1': the layout soundexchange takes service=…, category=…"):
        parse_settings(layout, ["x=1"])
    with pytest.raises(CommandError, match="--set category is 'Z': it must be one of A, B, C, H, I, J, K \\(the cat"):
        parse_settings(layout, ["service=X", "category=Z"])
    layout, _ = find_layout("soundexchange-ath")
    with pytest.raises(CommandError, match="--set tuning_hours is '1,5': it must be a number, like"):
        parse_settings(layout, ["service=X", "category=A", "tuning_hours=1,5"])
    with pytest.raises(CommandError, match="--layout is 'gema': it must be the path of a TOML file, or one of npr-ds,"):
        find_layout("gema")
