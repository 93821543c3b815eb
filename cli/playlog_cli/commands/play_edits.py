"""`playlog plays flag|unflag|withdraw|restore`: what a person changes on plays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from playlog.domain.match import Item
from playlog.domain.play import PlayKey

from playlog_cli.commands.options import AsJson, End, Profile, Region, StackName, Start, Yes, Zone
from playlog_cli.errors import CommandError
from playlog_cli.failures.mending import identity
from playlog_cli.plays.edits import Edit, Edited, edit_play, edits_for, read_play
from playlog_cli.plays.reading import items_of_period, line_of
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.period import parse_period
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.terminal import counted, counting, err, has_consent, out, print_first, print_json

Station = Annotated[str, typer.Argument(metavar="STATION_ID")]
PlayIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="PLAY_ID...", help="As `playlog plays` lists them. Or name a period: --from and --to."),
]
PLAYS_SHOWN = 20

_DONE = {
    Edit.FLAG: "Flagged",
    Edit.UNFLAG: "Not flagged any more",
    Edit.WITHDRAW: "Withdrawn",
    Edit.RESTORE: "Restored",
}
_HELP = {
    Edit.FLAG: "Flag plays of a station, so that a person looks at them before they are paid. Asks for confirmation.",
    Edit.UNFLAG: "Take the flag of plays away. Asks for confirmation.",
    Edit.WITHDRAW: "Withdraw plays: they stay in the table, and count nowhere. Asks for confirmation.",
    Edit.RESTORE: "Restore plays that were withdrawn. Asks for confirmation.",
}


def add_edits(app: typer.Typer) -> None:
    """Adds the commands to `playlog plays`."""
    for edit in Edit:
        app.command(edit.value, help=_HELP[edit])(_command(edit))


def _command(edit: Edit) -> Callable[..., None]:
    """The command of an edit."""

    def command(
        station_id: Station,
        play_ids: PlayIds = None,
        start: Start = "",
        end: End = "",
        zone: Zone = "UTC",
        yes: Yes = False,
        stack: StackName = DEFAULT_STACK,
        region: Region = None,
        profile: Profile = None,
        as_json: AsJson = False,
    ) -> None:
        chosen = _Chosen(station_id, play_ids or [], start, end, zone)
        _edit(edit, chosen, find_stack(stack, region=region, profile=profile), yes=yes, as_json=as_json)

    return command


@dataclass(frozen=True)
class _Chosen:
    """The plays that the arguments name, of one station: by their ids, or by the days in which they began."""

    station_id: str
    play_ids: Sequence[str]
    start: str
    end: str
    zone: str

    def period(self) -> Period | None:
        """The period; None where ids name the plays.

        Raises:
            CommandError: there is neither, or both, or a date is wrong.
        """
        if not (self.start or self.end):
            if not self.play_ids:
                raise CommandError("no play is named: give each PLAY_ID, or a period by --from and --to")
            return None
        if self.play_ids:
            raise CommandError("plays are named by PLAY_ID or by --from and --to: give one of the two")
        return parse_period(self.start, self.end, self.zone)

    def read(self, stack: Stack, period: Period | None) -> list[Item]:
        """The plays as they are now.

        Raises:
            CommandError: there is no play of an id.
        """
        if period:
            return items_of_period(stack, self.station_id, period.since, period.until)
        return [read_play(stack, PlayKey(self.station_id, play_id)) for play_id in dict.fromkeys(self.play_ids)]


def _edit(edit: Edit, chosen: _Chosen, stack: Stack, *, yes: bool, as_json: bool) -> None:
    """Shows the plays, asks, and edits them. Exit status 1 if one stays as it is that should not."""
    period = chosen.period()
    seen = chosen.read(stack, period)
    if period:
        seen = [play for play in seen if edit in edits_for(play)]
    if not as_json:
        print_first(out, [_in_words(play) for play in seen], PLAYS_SHOWN, "plays", len(seen))
    wanted = sum(edit in edits_for(play) for play in seen)
    done: list[Edited] = []
    if not wanted or has_consent(f"{edit.capitalize()} {counted(wanted, 'play', 'plays')}?", yes=yes, as_json=as_json):
        who, now = identity(stack) if wanted else "", datetime.now(UTC)
        with counting("{task.completed:,} plays changed") as progress:
            for play in seen:
                done.append(edit_play(stack, play, edit, who=who, now=now))
                progress(1)
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
