"""Options that several commands take: which stack, JSON for machines, names, and consent to a change."""

from pathlib import Path
from typing import Annotated

import typer

StackName = Annotated[str, typer.Option("--stack", envvar="PLAYLOG_STACK", help="Name of the CloudFormation stack.")]
Region = Annotated[str | None, typer.Option(help="AWS region; the one of the environment or profile if not given.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Confirm the change instead of being asked.")]
Start = Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, like 2026-03-01.")]
End = Annotated[str, typer.Option("--to", metavar="DATE", help="The day after the last one, like 2026-04-01.")]
Zone = Annotated[
    str, typer.Option("--time-zone", metavar="ZONE", help="Time zone of days and times, like Europe/Berlin.")
]
Stations = Annotated[list[str] | None, typer.Option("--station", metavar="ID", help="Only this station. Repeatable.")]
Tracks = Annotated[list[str] | None, typer.Option("--track", metavar="ID", help="Only this track. Repeatable.")]
CatalogFile = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="FILE", help="The names of the tracks: CSV, JSON Lines or XLSX."),
]
SharesFile = Annotated[
    Path | None,
    typer.Option("--shares", metavar="FILE", help="Who gets which part of a track, and when: a row for each share."),
]
RateCardFile = Annotated[Path | None, typer.Option("--rate-card", metavar="FILE", help="TOML: what a play is paid.")]
ExportName = Annotated[
    str | None,
    typer.Option(
        "--export",
        metavar="FOLDER|s3://…",
        help="Read an export (`playlog export`) in place of the tables. No stack is needed.",
    ),
]
ByAthena = Annotated[
    bool, typer.Option("--athena", help="Let Athena answer, over an export in S3. Shows what it costs.")
]
