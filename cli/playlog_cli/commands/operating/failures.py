"""`playlog failures`: what could not be converted and why, and the way back for a match that was corrected."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from playlog.domain import timestamps

from playlog_cli.auditing.items import State
from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes
from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.history import FailureList, History, history_of, list_failures
from playlog_cli.failures.mending import MendTally, Preview, identity, mend, parse_corrections, previews
from playlog_cli.failures.records import Selection
from playlog_cli.failures.retrying import LeftMatch, RetryTally, failed_matches, plan, retry
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import counted, err, has_consent, out, print_first, print_json, table

LEFT_SHOWN = 20
PREVIEWS_SHOWN = 20

failures_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="List, show, correct and retry the matches that could not be converted.",
)


@failures_app.command("list")
def list_command(
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="CODE", help="Only failures of this reason code.")
    ] = None,
    station: Annotated[str | None, typer.Option(metavar="ID", help="Only matches of this station.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Failed at this time or later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Failed at this time or earlier.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="Show at most this many of the newest.")] = 20,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Count the failures by reason, and show the newest.

    A TIME is ISO 8601 with an offset, like 2026-03-14T08:00:00+01:00.
    """
    selection = Selection(reason, station, _time("--since", since), _time("--until", until))
    listed = list_failures(find_stack(stack, region=region, profile=profile), selection, limit)
    if as_json:
        print_json(listed)
    else:
        _show_list(listed)


