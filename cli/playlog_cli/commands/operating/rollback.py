"""`playlog rollback`: makes an earlier version live again, after it has passed its check."""

from dataclasses import asdict
from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes
from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.stacks.versions import Version, roll_back, versions
from playlog_cli.terminal import has_consent, out, print_json, table


def rollback_command(
    to: Annotated[
        str | None, typer.Option("--to", metavar="N", help="Version of ConvertMatches to go back to.")
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """List the versions, with when and from which commit each was deployed, or make one of them live again.

    Moves both functions together: to the versions of one deployment, once both have passed their check.
    """
    found = find_stack(stack, region=region, profile=profile)
    convert = versions(found.functions, found.convert_matches_function)
    if to is None:
        _list(convert, as_json)
        return
    target = next((each for each in convert if each.number == to), None)
    if target is None:
        raise CommandError(f"there is no version {to}: there are {', '.join(each.number for each in convert)}")
    targets = {
        found.convert_matches_function: target.number,
        found.store_failures_function: _partner(found, target).number,
    }
    if not target.is_live:
        if not has_consent(f"Make version {to} ({target.name}) live?", yes=yes, as_json=as_json):
            raise typer.Exit(1)
        roll_back(found, targets)
    if as_json:
        print_json({"live": targets})
    else:
        out.print(f"Version {to} is live: {target.name}.")


def _partner(stack: Stack, target: Version) -> Version:
    """The version of StoreFailures that was live beside a version of ConvertMatches."""
    store = versions(stack.functions, stack.store_failures_function)
    same = [each for each in store if each.name == target.name]
    older = [each for each in store if each.deployed_at <= target.deployed_at]
    if not (same or older):
        raise CommandError(f"StoreFailures has no version of {target.name}: deploy that commit instead")
    return (same or older)[0]


def _list(found: list[Version], as_json: bool) -> None:
    if as_json:
        print_json({"versions": [asdict(each) for each in found]})
        return
    rows = table("version", "deployed", "release", "", padding=3)
    for each in found:
        rows.add_row(each.number, f"{each.deployed_at[:19]} UTC", each.name, "live" if each.is_live else "")
    out.print(rows)
    out.print("`playlog rollback --to N` makes one of them live.")
