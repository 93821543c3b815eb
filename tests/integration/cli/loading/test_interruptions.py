"""A load that something ends loses nothing, doubles nothing, leaves nothing behind, and says what to do."""

import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import openpyxl  # type: ignore[import-untyped]
import pytest

from tests.integration.cli.loading.served_stack import ServedStack, served_stack
from tests.stateful.memory import RefusalError

HEADER = ["matched_at", "station_id", "track_id"]
ROWS = [[f"2026-03-14T{n // 60:02}:{n % 60:02}:00Z", "fm-1", f"t-{n}"] for n in range(1_250)]
FORMAT = """
[match]
matched_at = "matched_at"
station_id = "station_id"
track_id = "track_id"
"""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[ServedStack]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with served_stack(temporary) as stack:
        yield stack


def csv_of(rows: list[list[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in [HEADER, *rows])


def one_file(folder: Path) -> list[str | Path]:
    (folder / "day.csv").write_text(csv_of(ROWS))
    return [folder / "day.csv"]


def many_files(folder: Path) -> list[str | Path]:
    for number in range(5):
        (folder / f"{number}.csv").write_text(csv_of(ROWS[number * 250 : (number + 1) * 250]))
    return [folder]


def zip_file(folder: Path) -> list[str | Path]:
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.csv", csv_of(ROWS[number * 250 : (number + 1) * 250]))
    return [folder / "all.zip"]


def workbook(folder: Path) -> list[str | Path]:
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    book.save(folder / "day.xlsx")
    (folder / "day.toml").write_text(FORMAT)
    return [folder / "day.xlsx", "--log-format", folder / "day.toml"]


def at(transaction: int, do: Callable[[], object]) -> Callable[[int], object]:
    """Does something before a transaction is done."""
    return lambda number: do() if number == transaction else None


def check_loaded_again(stack: ServedStack, arguments: list[str | Path]) -> None:
    """Loads the files again, to the end: nothing is lost, doubled or left behind."""
    stack.before_transaction = lambda _: None
    status, out, err = stack.run("load", *arguments)
    assert (status, err) == (0, ""), out
    assert sorted(match["track_id"]["S"] for match in stack.matches()) == sorted(row[2] for row in ROWS)
    assert list(stack.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("made", "number"),
    [
        (one_file, signal.SIGINT),
        (many_files, signal.SIGINT),
        (zip_file, signal.SIGINT),
        (workbook, signal.SIGINT),
        (one_file, signal.SIGTERM),
    ],
)
def test_a_load_that_is_interrupted_says_how_far_it_came_and_is_completed_by_loading_again(
    stack: ServedStack,
    tmp_path: Path,
    made: Callable[[Path], list[str | Path]],
    number: signal.Signals,
) -> None:
    (tmp_path / "logs").mkdir()
    arguments = made(tmp_path / "logs")
    with stack.start("load", *arguments) as process:
        stack.before_transaction = at(5, lambda: process.send_signal(number))
        out, err = process.communicate()

    assert process.returncode == 128 + number
    assert err.splitlines()[0] == "playlog: interrupted: load the files again, which adds what is missing"
    assert "was not loaded to its end: load it again, which adds what is missing" in err.splitlines()[-1]
    assert len(err.splitlines()) == 2, err
    added = sum(int(line.split(" rows, ")[1].split(" added")[0].replace(",", "")) for line in out.splitlines())
    assert added == len(stack.matches()) < len(ROWS)
    check_loaded_again(stack, arguments)


def test_a_second_ctrl_c_ends_a_load_at_once_that_waits_for_aws(stack: ServedStack, tmp_path: Path) -> None:
    arguments, ended = one_file(tmp_path), Event()
    with stack.start("load", *arguments) as process:

        def interrupt() -> None:
            process.send_signal(signal.SIGINT)
            ended.wait(60)

        stack.before_transaction = at(3, interrupt)
        assert process.stderr
        assert "interrupted" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 128 + signal.SIGINT
        ended.set()
        assert "Traceback" not in process.stderr.read()

    check_loaded_again(stack, arguments)


@pytest.mark.parametrize("made", [one_file, zip_file])
def test_a_load_that_is_killed_is_completed_by_loading_again(
    stack: ServedStack, tmp_path: Path, made: Callable[[Path], list[str | Path]]
) -> None:
    (tmp_path / "logs").mkdir()
    arguments = made(tmp_path / "logs")
    with stack.start("load", *arguments) as process:
        stack.before_transaction = at(4, process.kill)
        process.communicate()

    assert process.returncode == -signal.SIGKILL
    assert 0 < len(stack.matches()) < len(ROWS)
    check_loaded_again(stack, arguments)


def test_a_load_that_aws_ends_says_how_far_it_came(stack: ServedStack, tmp_path: Path) -> None:
    many_files(tmp_path)
    arguments: list[str | Path] = [tmp_path / f"{number}.csv" for number in range(5)]

    def refuse(number: int) -> None:
        if number >= 8:
            raise RefusalError("AccessDeniedException", "not you")

    stack.before_transaction = refuse

    status, out, err = stack.run("load", *arguments)

    assert status == 1
    assert out.splitlines()[0] == f"{tmp_path}/0.csv: 250 rows, 250 added, 0 already there, 0 bad"
    assert f"{tmp_path}/2.csv: was not loaded to its end" in err
    assert err.splitlines()[-1].startswith("playlog: AWS denies this to the credentials in use")
    check_loaded_again(stack, arguments)


def test_a_file_that_grows_while_it_is_loaded_gives_no_half_row(stack: ServedStack, tmp_path: Path) -> None:
    arguments = one_file(tmp_path)
    path = tmp_path / "day.csv"
    path.write_text(csv_of(ROWS[:1_200]))

    def grow() -> None:
        with path.open("a") as file:
            file.write(csv_of(ROWS[1_200:])[len(csv_of([])) : -3])  # a writer's buffer ends within a row

    stack.before_transaction = at(1, grow)
    status, out, err = stack.run("load", *arguments)

    assert (status, err.splitlines()) == (
        1,
        [f"{path}: was changed while it was read: load it again once it is complete, which adds what is missing"],
    )
    assert {match["track_id"]["S"] for match in stack.matches()} <= {row[2] for row in ROWS}
    assert f"{len(stack.matches()):,} added" in out
    path.write_text(csv_of(ROWS))
    check_loaded_again(stack, arguments)


def test_a_file_that_vanishes_while_others_are_loaded_is_named(stack: ServedStack, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    many_files(logs)
    stack.before_transaction = at(1, (logs / "3.csv").unlink)

    status, out, err = stack.run("load", logs)

    assert (status, err) == (1, f"{logs}/3.csv: cannot be read: No such file or directory\n")
    assert len(out.splitlines()) == 4
    (logs / "3.csv").write_text(csv_of(ROWS[750:1_000]))
    check_loaded_again(stack, [logs])


def test_a_full_disk_for_temporary_files_ends_a_load_with_a_line(stack: ServedStack, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    rows = (f"m-{number},2026-03-14T08:00:00Z,fm-1,t-1\n" for number in range(40_000))  # more than SQLite has in memory
    path.write_text("match_id,matched_at,station_id,track_id\n" + "".join(rows))
    with stack.start("load", path, largest_file=100_000) as process:
        out, err = process.communicate()

    assert process.returncode == 1
    assert f"{path}: was not loaded to its end: load it again, which adds what is missing" in err
    assert "playlog: the list of rows read so far cannot be kept in the folder for temporary files" in err
    assert "Traceback" not in err
    assert out.startswith(f"{path}: ")
    assert list(stack.temporary.iterdir()) == []


def test_a_full_disk_for_the_list_of_bad_rows_ends_a_load_with_a_line(stack: ServedStack, tmp_path: Path) -> None:
    status, out, err = stack.run("load", *one_file(tmp_path), "--bad-rows", "/dev/full")

    assert (status, out) == (1, "")
    assert err.startswith("playlog: --bad-rows /dev/full cannot be written (No space left on device): name another")
    assert stack.matches() == []

    (tmp_path / "bad.csv").write_text(csv_of([["nonsense"]] * 5_000))
    bad_rows = tmp_path / "list.csv"
    with stack.start("load", tmp_path / "bad.csv", "--bad-rows", bad_rows, largest_file=100_000) as process:
        _, err = process.communicate()
    assert process.returncode == 1
    assert err.splitlines()[-1].startswith(f"playlog: --bad-rows {bad_rows} cannot be written (File too large)")
    assert "Traceback" not in err


def test_a_reader_of_the_output_that_leaves_early_ends_nothing_with_a_traceback(
    stack: ServedStack, tmp_path: Path
) -> None:
    arguments = many_files(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    with stack.start("load", *arguments, stdout=writing) as command:
        os.close(writing)
        _, err = command.communicate()

    assert "Traceback" not in err
    assert len(stack.matches()) == len(ROWS)


def test_a_full_disk_for_the_output_is_a_line(stack: ServedStack) -> None:
    with open("/dev/full", "w") as full, stack.start("log-format", "list", stdout=full.fileno()) as process:
        _, err = process.communicate()

    assert (process.returncode, err) == (1, "playlog: the output cannot be written: No space left on device\n")
