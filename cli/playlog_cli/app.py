"""The `playlog` command. It only registers the commands; each is in the module of its name in `commands`."""

import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True)
class Command:
    """A command, which is imported only when it runs.

    Attributes:
        name: as users type it.
        module: in `commands`, with an `app`.
        summary: its line in `playlog --help`.
    """

    name: str
    module: str
    summary: str


# In the order in which one uses them.
COMMANDS = (
    Command("local", "local", "An embedded AWS on this machine, to try and to test."),
    Command("load", "load", "Load matches from files. Loading a file again adds nothing."),
    Command("convert", "convert", "Turn waiting matches into plays, now: one run, as the schedule starts it."),
    Command("drain", "drain", "Empty a large backlog by parallel runs, until nothing is left."),
    Command("status", "status", "Show what waits, what was played and what failed, the queues, and the last run."),
    Command("inspect", "inspect", "Check that a deployed stack can work, and that it does."),
    Command("failures", "failures", "What could not be converted and why, and the way back."),
    Command("parking-lot", "parking_lot", "Dead letters that could not be stored in 3 tries."),
    Command("audit", "audit", "Check the invariants: each match is in exactly one state, and all tables agree."),
    Command("report", "report", "Add up the plays between two dates, and what they are paid."),
    Command("wiring", "wiring", "Check that everything the built template names exists and works together."),
)


class _LazyMapping(Mapping[str, Any]):
    """The commands of `COMMANDS` by name. Each is imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        for command in COMMANDS:
            if command.name == name:
                return typer.main.get_command(import_module(f"playlog_cli.commands.{command.module}").app)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([command.name for command in COMMANDS])

    def __len__(self) -> int:
        return len(COMMANDS)


class LazyCommands(TyperGroup):
    """A group of commands. `playlog --help` imports none of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _LazyMapping()  # type: ignore[assignment] # nothing adds a command later

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is click's
        """Lists them from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(command.name, command.summary) for command in COMMANDS])


app = typer.Typer(
    name="playlog",
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text, on a terminal or not: no boxes around a line of help or of an error
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from playlog.schema import CONTRACT_VERSION  # noqa: PLC0415 - `playlog --help` does not need it

        typer.echo(f"playlog {version('playlog')}, contract {CONTRACT_VERSION}")
        raise typer.Exit


@app.callback()
def playlog(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn the matches of a broadcast monitor into play logs."""


def main() -> None:
    """Runs the command line. A user's mistake or an outage is one line on stderr and exit status 1."""
    # Data may hold characters that this terminal's encoding lacks: show them escaped.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:
        from playlog_cli.errors import message_for  # noqa: PLC0415 - it imports botocore

        message = message_for(error)
        if message is None:
            raise
        from playlog_cli.terminal import err  # noqa: PLC0415 - it imports rich

        err.print(f"playlog: {message}", soft_wrap=True)
        sys.exit(1)
