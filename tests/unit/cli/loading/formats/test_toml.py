"""A log format that is wrong says which key, and what would be right, before a row is loaded."""

from pathlib import Path

import pytest
from playlog_cli.errors import CommandError
from playlog_cli.loading.files.row import RowsError
from playlog_cli.loading.formats.catalog import find_format
from playlog_cli.loading.formats.choice import chosen_format
from playlog_cli.loading.formats.model import FormatError
from playlog_cli.loading.formats.toml.parse import parse_format

from tests.unit.cli.loading.formats.logs import outcomes

TIME = '[match]\nmatched_at = "t"\n'


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[match", "this is not TOML: "),
        ("", "match is missing: write [match] and below it where each attribute comes from"),
        ("match = 1", "match is 1: write [match]"),
        ("[match]", "match has no matched_at: say where the time comes from"),
        ('delimeter = ";"\n' + TIME, "the format has a key 'delimeter' that means nothing: did you mean delimiter?"),
        ('delimiter = ";;"\n' + TIME, 'delimiter is \';;\': it must be one character, like ";", or "tab"'),
        ("quote = true\n" + TIME, 'quote is true: it must be one character, or ""'),
        ('encoding = "latin-9000"\n' + TIME, "encoding is 'latin-9000': it must be the name of an encoding"),
        ('encoding = "base64"\n' + TIME, "encoding is 'base64': it must be the name of an encoding"),
        ('header = "no"\n' + TIME, "header is 'no': it must be true or false"),
        ("skip_lines = -1\n" + TIME, "skip_lines is -1: it must be a whole number from 0 to 1,000"),
        ('time_zone = "CEST"\n' + TIME, "time_zone is 'CEST': it must be a name of the IANA time zone database"),
        ('ambiguous = "both"\n' + TIME, "ambiguous is 'both': it must be 'earlier' or 'later' or 'error'"),
        ('file_name = "log.csv"\n' + TIME, "file_name is 'log.csv': it must name each part once, in braces"),
        ('file_name = "{a}{a}"\n' + TIME, "it must name each part once"),
        ('track_from = ["id"]\n' + TIME, "track_from is 'id': it must be 'isrc' or 'track_id' or 'artist-title'"),
        ('skip = "x"\n' + TIME, "skip is not a list of tables: head each rule with [[skip]]"),
        (TIME + '[[skip]]\ncolumn = "a"', "skip rule 1 must have either values"),
        (TIME + '[[skip]]\ncolumn = "a"\nvalues = "x"', "skip rule 1: values is 'x': it must be a list of texts"),
        (TIME + '[[skip]]\nvalues = ["x"]', "skip rule 1: column is missing: it must be a column"),
        (TIME + "[heading]\npart = 1", "heading is not a list of tables: head each rule with [[heading]]"),
        (TIME + '[[heading]]\npart = "a b"', "heading rule 1: part is 'a b': it must be a word"),
        (TIME + '[[heading]]\npart = "d"\nformat = "%H:%M"', "heading rule 1: format is '%H:%M': it must be that of a"),
        (TIME + '[[heading]]\npart = "d"\nformat = "%d.%m.%Y"', "heading rule 1: column is missing: it must be a"),
        ("[match]\nmatched_at = 0", "matched_at is 0: it must be a column, by its name"),
        ('[match]\nmatched_at = { format = "iso" }', "matched_at must have either column or columns"),
        ('[match]\nmatched_at = { column = "t", format = "%H:%M" }', "which has no date: join the columns of date and"),
        ('[match]\nmatched_at = { column = "t", format = "%d.%m.%Y" }', "which does not say the time of the day"),
        ('[match]\nmatched_at = { column = "t", format = "%d.%m.%Y %I:%M" }', "a 12-hour clock %I:%M %p"),
        ('[match]\nmatched_at = { column = "t", format = "%d.%m.%Y %H:%Q" }', "which cannot be used"),
        ('[match]\nmatched_at = { column = "t", format = "%d.%d.%Y %H:%M" }', "which cannot be used"),
        ('[match]\nmatched_at = { column = "t", format = "%Y-%m-%d %H:%M %Z" }', "%Z is not safe"),
        ('[match]\nmatched_at = { column = "t", format = "dd.mm.yyyy" }', "it must be of strptime"),
        (TIME + "processed_at = 1", "match has processed_at, which playlog writes: leave it out"),
        (TIME + "processed = 1", "match has processed, which playlog writes: leave it out"),
        (TIME + '"" = 1', "match has an attribute without a name"),
        (TIME + 'title = { column = "a", format = "x" }', "title has a key 'format' that means nothing"),
        (TIME + "title = { columns = [] }", "title.columns is []: it must be a list of columns"),
        (TIME + 'title = { constant = "a", prefix = "b" }', "title with a constant has a key 'prefix'"),
        (TIME + 'source = { column = "a", values = {} }', "source.values is {}: it must be a table of texts"),
        (
            TIME + 'time_zone = "UTC"',
            "time_zone stands below [match], and belongs to the whole format: move its line to",
        ),
        (
            TIME + '[[skip]]\ncolumn = "a"\nvalues = ["b"]\ntime_zone = "UTC"',
            "time_zone stands below skip rule 1, and belongs to the whole format: move its line to the top, above",
        ),
        (
            "time_zone = America/Chicago # local\n" + TIME,
            'put the text in quotes, like time_zone = "America/Chicago"',
        ),
        ("delimiter = ;\n" + TIME, 'put the text in quotes, like delimiter = ";"'),
        (TIME + 'title = { column = "a", split = " - " }', "title must have both split and part: split = "),
        (
            TIME + 'title = { column = "a", split = " - ", part = 3 }',
            "title.part is 3: it must be a whole number from 1",
        ),
        (TIME + 'title = { column = "a", split = "", part = 1 }', "title.split is '': it must be a text, like"),
        (TIME + 'duration_seconds = { constant = "3:00" }', "duration_seconds.constant is '3:00': it must be a number"),
        (
            TIME + "duration_seconds = { constant = 0 }",
            "duration_seconds.constant is 0: it must be a number of seconds",
        ),
        (TIME + "duration_seconds = {}", "duration_seconds must have one of column"),
        (TIME + 'duration_seconds = { column = "a", end = "b" }', "but has column and end"),
        (
            TIME + 'duration_seconds = { column = "a", format = "mm:ss" }',
            "duration_seconds.format is 'mm:ss': it must",
        ),
        (TIME + "duration_seconds = { until_next = 0 }", "duration_seconds.until_next is 0: it must be a whole number"),
    ],
)
def test_a_wrong_format_says_which_key_and_what_would_be_right(toml: str, problem: str) -> None:
    with pytest.raises(FormatError) as wrong:
        parse_format("a.toml", toml)

    assert problem in str(wrong.value)


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ('[match]\nmatched_at = "{day}"', "the column {day} is a part that neither file_name nor a heading has"),
        ('header = false\n[match]\nmatched_at = "t"', "the column is 't', but header is false: name columns by their"),
    ],
)
def test_columns_that_no_file_can_have(tmp_path: Path, toml: str, problem: str) -> None:
    (tmp_path / "a.toml").write_text(toml)

    with pytest.raises(CommandError) as wrong:
        find_format(str(tmp_path / "a.toml"))

    assert problem in str(wrong.value)


