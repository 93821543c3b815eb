"""`playlog plays flag|unflag|withdraw|restore`: what a person changes on plays."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from playlog.domain.match import Item
from playlog.domain.play import PlayKey

from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes
from playlog_cli.failures.mending import identity
from playlog_cli.plays.edits import Edit, Edited, edit_play, edits_for, read_play
from playlog_cli.plays.reading import line_of
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import counted, err, has_consent, out, print_json

Station = Annotated[str, typer.Argument(metavar="STATION_ID")]
PlayIds = Annotated[list[str], typer.Argument(metavar="PLAY_ID...", help="As `playlog plays` lists them.")]

_DONE = {
    Edit.FLAG: "Flagged",
    Edit.UNFLAG: "Not flagged any more",
    Edit.WITHDRAW: "Withdrawn",
    Edit.RESTORE: "Restored",
}


def add_edits(app: typer.Typer) -> None:
    """Adds the commands to `playlog plays`."""
    for edit, command in (
        (Edit.FLAG, flag_command),
        (Edit.UNFLAG, unflag_command),
        (Edit.WITHDRAW, withdraw_command),
        (Edit.RESTORE, restore_command),
    ):
        app.command(edit.value)(command)


def flag_command(
    station_id: Station,
    play_ids: PlayIds,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Flag plays of a station, so that a person looks at them before they are paid. Asks for confirmation."""
    _edit(Edit.FLAG, station_id, play_ids, (stack, region, profile), yes=yes, as_json=as_json)


def unflag_command(
    station_id: Station,
    play_ids: PlayIds,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Take the flag of plays away. Asks for confirmation."""
    _edit(Edit.UNFLAG, station_id, play_ids, (stack, region, profile), yes=yes, as_json=as_json)


def withdraw_command(
    station_id: Station,
    play_ids: PlayIds,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw plays: they stay in the table, and count nowhere. Asks for confirmation."""
    _edit(Edit.WITHDRAW, station_id, play_ids, (stack, region, profile), yes=yes, as_json=as_json)


def restore_command(
    station_id: Station,
    play_ids: PlayIds,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Restore plays that were withdrawn. Asks for confirmation."""
    _edit(Edit.RESTORE, station_id, play_ids, (stack, region, profile), yes=yes, as_json=as_json)


def _edit(
    edit: Edit,
    station_id: str,
    play_ids: Sequence[str],
    where: tuple[str, str | None, str | None],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Shows the plays, asks, and edits them. Exit status 1 if one stays as it is."""
    name, region, profile = where
    stack = find_stack(name, region=region, profile=profile)
    seen = [read_play(stack, PlayKey(station_id, play_id)) for play_id in dict.fromkeys(play_ids)]
    if not as_json:
        for play in seen:
            out.print(_in_words(play), soft_wrap=True)
    wanted = sum(edit in edits_for(play) for play in seen)
    done: list[Edited] = []
    if not wanted or has_consent(f"{edit.capitalize()} {counted(wanted, 'play', 'plays')}?", yes=yes, as_json=as_json):
        who, now = identity(stack) if wanted else "", datetime.now(UTC)
        done = [edit_play(stack, play, edit, who=who, now=now) for play in seen]
    left = [each for each in done if each.why_not]
    if as_json:
        print_json({"edited": [each.play_id for each in done if not each.why_not], "left": left_as_json(left)})
    else:
        for each in left:
            err.print(f"play {each.play_id} is left as it is: {each.why_not}", soft_wrap=True)
        out.print(f"{_DONE[edit]}: {counted(len(done) - len(left), 'play', 'plays')}.")
    if left:
        raise typer.Exit(1)


def left_as_json(left: Sequence[Edited]) -> list[dict[str, str | None]]:
    """The plays that stay as they are, each with the reason."""
    return [{"play_id": each.play_id, "why": each.why_not} for each in left]


def _in_words(play: Item) -> str:
    line = line_of(play)
    marks = [mark for mark, is_set in (("flagged", line.flagged), ("withdrawn", not line.active)) if is_set]
    of = f", {' and '.join(marks)}" if marks else ""
    heard = counted(line.matches, "match", "matches")
    return f"play {line.play_id}: {line.seconds:,.0f} s on {line.station_id}, {heard}{of}"
