"""`playlog parking-lot`: dead letters that could not be stored in 3 tries, and their way back."""

from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes, new_app
from playlog_cli.errors import shown
from playlog_cli.stacks.parking_lot import ParkedLetters, Redriven, list_parked, parked_count, redrive
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import err, has_consent, one_line, out, print_json

app = new_app("Dead letters that could not be stored in 3 tries.")


@app.command("list")
def list_command(
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Look at this many letters.")] = 20,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show the letters that could not be stored, and what is wrong with them. No letter is removed.

    SQS shows letters only by delivering them: for a second or two, nobody else can receive them.
    """
    parked = list_parked(find_stack(stack, region=region, profile=profile), limit)
    if as_json:
        print_json(parked)
    else:
        _show(parked)


@app.command("redrive")
def redrive_command(
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Send all letters back to the dead-letter queue, once the cause was repaired. Asks first.

    A letter that still cannot be stored comes back after 3 tries.
    """
    target = find_stack(stack, region=region, profile=profile)
    total = parked_count(target)
    done = Redriven(0, total, "hand")
    if total and has_consent(f"Send about {total:,} letters back to the dead-letter queue?", yes=yes, as_json=as_json):
        with err.status(f"moving {total:,} letters ..."):
            done = redrive(target)
    if as_json:
        print_json(done)
    else:
        left = f", {done.left:,} are still parked" if done.left else ""
        out.print(f"{done.moved:,} letters sent back{left}." if total else "The parking lot is empty.")


def _show(parked: ParkedLetters) -> None:
    if not parked.letters:
        out.print(
            "The parking lot is empty."
            if not parked.total
            else "Another reader has all parked letters now: try again in a moment."
        )
        return
    out.print(f"{len(parked.letters):,} of about {parked.total:,} letters", style="bold")
    for each in parked.letters:
        what = (
            f"not a valid dead letter: {each.problem}: {shown(each.body)}"
            if each.problem
            else f"match {each.match_id}, attempt {each.attempt}: StoreFailures could not store it; its log says why"
        )
        out.print(f"{each.sent_at} {each.message_id}: {one_line(what)}", soft_wrap=True)
    out.print("They were hidden while they were read, and are back: none was removed.", soft_wrap=True)