@pytest.mark.parametrize(
    ("toml", "log", "problem"),
    [
        (TIME, "time,id\n1,2\n", "has no column 't' for matched_at; its columns are 'time', 'id'"),
        (
            TIME + 'title = "Titel"',
            "t,Title,id\n1,2,3\n",
            "has no column 'Titel' for title (did you mean 'Title'?); its columns are 't', 'Title', 'id'",
        ),
        (
            TIME + 'station_id = "KILT-FM"',
            "t,Song\n1,2\n",
            'for station_id; if it is the value of each row, write { constant = "KILT-FM" }; its columns are',
        ),
        (TIME + "duration_seconds = 180", "t,Song\n1,2\n", "if it is the value of each row, write { constant = 180 }"),
        (TIME + '[[skip]]\ncolumn = "Kind"\nvalues = ["x"]', "t,Song\n1,2\n", "'Kind' for skip rule 1; its columns"),
        (
            TIME,
            ",".join(f"column {number}" for number in range(1, 201)) + "\n1\n",
            "'column 45', 'column 46' and 154 more",
        ),
        ("[match]\nmatched_at = 3", "time,id\n1,2\n", "has 2 columns: the log format names column 3 for matched_at"),
        (TIME, "t,T\n1,2\n", "has 2 columns 't': name the one by its number, 1 or so"),
        ("skip_lines = 5\n" + TIME, "t\n1\n", "has no rows: is skip_lines right?"),
        (TIME, "", "is empty"),
    ],
)
def test_a_file_that_lacks_a_column_is_not_loaded_at_all(tmp_path: Path, toml: str, log: str, problem: str) -> None:
    (tmp_path / "log.csv").write_text(log)

    with pytest.raises(RowsError) as wrong:
        outcomes(tmp_path / "log.csv", toml)

    assert problem in str(wrong.value)


def test_a_name_that_no_row_of_a_json_file_has_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('[{"t": "2026-03-14T08:00:00Z", "song": {"name": "Jóga"}, "isrc": null}]')
    with pytest.raises(RowsError) as wrong:
        outcomes(path, TIME + 'title = "song.nom"')
    assert "has no row with 'song.nom' (did you mean 'song.name'?); the names there are 't'" in str(wrong.value)

    for toml in (TIME + 'isrc = "isrc"', 'optional_columns = ["song.nom"]\n' + TIME + 'title = "song.nom"'):
        assert len(outcomes(path, toml)) == 1


def test_a_byte_order_mark_and_crlf_in_the_format_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + TIME.replace("\n", "\r\n").encode())

    assert find_format(str(tmp_path / "a.toml"))


def test_a_format_that_is_not_there_names_those_that_ship(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--log-format is 'spinitorn': it must be the path of a TOML file, or"):
        find_format("spinitorn")
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        find_format(str(tmp_path / "missing.toml"))


def test_the_zone_of_local_times_is_asked_for_before_a_row_is_read() -> None:
    with pytest.raises(CommandError, match="npr-ds reads local times, and names no zone for them: say it with"):
        chosen_format("npr-ds", None, None)
    with pytest.raises(CommandError, match="--time-zone is 'CEST': it must be a name of the IANA"):
        chosen_format("npr-ds", "CEST", None)
    with pytest.raises(CommandError, match="--time-zone is for files with a --log-format"):
        chosen_format(None, "Europe/Zurich", None)
    with pytest.raises(CommandError, match="files of playlog have times with offsets, so leave it out"):
        chosen_format("playlog", "Europe/Zurich", None)

    found = chosen_format("npr-ds", "Europe/Zurich", "latin-1")
    assert found
    assert (str(found.time_zone), found.encoding) == ("Europe/Zurich", "latin-1")
    assert chosen_format("acrcloud", None, None) is None
