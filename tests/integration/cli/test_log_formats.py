"""`playlog load --log-format` as a user types it: a station's log is loaded once, and nothing is written by a look."""

import gzip
import json
import re
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli import app as command_line
from playlog_cli.stacks.stack import Stack
from playlog_cli.terminal import out

from tests.support.aws import Aws

pytest_plugins = ["tests.support.aws_fixture"]

FORMAT = """
time_zone = "Europe/Zurich"
[match]
matched_at = { columns = ["Date", "Time"], format = "%d.%m.%Y %H:%M:%S" }
station_id = { constant = "fm-1" }
artist = "Artist"
title = "Title"
[[skip]]
column = "Artist"
values = [""]
"""
LOG = """\
Date;Time;Artist;Title;Album
14.03.2026;08:00:00;Björk;Jóga;Homogenic
14.03.2026;08:05:05;;Jingle;
14.03.2026;08:05:10;Nena;99 Luftballons;Nena
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Types a command. Returns its exit status, standard output and standard error."""
    monkeypatch.setattr("playlog_cli.commands.load.find_stack", lambda *_, **__: stack)
    # Consoles keep the width that the environment had when they were first imported, whichever test did that.
    monkeypatch.setattr(out, "width", 120)

    def type_it(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["playlog", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return type_it


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "day.csv"
    path.parent.mkdir()
    path.write_text(LOG)
    return path


@pytest.fixture
def station(tmp_path: Path) -> Path:
    path = tmp_path / "station.toml"
    path.write_text(FORMAT)
    return path


def test_a_log_is_loaded_once_under_any_name_and_however_it_is_packed(
    run: Run, aws: Aws, log: Path, station: Path
) -> None:
    assert run("load", log, "--log-format", station) == (
        0,
        f"{log}: 3 rows, 2 added, 0 already there, 0 bad, 1 skipped\n",
        "",
    )
    loaded = aws.matches()
    assert {match["artist"]["S"] for match in loaded} == {"Björk", "Nena"}
    assert aws.violations() == []

    (log.parent / "renamed.txt").write_text(LOG)
    (log.parent / "packed.csv.gz").write_bytes(gzip.compress(LOG.encode("utf-16")))
    with zipfile.ZipFile(log.parent / "all.zip", "w") as archive:
        archive.write(log, "a/day.csv")
    status, out, _ = run("load", log.parent, log.parent / "*.txt", "--log-format", station)

    assert status == 0
    assert out.splitlines() == [
        f"{log.parent}/{name}: 3 rows, 0 added, 2 already there, 0 bad, 1 skipped"
        for name in ("all.zip/a/day.csv", "day.csv", "packed.csv.gz", "renamed.txt")
    ]
    assert aws.matches() == loaded


def test_a_format_that_names_more_attributes_later_adds_nothing(run: Run, aws: Aws, log: Path, station: Path) -> None:
    run("load", log, "--log-format", station)
    station.write_text(FORMAT.replace('title = "Title"', 'title = "Title"\nalbum = "Album"'))

    status, out, _ = run("load", log, "--log-format", station)

    assert (status, "0 added, 2 already there" in out) == (0, True)
    assert len(aws.matches()) == 2


def test_a_load_by_a_wrong_format_can_be_taken_back(run: Run, aws: Aws, log: Path, station: Path) -> None:
    run("load", log, "--log-format", station)

    status, out, _ = run("load", log, "--log-format", station, "--take-back", "--yes")

    assert (status, "2 removed" in out) == (0, True)
    assert aws.matches() == []


def test_bad_rows_name_their_file_and_line_and_the_others_are_loaded(
    run: Run, aws: Aws, log: Path, station: Path
) -> None:
    with log.open("a") as file:
        file.write("29.03.2026;02:30:00;Björk;Hunter;\n")
    (log.parent / "notes.txt").write_text("nothing here\n")

    status, out, err = run("load", log.parent, "--log-format", station)

    assert status == 1
    assert f"{log}:5: matched_at is '2026-03-29 02:30:00', which is an hour that the clock skips" in err
    assert f"{log.parent}/notes.txt: has no column 'Date' for matched_at; its columns are 'nothing here'" in err
    assert "2 added" in out
    assert len(aws.matches()) == 2


def test_a_preview_writes_nothing_and_asks_no_stack(
    run: Run, aws: Aws, log: Path, station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playlog_cli.commands.load.find_stack", lambda *_, **__: pytest.fail("asked for a stack"))

    status, out, _ = run("load", log, "--log-format", station, "--preview", "2")

    assert status == 0
    assert [" ".join(line.split()) for line in out.splitlines()][:5] == [
        f"{log}:2",
        "column in the file attribute in the match",
        "Date 14.03.2026 match_id 38c4082adda2ca6535febd8ae138c402-1",
        "Time 08:00:00 matched_at 2026-03-14T07:00:00.000000+0000",
        "Artist Björk 2026-03-14 08:00:00+01:00 in Europe/Zurich",
    ]
    assert f"{log}:3: skipped by a rule of the log format" in out
    assert out.endswith("2 rows shown, nothing written: 1 waiting, 1 skipped\n")
    assert aws.matches() == []


def test_a_preview_says_what_would_not_become_a_play(run: Run, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    rows = [
        {"matched_at": "2026-03-14T08:00:00Z", "station_id": "fm-1", "duration_seconds": 178},
        {"matched_at": "2026-03-14T08:00:00Z", "track_id": "NULL"},
        {"status": {"code": 1001, "msg": "No result"}, "stream_id": "s-1"},
    ]
    mixed.write_text("\n".join(map(json.dumps, rows)))

    status, out, _ = run("load", mixed, "--preview", "9", "--json")

    assert status == 1
    shown = json.loads(out)["rows"]
    assert [row["line"] for row in shown] == [1, 2, 3]
    assert json.loads(out)["counts"] == {"would fail as MISSING_TRACK": 1, "bad": 1, "without a detection": 1}
    assert shown[0]["note"].startswith("would fail as MISSING_TRACK: ")
    assert shown[0]["match"]["duration_seconds"] == "178"
    assert shown[1]["note"].startswith("bad: track_id is 'NULL', which exports write for no value")
    assert shown[2]["note"] == "nothing was recognized"


def test_rows_out_of_the_order_of_time_are_told_where_durations_hang_on_it(run: Run, log: Path, station: Path) -> None:
    station.write_text(
        FORMAT.replace('artist = "Artist"', 'artist = "Artist"\nduration_seconds = { until_next = 600 }')
    )
    log.write_text(LOG + "14.03.2026;07:00:00;Nena;a;\n" + "14.03.2026;07:03:00;Nena;b;\n")
    told = (
        "2 of the default length (no later row, or another one at the same instant), "
        "1 back in time (durations by until_next may be wrong: sort the file by time)"
    )

    assert run("load", log, "--log-format", station, "--preview", "9")[1].endswith(f"4 waiting, 1 skipped, {told}\n")
    shown = json.loads(run("load", log, "--log-format", station, "--preview", "9", "--json")[1])
    assert (shown["going_back"], shown["longest_rows"], shown["open_rows"]) == (1, 0, 2)
    assert run("load", log, "--log-format", station)[1].endswith(
        f"4 added, 0 already there, 0 bad, 1 skipped, {told}\n"
    )
    (file,) = json.loads(run("load", log, "--log-format", station, "--json")[1])["files"]
    assert (file["going_back"], file["longest_rows"], file["open_rows"]) == (1, 0, 2)


def test_a_preview_adds_up_what_its_rows_would_become(run: Run, log: Path, station: Path) -> None:
    log.write_text(LOG + "14.03.2026;8.10;Nena;a;\n" + "14.03.2026;08:09:00;;;\n15.03.2026;09:00:00;Nena;;\n")

    status, out, _ = run("load", log, "--log-format", station, "--preview", "9")

    last = "6 rows shown, nothing written: 2 waiting, 1 would fail as MISSING_TRACK, 1 bad, 2 skipped"
    assert (status, out.splitlines()[-1]) == (1, last)
    # A long preview says again at its end what is wrong.
    again = out.splitlines()[-2]
    assert again.startswith(f"{log}:")
    assert "'14.03.2026 8.10'" in again


def test_a_row_of_a_large_object_takes_a_screen_of_a_preview(run: Run, tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    row = {"matched_at": "2026-03-14", "songs": [{"title": f"Song {n}"} for n in range(9_000)]}
    large.write_text(json.dumps([row | {f"member {n}": n for n in range(2_000)}], indent=1))

    _, out, _ = run("load", large, "--preview", "1")

    assert out.count("\n") < 80
    assert "... and 1,963 more" in out
    assert "Song 99" not in out


def test_a_preview_shows_the_old_table_with_its_states(run: Run, tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text(
        "id,track_id,station_id,matched_at,processed,failed_reason\n1,12,3,2024-03-01 12:00:00+00,t,\n"
        "2,12,3,2024-03-01 13:00:00+00,f,\n3,12,3,2024-03-01 14:00:00+00,f,Deadlock\n"
    )

    _, out, _ = run("load", export, "--preview", "3", "--json")

    assert [row["note"] for row in json.loads(out)["rows"]] == [
        "played, as the old system had it",
        "",
        "failed, as the old system had it: Deadlock",
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--preview", "1", "--take-back"], "--preview writes nothing, and --take-back removes matches: give one"),
        (["--log-format", "spinitorn"], "--log-format is 'spinitorn': it must be the path of a TOML file, or one of"),
        (["--log-format", "suisa"], "suisa reads local times, and names no zone for them: say it with --time-zone"),
        (["--time-zone", "UTC"], "--time-zone is for files with a --log-format"),
    ],
)
def test_options_that_cannot_be_are_one_line(run: Run, log: Path, arguments: list[str], problem: str) -> None:
    status, out, err = run("load", log, *arguments)

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"playlog: {problem}")


def test_the_formats_that_ship_are_listed_and_shown(run: Run) -> None:
    status, out, _ = run("log-format", "list", "--json")
    assert status == 0
    names = [each["name"] for each in json.loads(out)]
    assert "spinitron" in names

    status, shown, _ = run("log-format", "show", "npr-ds")
    assert (status, shown.startswith('about = "NPR Digital Services')) == (0, True)

    status, _, err = run("log-format", "show", "nothing")
    assert (status, err) == (1, f"playlog: NAME is 'nothing': it must be one of {', '.join(names)}\n")


def test_text_from_a_file_does_nothing_to_the_terminal(run: Run, log: Path, station: Path) -> None:
    hostile = "\x1b[2J\u202e[red]:x:"  # short, so that a narrow terminal does not fold it
    log.write_text(f"Date;Time;Artist;Title;{hostile};Type\n14.03.2026;08:00:00;{hostile};a;b;{hostile}\n")

    for command in (["load", log, "--log-format", station, "--preview", "1"], ["log-format", "guess", log]):
        _, out, err = run(*command)
        assert "[red]:x:" in out
        left = re.sub("\n", "", out + err)
        assert {character for character in left if unicodedata.category(character) in ("Cc", "Cf", "Cs")} == set()


def test_a_draft_goes_to_standard_output_and_the_count_of_questions_does_not(run: Run, log: Path) -> None:
    status, out, err = run("log-format", "guess", log)

    assert status == 0
    assert 'matched_at = { columns = ["Date", "Time"], format = "%d.%m.%Y %H:%M:%S" }' in out
    assert err == f"{out.count(chr(10) + '# QUESTION:')} questions left: look for QUESTION in the draft\n"


def test_a_file_with_a_header_alone_has_its_line_in_the_summary(run: Run, log: Path, station: Path) -> None:
    log.write_text(LOG.splitlines(keepends=True)[0])

    assert run("load", log, "--log-format", station) == (
        0,
        f"{log}: 0 rows, 0 added, 0 already there, 0 bad\n",
        "",
    )


def test_sheets_of_a_workbook_that_were_not_read_are_named(run: Run, log: Path, station: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("Week 11", "Week 12"):
        sheet = book.create_sheet(title)
        for row in LOG.splitlines():
            sheet.append(row.split(";"))
    del book["Sheet"]
    path = log.with_name("march.xlsx")
    book.save(path)

    status, out, _ = run("load", path, "--log-format", station)
    assert (status, out) == (
        0,
        f"{path}: 3 rows, 2 added, 0 already there, 0 bad, 1 skipped; sheets not read: Week 12\n",
    )
    station.write_text('sheet = "Week 12"\n' + FORMAT)
    status, out, _ = run("load", path, "--log-format", station, "--json")
    assert json.loads(out)["files"][0]["unread_sheets"] == ["Week 11"]


def test_a_number_of_any_exponent_costs_only_its_row(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "matches.jsonl"
    good = '{"matched_at": "2026-03-14T08:00:00+01:00", "track_id": "t", "station_id": "s"}'
    path.write_text(f'{good[:-1]}, "own": 1e99999999}}\n{good}\n')

    status, out, err = run("load", path)

    assert (status, out) == (1, f"{path}: 2 rows, 1 added, 0 already there, 1 bad\n")
    assert f"{path}:1: own holds '1e99999999'" in err
