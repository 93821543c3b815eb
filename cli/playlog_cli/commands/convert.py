"""`playlog convert`: one run, now."""

from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson, Profile, Region, StackName, new_app
from playlog_cli.stacks.convert import ConvertResult, convert
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import make_table, out, print_json

app = new_app()


@app.command("convert")
def convert_command(
    shards: Annotated[
        list[int] | None,
        typer.Option("--shard", metavar="N", help="Only this shard. Repeatable."),
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Turn waiting matches into plays, now: one run, as the schedule starts it."""
    result = convert(find_stack(stack, region=region, profile=profile), shards or [])
    if as_json:
        print_json(result)
    else:
        _show_run(result)
    if not result.success:
        raise typer.Exit(1)


def _show_run(result: ConvertResult) -> None:
    table = make_table("processed", "plays", "failed", numbers=True)
    table.add_row(*(f"{count:,}" for count in (result.processed, result.plays, result.failed)))
    out.print(result.message, soft_wrap=True)
    out.print(table)
    if result.waiting:
        out.print("Matches are left waiting, as the run was out of time: run it again.")
