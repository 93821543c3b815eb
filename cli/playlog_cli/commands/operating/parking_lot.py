"""`playlog parking-lot`: dead letters that could not be stored in 3 tries, and sending them back."""

from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes
from playlog_cli.errors import shown
from playlog_cli.failures.parking_lot import ParkedLetters, Redriven, count_parked, list_parked, redrive
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import err, has_consent, out, print_json

parking_lot_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="Dead letters that could not be stored after 3 tries.",
)


@parking_lot_app.command("list")
def list_command(
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Show at most this many letters.")] = 20,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show the letters that could not be stored, and what is wrong with them. None is removed.

    SQS shows letters only by handing them out: for a second or two, nobody else can receive them.
    """
    parked = list_parked(find_stack(stack, region=region, profile=profile), limit)
    if as_json:
        print_json(parked)
    else:
        _show(parked)


@parking_lot_app.command("redrive")
def redrive_command(
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Send all letters back to the dead-letter queue, to be stored again. Asks for confirmation.

    Remove the cause first: a letter that still cannot be stored comes back after 3 tries.
    """
    found = find_stack(stack, region=region, profile=profile)
    total = count_parked(found)
    done = Redriven(0, total, "hand")
    if total and has_consent(f"Send about {total:,} letters back to the dead-letter queue?", yes=yes, as_json=as_json):
        with err.status(f"moving {total:,} letters ..."):
            done = redrive(found)
    if as_json:
        print_json(done)
    else:
        left = f", {done.left:,} are still parked" if done.left else ""
        out.print(f"{done.moved:,} letters sent back{left}." if total else "The parking lot is empty.")


def _show(parked: ParkedLetters) -> None:
    if not parked.letters:
        out.print(
            "The parking lot is empty." if not parked.total else "Another process is reading all parked letters now."
        )
        return
    out.print(f"{len(parked.letters):,} of about {parked.total:,} letters", style="bold")
    for each in parked.letters:
        what = (
            f"not a valid dead letter: {each.problem}: {shown(each.body)}"
            if each.problem
            else f"match {each.match_id}, attempt {each.attempt}: StoreFailures could not store it; its log says why"
        )
        out.print(f"{each.sent_at} {each.message_id}: {what}", soft_wrap=True)
    out.print("They were hidden while this command read them, and are visible again. None was removed.", soft_wrap=True)
