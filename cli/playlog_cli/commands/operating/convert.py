"""`playlog convert`: one run of the converter."""

from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.stacks.convert import ConvertResult, convert
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import out, print_json, table


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
    """Convert the waiting matches into plays: one run. The schedule does the same every two minutes."""
    result = convert(find_stack(stack, region=region, profile=profile), shards or [])
    if as_json:
        print_json(result)
    else:
        _show(result)
    if not result.success:
        raise typer.Exit(1)


def _show(result: ConvertResult) -> None:
    counts = table("processed", numbers=("plays", "failed"))
    counts.add_row(*(f"{count:,}" for count in (result.processed, result.plays, result.failed)))
    out.print(result.message, soft_wrap=True)
    out.print(counts)
    if result.waiting:
        again = "run it again, or `playlog drain` all of them"
        out.print(f"Matches are left waiting, as the run was out of time: {again}.", soft_wrap=True)
