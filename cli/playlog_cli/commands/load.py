"""`playlog load`: matches from files."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn

from playlog_cli.commands.load_preview import order_notes, show_preview
from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes
from playlog_cli.errors import CommandError
from playlog_cli.loading.acrcloud.detections import CustomFiles
from playlog_cli.loading.bad_rows import bad_rows_file
from playlog_cli.loading.files.text import encoding_problem
from playlog_cli.loading.formats.choice import chosen_format
from playlog_cli.loading.load import load_files, take_back_files
from playlog_cli.loading.outcomes import Options
from playlog_cli.loading.preview import preview_files
from playlog_cli.loading.results import FileProgress, FileResult, LoadResult, Order, Report
from playlog_cli.signals import ending_on_signals
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.terminal import counted, err, has_consent, out, print_first, print_json, progress_bars

ROWS_SHOWN = 20
LOAD_AGAIN = "load the files again, which adds what is missing"


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="CSV, JSON or XLSX; also gzip or ZIP, a folder, or a pattern like 'logs/*.csv'; - is standard input.",
    ),
]
Station = Annotated[str | None, typer.Option(metavar="ID", help="Station of rows that name none.")]
LogFormatName = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="NAME|FILE.toml",
        help="How the files read: a format that ships (playlog log-format list), or one of your own.",
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="Zone of local times, like Europe/Berlin. It wins over the log format."),
]
Preview = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Show what the first N rows would become, and write nothing."),
]
OwnUploads = Annotated[
    CustomFiles,
    typer.Option(help="ACRCloud results of the station's own uploads: load them as music, ignore or refuse them."),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Encoding of text that is neither UTF-8 nor UTF-16, like latin-1."),
]
BadRows = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="List each row that is not loaded in this file, as it is found."),
]
TakeBack = Annotated[
    bool,
    typer.Option("--take-back", help="Remove the matches of the files again that were not played. Asks first."),
]


def load_command(
    files: Files,
    station: Station = None,
    log_format: LogFormatName = None,
    time_zone: TimeZone = None,
    preview: Preview = None,
    custom_files: OwnUploads = CustomFiles.REFUSE,
    encoding: Encoding = None,
    bad_rows: BadRows = None,
    is_taken_back: TakeBack = False,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Load matches from files. Loading a file again adds nothing.

    Columns are the attributes of a match, or what --log-format says. A row without a match_id gets one from its
    content. ACRCloud's broadcast-monitoring results are taken as they come, and an export of the old Django table
    MatchCache with its plays and failures; a file is known by its content. Exit status 1 if a row or a file is bad; the
    other rows are loaded.
    """
    if encoding and (problem := encoding_problem(encoding, "--encoding")):
        raise CommandError(problem)
    options = Options(station, custom_files, encoding, chosen_format(log_format, time_zone, encoding))
    if preview is not None:
        if is_taken_back:
            raise CommandError("--preview writes nothing, and --take-back removes matches: give one of the two")
        order = Order()
        show_preview(preview_files(files, options, preview, order), order, as_json=as_json)
        return
    if is_taken_back:
        _take_back(find_stack(stack, region=region, profile=profile), files, options, yes=yes, as_json=as_json)
        return
    results: list[FileResult] = []
    try:
        with ending_on_signals(LOAD_AGAIN), bad_rows_file(bad_rows) as write_bad_row, _progress() as progress:
            found = find_stack(stack, region=region, profile=profile)
            load_files(found, files, progress, options, Report(write_bad_row, results.append))
    finally:
        if results:  # something may have ended the load after some files
            print_json(LoadResult(tuple(results))) if as_json else _show(results)
    if not LoadResult(tuple(results)).ok:
        raise typer.Exit(1)


def _take_back(stack: Stack, files: list[Path], options: Options, *, yes: bool, as_json: bool) -> None:
    """Asks, and removes the matches of files. Exit status 1 if some stay, because they were played or changed."""
    question = f"Remove the matches of {counted(len(files), 'file', 'files')} that were not played?"
    if not has_consent(question, yes=yes, as_json=as_json):
        return
    with ending_on_signals("run the command again, which removes the rest"):
        done = take_back_files(stack, files, options)
    if as_json:
        print_json([asdict(each) for each in done])
    else:
        for each in done:
            stay = f"{each.played:,} stay because they were played, {each.changed:,} because they were changed"
            out.print(f"{each.file}: {each.removed:,} removed, {stay}, {each.absent:,} were not there", soft_wrap=True)
        if any(each.played for each in done):
            out.print(
                "Plays stay in the table. To count them nowhere: playlog plays withdraw STATION_ID --from … --to …"
            )
    if any(each.played or each.changed for each in done):
        raise typer.Exit(1)


def _show(results: Sequence[FileResult]) -> None:
    bad_rows = [f"{each.file}:{bad.line}: {bad.problem}" for each in results for bad in each.bad_rows]
    count = sum(each.bad for each in results)
    print_first(err, bad_rows, ROWS_SHOWN, "bad rows; --bad-rows FILE.csv lists them all", count)
    not_played = [
        f"{each.file}:{match.line}: match {match.match_id} is added as failed: {match.reason}"
        for each in results
        for match in each.not_played
    ]
    count = sum(each.not_played_count for each in results)
    print_first(
        err, not_played, ROWS_SHOWN, "matches that are added as failed; `playlog failures list` lists them", count
    )
    for each in results:
        if each.error:
            err.print(f"{each.file}: {each.error}", soft_wrap=True)
        if each.rows or not each.error:
            out.print(f"{each.file}: {each.rows:,} rows, {_outcome(each)}", soft_wrap=True)


def _outcome(file: FileResult) -> str:
    added = f"{file.added:,} added"
    if file.played or file.failed:
        waiting = file.added - file.played - file.failed
        added += f" ({file.played:,} played in {file.plays:,} new plays, {file.failed:,} failed, {waiting:,} waiting)"
    outcome = f"{added}, {file.already_there:,} already there, {file.bad:,} bad"
    if file.skipped:
        outcome += f", {file.skipped:,} skipped"
    if file.no_detections:
        outcome += f", {file.no_detections:,} without a detection"
    if file.invalid_isrcs:
        outcome += f", {counted(file.invalid_isrcs, 'invalid ISRC', 'invalid ISRCs')}"
    if file.null_markers:
        outcome += f", {counted(file.null_markers, 'null marker', 'null markers')} read as no value"
    outcome += "".join(f", {each}" for each in order_notes(file.going_back, file.longest_rows, file.open_rows))
    if file.unread_sheets:
        outcome += f"; sheets not read: {', '.join(file.unread_sheets)}"
    return outcome


@contextmanager
def _progress() -> Iterator[Callable[[FileProgress], None]]:
    """A progress bar over all files. Yields the progress callback of ``load_files``."""
    bars = progress_bars(
        "{task.description}",
        BarColumn(),
        TaskProgressColumn(),
        "{task.fields[rows]:,} rows",
        "{task.fields[rate]:,.0f} rows/s",
        TimeRemainingColumn(),
    )
    task = bars.add_task("loading", rows=0, rate=0.0)

    def show(progress: FileProgress) -> None:
        elapsed = bars.tasks[task].elapsed or 1.0
        count = f"{progress.number:,} of {progress.files:,}: " if progress.files > 1 else ""
        bars.update(
            task,
            description=count + progress.file,
            completed=progress.bytes_read,
            total=progress.bytes_total,
            rows=progress.rows,
            rate=progress.rows / elapsed,
        )

    with bars:
        yield show
