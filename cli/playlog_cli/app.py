"""The `playlog` command: registers the commands in the order in which one uses them.

Imports the module of a command only when that command runs, so that `playlog --help` and completion are quick.
"""

import sys
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

OPERATING = "playlog_cli.commands.operating"


class Entry(NamedTuple):
    """A command that is loaded when it runs.

    Attributes:
        module: where it lives.
        attribute: its function or its group of commands in that module.
        summary: the first sentence of its help.
    """

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "local": Entry(
        f"{OPERATING}.local", "local_app", "The stack in an embedded AWS on this machine: no account, no Docker."
    ),
    "load": Entry("playlog_cli.commands.load", "load_command", "Load matches from files."),
    "log-format": Entry(
        "playlog_cli.commands.log_format",
        "log_format_app",
        "How a station's file reads: list, show or draft a log format.",
    ),
    "convert": Entry(f"{OPERATING}.convert", "convert_command", "Convert the waiting matches into plays: one run."),
    "status": Entry(f"{OPERATING}.status", "status_command", "Show what waits, what was played, and what failed."),
    "catalog": Entry(
        "playlog_cli.commands.accounting.catalog",
        "catalog_app",
        "Draft and check catalogs: what a track_id means, and who is paid.",
    ),
    "plays": Entry("playlog_cli.commands.plays", "plays_app", "List the plays of a period, or change a play."),
    "report": Entry(
        "playlog_cli.commands.report",
        "report_command",
        "Add up the plays between two dates, and what they are paid.",
    ),
    "export": Entry(
        "playlog_cli.commands.export",
        "export_command",
        "Write the tables as Parquet files, for reports and audits of any size.",
    ),
    "statements": Entry(
        "playlog_cli.commands.accounting.statements",
        "statements_command",
        "State what each payee gets for the plays between two dates.",
    ),
    "failures": Entry(
        f"{OPERATING}.failures",
        "failures_app",
        "List, show, correct and retry the matches that could not be converted.",
    ),
    "parking-lot": Entry(
        f"{OPERATING}.parking_lot", "parking_lot_app", "Dead letters that could not be stored after 3 tries."
    ),
    "web": Entry(
        "playlog_cli.commands.web",
        "web_command",
        "Open a page in the browser: overview, failures, plays, parking lot, reports.",
    ),
    "inspect": Entry(
        f"{OPERATING}.inspect", "inspect_command", "Show what the stack runs, when, and how the last runs ended."
    ),
    "rollback": Entry(
        f"{OPERATING}.rollback",
        "rollback_command",
        "List the versions, with when and from which commit each was deployed, or make one of them live again.",
    ),
    "drain": Entry(f"{OPERATING}.drain", "drain_command", "Empty a large backlog with several runs at a time."),
    "audit": Entry(
        "playlog_cli.commands.audit",
        "audit_command",
        "Check that each match is in exactly one state, and that plays and failures agree with it.",
    ),
    "wiring": Entry(
        "playlog_cli.commands.wiring",
        "wiring_command",
        "Check what only the built template can tell: whole layers, and something that invokes each function.",
    ),
}


class LazyCommands(MutableMapping[str, Any]):
    """The commands by name. Each is imported when it is looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            entry = COMMANDS[name]
            found = getattr(import_module(entry.module), entry.attribute)
            if not isinstance(found, typer.Typer):
                single = typer.Typer(add_completion=False, rich_markup_mode=None)
                single.command(name)(found)
                found = single
            self._loaded[name] = typer.main.get_command(found)
            self._loaded[name].name = name
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]


@dataclass(frozen=True)
class Completion:
    """One completion, with the attributes that Typer reads (it has no public class for this).

    Attributes:
        value: the word.
        help: what the shell shows beside the word.
        type: always "plain": a word, neither a file nor a folder.
    """

    value: str
    help: str
    type: str = "plain"


class LazyGroup(TyperGroup):
    """Lists its commands, in help and completion, without importing any of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "commands": LazyCommands()})

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands with their summaries, whole."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Completes the name of a command."""
        if incomplete.startswith("-"):
            return super(TyperGroup, self).shell_complete(ctx, incomplete)
        found = (item for item in COMMANDS.items() if item[0].startswith(incomplete))
        return [Completion(name, entry.summary) for name, entry in found]


app = typer.Typer(
    name="playlog",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text, on a terminal or not: no boxes around a line of help or of an error
)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"playlog {version('playlog')}")
        raise typer.Exit


@app.callback()
def playlog(
    is_version_wanted: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Turns matches into play logs: load matches, convert them, see where things stand."""
    del is_version_wanted


def main() -> None:
    """Runs the command line. A user's mistake or an outage is one line on stderr and exit status 1."""
    try:
        app()
    except Exception as error:
        from playlog_cli.errors import explained  # noqa: PLC0415 - only when something went wrong

        message = explained(error)
        if message is None:
            raise
        _fail(message, getattr(error, "log_lines", ()))


def _fail(message: str, log_lines: tuple[str, ...]) -> None:
    from playlog_cli.terminal import err  # noqa: PLC0415 - only when something went wrong

    err.print(f"playlog: {message}", soft_wrap=True)
    for line in log_lines:
        err.print(f"  {line}", soft_wrap=True)
    sys.exit(1)