@failures_app.command("show")
def show_command(
    match_id: Annotated[str, typer.Argument(metavar="MATCH_ID")],
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show a match: all its failed attempts, its values then and now, and what would be right."""
    history = history_of(find_stack(stack, region=region, profile=profile), match_id, datetime.now(UTC))
    if as_json:
        print_json(history)
    else:
        _show_history(history)


@failures_app.command("retry")
def retry_command(
    match_ids: Annotated[list[str] | None, typer.Argument(metavar="MATCH_ID")] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="CODE", help="All matches that failed for this reason.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All matches that have failed.")] = False,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Let failed matches wait again, so that the next run converts them. Correct them first. Asks for confirmation.

    Attempts and history stay. Exit status 1 if a match that was named cannot be retried, or AWS refused to write one.
    """
    if [bool(match_ids), reason is not None, every].count(True) != 1:
        raise CommandError("say which matches to retry: their ids, or --reason CODE, or --all")
    found = find_stack(stack, region=region, profile=profile)
    now = datetime.now(UTC)
    selection = Selection(reason, until=now)
    planned = RetryTally()
    for page in failed_matches(found, match_ids, selection):
        plan(page, planned, now)
    done = RetryTally(left=planned.left)
    if planned.retried and has_consent(_question(planned), yes=yes, as_json=as_json):
        done = retry(found, failed_matches(found, match_ids, selection), now)
    if as_json:
        print_json(done)
    else:
        _show_retried(done)
    if (match_ids and done.left) or done.refused:
        raise typer.Exit(1)


@failures_app.command("mend")
def mend_command(
    match_ids: Annotated[list[str] | None, typer.Argument(metavar="MATCH_ID")] = None,
    corrections: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="The new value; an empty one removes it. Repeatable."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="CODE", help="All matches that failed for this reason.")
    ] = None,
    station: Annotated[
        str | None, typer.Option(metavar="ID", help="All matches of this station when they failed.")
    ] = None,
    and_retry: Annotated[bool, typer.Option("--retry", help="Let the matches that are valid then wait again.")] = False,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Correct attributes of failed matches, like --set source=Radio. Shows the changes and asks for confirmation.

    A match is written only if it is still what was shown. It keeps who changed what, in its list `mended`. Exit status
    1 if a match that was named cannot be corrected, or AWS refused to write one.
    """
    if bool(match_ids) == (reason is not None or station is not None):
        raise CommandError("say which matches to correct: their ids, or --reason CODE, --station ID or both")
    values = parse_corrections(corrections or [])
    if not values:
        raise CommandError("say what to correct, like --set source=Radio")
    found = find_stack(stack, region=region, profile=profile)
    now = datetime.now(UTC)
    done = MendTally()
    pages = failed_matches(found, match_ids, Selection(reason, station, until=now))
    planned = [each for page in pages for each in previews(page, values, done, now)]
    if not as_json:
        _show_previews(planned)
    if planned and has_consent(_mend_question(planned, and_retry=and_retry), yes=yes, as_json=as_json):
        mend(found, planned, done, who=identity(found), now=now, retry=and_retry)
    if as_json:
        print_json(done)
    else:
        _show_left(done.left)
        out.print(
            f"Corrected: {_matches_in_words(len(done.mended))}. To wait again: {_matches_in_words(done.retried)}."
        )
    if (match_ids and done.left) or done.refused:
        raise typer.Exit(1)


def _time(option: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else timestamps.from_text(text)
    except ValueError:
        wanted = "it must be an ISO 8601 time with an offset, like 2026-03-14T08:00:00+01:00"
        raise CommandError(f"{option} is {shown(text)}: {wanted}") from None


def _question(planned: RetryTally) -> str:
    again = f", of which {planned.defective:,} would fail again unless corrected first" if planned.defective else ""
    return f"To wait again: {_matches_in_words(planned.retried)}{again}. Retry?"


def _matches_in_words(number: int) -> str:
    return counted(number, "match", "matches") if number else "none"


def _mend_question(planned: Sequence[Preview], *, and_retry: bool) -> str:
    defective = sum(each.defect is not None for each in planned)
    fail = f", of which {defective:,} would still fail" if defective else ""
    return f"To correct: {_matches_in_words(len(planned))}{fail}. Correct{' and retry' if and_retry else ''}?"


def _show_previews(planned: Sequence[Preview]) -> None:
    sentences = []
    for each in planned:
        changes = "; ".join(
            f"{change.attribute}: {_value(change.then)} -> {_value(change.now)}" for change in each.changes
        )
        verdict = f"would still fail: {each.defect}" if each.defect else "valid then"
        if each.suggested_track_id:
            verdict += f"; a log names this recording --set track_id={each.suggested_track_id}"
        sentences.append(f"match {each.match_id}: {changes} ({verdict})")
    print_first(out, sentences, PREVIEWS_SHOWN, "matches", len(sentences))


def _show_list(listed: FailureList) -> None:
    if not listed.counts:
        out.print("No failures.")
        return
    counts = table("reason", numbers=["failures"])
    for code, count in sorted(listed.counts.items(), key=lambda each: -each[1]):
        counts.add_row(code, f"{count:,}")
    if len(listed.counts) > 1:
        counts.add_row("all", f"{sum(listed.counts.values()):,}")
    out.print(counts)
    if not listed.newest:
        return
    out.print(f"\nthe newest {len(listed.newest):,}, and the state of their matches now:")
    for each in listed.newest:
        station = f", {each.station_id}" if each.station_id else ""
        out.print(
            f"{each.failed_at} {each.match_id} (attempt {each.attempt}{station}; {each.now}): {each.reason}",
            soft_wrap=True,
        )


def _show_history(history: History) -> None:
    out.print(f"match {history.match_id} {_NOW[history.state]}", style="bold", soft_wrap=True)
    for attempt in history.attempts:
        again = "the pipeline tries again" if attempt.will_retry else "final"
        out.print(f"\nattempt {attempt.attempt}, {attempt.failed_at}: {attempt.reason_code}, {again}", soft_wrap=True)
        out.print(f"  {attempt.reason}", soft_wrap=True)
    if history.match is None and history.attempts:
        out.print("\nas it was:")
        _show_values(history.attempts[-1].match)
    if history.match is not None:
        out.print("\nas it is now:")
        _show_values({name: value for name, value in history.match.items() if name != "mended"})
        _show_mended(history.match.get("mended"))
    if history.changes:
        out.print("\nchanged since it failed:")
        for change in history.changes:
            out.print(f"  {change.attribute}: {_value(change.then)} -> {_value(change.now)}", soft_wrap=True)
    if history.state == State.FAILED:
        out.print()
        out.print(_advice(history), soft_wrap=True)


_NOW = {
    None: "is not in MatchCache any more",
    State.WAITING: "waits: the next run converts it",
    State.PLAYED: "is played",
    State.FAILED: "has failed",
    State.STRANDED: "is stranded: see `playlog audit`",
    State.IN_TWO_STATES: "is in two states at once: see `playlog audit`",
}


def _advice(history: History) -> str:
    if history.defect:
        return f"It would fail again as it is now: {history.defect}. Correct that first."
    if not history.changes:
        return "Nothing was changed since it failed. `playlog failures retry` lets it wait again."
    return "Validation finds nothing wrong with it now: `playlog failures retry` lets it wait again."


def _show_mended(entries: Any) -> None:
    """The corrections that `playlog failures mend` wrote. Whatever else is in the attribute is shown as it is."""
    if not entries:
        return
    out.print("\ncorrected:")
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, dict) and {"at", "by", "attribute", "from", "to"} <= entry.keys():
            change = f"{entry['attribute']}: {_value(entry['from'])} -> {_value(entry['to'])}"
            out.print(f"  {entry['at']} by {entry['by']}: {change}", soft_wrap=True)
        else:
            out.print(f"  {_value(entry)}", soft_wrap=True)


def _show_values(values: Mapping[str, Any]) -> None:
    for name, value in sorted(values.items()):
        out.print(f"  {name}: {_value(value)}", soft_wrap=True)


def _value(value: Any) -> str:
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)


def _show_left(left: Sequence[LeftMatch]) -> None:
    for each in left[:LEFT_SHOWN]:
        err.print(f"match {each.match_id} is left as it is: {each.why}", soft_wrap=True)
    for why, count in Counter(each.why for each in left[LEFT_SHOWN:]).items():
        err.print(f"... and {count:,} more: {why}", soft_wrap=True)


def _show_retried(done: RetryTally) -> None:
    _show_left(done.left)
    out.print(f"To wait again: {_matches_in_words(done.retried)}.")
