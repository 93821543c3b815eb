"""The `playlog` command: options in, tables or JSON out. What a command does is in the module of its name."""

import io
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from playlog_cli.commands.audit import audit_command
from playlog_cli.commands.drain import drain_command
from playlog_cli.commands.failures import failures_app
from playlog_cli.commands.inspect import inspect_command
from playlog_cli.commands.local import local_app
from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.commands.parking_lot import parking_lot_app
from playlog_cli.commands.report import report_command
from playlog_cli.errors import CommandError, explain
from playlog_cli.loading.load import FileResult, LoadResult, load_files
from playlog_cli.stacks.convert import ConvertResult, convert
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.stacks.status import Count, LastRun, Status, status
from playlog_cli.terminal import err, load_progress, out, print_json
from playlog_cli.wiring.check import wiring

app = typer.Typer(
    name="playlog",
    help="Turns matches into play logs: load matches, convert them, see where things stand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # plain text, on a terminal or not: no boxes around a line of help or of an error
)
app.add_typer(local_app, name="local")
app.add_typer(failures_app, name="failures")
app.add_typer(parking_lot_app, name="parking-lot")
app.command()(wiring)
app.command("audit")(audit_command)
app.command("inspect")(inspect_command)
app.command("report")(report_command)

app.command("drain")(drain_command)

ROWS_SHOWN = 20


def main() -> None:
    """Runs the command line. A user's mistake or an outage is one line on stderr and exit status 1."""
    # What a match holds may be no text of this terminal's encoding, or of any: it is shown escaped.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except CommandError as error:
        _fail(str(error))
    except (BotoCoreError, ClientError) as error:
        _fail(explain(error))


@app.command("load")
def load_command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="CSV with a header or JSON, gzipped or not; - is standard input."),
    ],
    station: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Station of those of ACRCloud's results that name no stream."),
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Load matches from files. Loading a file again adds nothing.

    Columns are the attributes of a match. A row without a match_id gets one from its content. ACRCloud's
    broadcast-monitoring results are taken as they come, and an export of the old Django table MatchCache with its plays
    and failures; a file is known by its content. Exit status 1 if a row or a file is bad; the other rows are loaded.
    """
    with load_progress() as progress:
        result = load_files(find_stack(stack, region=region, profile=profile), files, progress, station)
    if as_json:
        print_json(result)
    else:
        _show_loaded(result)
    if not result.ok:
        raise typer.Exit(1)


@app.command("convert")
def convert_command(
    shards: Annotated[
        list[int] | None,
        typer.Option("--shard", metavar="N", help="Work on this shard alone. Repeatable."),
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Turn the matches that wait into plays, now: one run, as the schedule does it."""
    result = convert(find_stack(stack, region=region, profile=profile), shards or [])
    if as_json:
        print_json(result)
    else:
        _show_run(result)
    if not result.success:
        raise typer.Exit(1)


@app.command("status")
def status_command(
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what waits, what was played and what failed, the queues, and the last run."""
    now_stands = status(find_stack(stack, region=region, profile=profile), datetime.now(UTC))
    if as_json:
        totals = {"waiting": now_stands.waiting, "oldest_age_seconds": now_stands.oldest_age_seconds}
        print_json({**asdict(now_stands), **totals})
    else:
        _show_status(now_stands)


def _fail(message: str) -> None:
    err.print(f"playlog: {message}", soft_wrap=True)
    sys.exit(1)


def _show_loaded(result: LoadResult) -> None:
    _show_rows("bad rows", [f"{each.file}:{bad.line}: {bad.problem}" for each in result.files for bad in each.bad_rows])
    _show_rows(
        "matches that are added as failed",
        [
            f"{each.file}:{match.line}: match {match.match_id} is added as failed: {match.reason}"
            for each in result.files
            for match in each.not_played
        ],
    )
    for each in result.files:
        if each.error:
            err.print(f"{each.file}: {each.error}", soft_wrap=True)
        if each.rows:
            out.print(f"{each.file}: {each.rows:,} rows, {_became(each)}", soft_wrap=True)


def _show_rows(what: str, sentences: list[str]) -> None:
    for sentence in sentences[:ROWS_SHOWN]:
        err.print(sentence, soft_wrap=True)
    if len(sentences) > ROWS_SHOWN:
        err.print(f"... and {len(sentences) - ROWS_SHOWN:,} more {what}; --json lists them all", soft_wrap=True)


def _became(file: FileResult) -> str:
    """What became of a file's rows."""
    added = f"{file.added:,} added"
    if file.played or file.failed:
        waiting = file.added - file.played - file.failed
        added += f" ({file.played:,} played in {file.plays:,} new plays, {file.failed:,} failed, {waiting:,} waiting)"
    became = f"{added}, {file.already_there:,} already there, {len(file.bad_rows):,} bad"
    return f"{became}, {file.no_detections:,} without a detection" if file.no_detections else became


def _show_run(result: ConvertResult) -> None:
    table = _plain_table("processed", "plays", "failed")
    table.add_row(*map(_thousands, (result.processed, result.plays, result.failed)))
    out.print(result.message, soft_wrap=True)
    out.print(table)
    if result.waiting:
        out.print("Matches are left waiting, as the run was out of time: run it again.")


def _show_status(now_stands: Status) -> None:
    facts = Table.grid(padding=(0, 2))
    facts.add_column()
    facts.add_column(justify="right")
    facts.add_column()
    facts.add_row("waiting", _thousands(now_stands.waiting), _oldest(now_stands.oldest_age_seconds))
    facts.add_row("plays", *_counted(now_stands.plays))
    facts.add_row("failures", *_counted(now_stands.failures))
    in_flight = f"{now_stands.dead_letters_in_flight:,} in flight"
    facts.add_row("dead letters", _thousands(now_stands.dead_letters), in_flight)
    alarm = "bold red" if now_stands.parking_lot else ""
    facts.add_row("parking lot", _thousands(now_stands.parking_lot), style=alarm)
    out.print(f"stack {now_stands.stack} in {now_stands.region}", style="bold", soft_wrap=True)
    out.print(facts)
    out.print(_last_run(now_stands.last_run), soft_wrap=True)
    if now_stands.waiting:
        shards = _plain_table("shard", "waiting", "oldest")
        for each in now_stands.shards:
            if each.waiting:
                shards.add_row(str(each.shard), _thousands(each.waiting), _age(each.oldest_age_seconds))
        out.print()
        out.print(shards)


def _last_run(run: LastRun | None) -> str:
    if run is None:
        return "last run: none within the last day"
    outcome = f"{run.processed:,} processed, {run.plays:,} plays, {run.failed:,} failed in {run.seconds:.1f} s"
    left = ", matches left waiting" if run.waiting else ""
    return f"last run: {_age(run.age_seconds)} ago, {'' if run.success else 'unsuccessful, '}{outcome}{left}"


def _counted(count: Count) -> tuple[str, str]:
    return (f"{count.items:,}", "") if count.exact else (f"about {count.items:,}", "as DynamoDB counted, up to 6 h ago")


def _oldest(seconds: float | None) -> str:
    return "" if seconds is None else f"the oldest was heard {_age(seconds)} ago"


def _age(seconds: float | None) -> str:
    """A time span in its two largest units."""
    if seconds is None:
        return "unknown"
    sign, left = ("-" if seconds < 0 else ""), int(abs(seconds))
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, length)
        if amount or (unit == "s" and not parts):
            parts.append(f"{amount:,} {unit}")
    return sign + " ".join(parts[:2])


def _plain_table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _thousands(number: int) -> str:
    return f"{number:,}"
