"""`playlog log-format`: the formats that ship, and a draft of one for a file."""

from pathlib import Path
from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson
from playlog_cli.errors import CommandError, shown
from playlog_cli.loading.files.text import encoding_problem
from playlog_cli.loading.formats.catalog import shipped_formats
from playlog_cli.loading.formats.guessing.draft import draft_format, questions
from playlog_cli.loading.formats.guessing.sample import read_sample
from playlog_cli.terminal import counted, err, out, print_json, table

log_format_app = typer.Typer(no_args_is_help=True, help="How a station's file reads: list, show or draft a log format.")


@log_format_app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the log formats that come with playlog."""
    found = shipped_formats().values()
    if as_json:
        print_json([{"name": each.name, "about": each.about, "sources": list(each.sources)} for each in found])
        return
    listed = table("log format", "what it reads")
    for each in found:
        listed.add_row(each.name, each.about)
    out.print(listed)


@log_format_app.command("show")
def show_command(name: Annotated[str, typer.Argument(help="Name of a format that comes with playlog.")]) -> None:
    """Print a log format, as a beginning for one of your own."""
    found = shipped_formats()
    if name not in found:
        raise CommandError(f"NAME is {shown(name)}: it must be one of {', '.join(found)}")
    for line in found[name].toml.splitlines():
        out.print(line, soft_wrap=True)


@log_format_app.command("guess")
def guess_command(
    file: Annotated[Path, typer.Argument(help="A file as the station sent it: CSV, JSON or XLSX, packed or not.")],
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of its text, like latin-1, if you know it.")
    ] = None,
) -> None:
    """Draft a log format from a file, and print it.

    The draft says what the columns seem to be, with the evidence. What the file does not tell is left as a question.
    """
    if encoding and (problem := encoding_problem(encoding, "--encoding")):
        raise CommandError(problem)
    draft = draft_format(read_sample(file, encoding), str(file))
    for line in draft.splitlines():
        out.print(line, soft_wrap=True)
    err.print(
        f"{counted(questions(draft), 'question', 'questions')} left: look for QUESTION in the draft", soft_wrap=True
    )
