"""Plays: a station's day on a time line, a track's plays, a play with its matches, and edits of a play."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, time, timedelta

from playlog.domain.match import Item
from playlog.domain.play import PlayKey
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.records import plain_values
from playlog_cli.plays.edits import Edit, edit_play, edits_for, read_play
from playlog_cli.plays.matches import matches_of_day, matches_of_play
from playlog_cli.plays.reading import line_of, newest_play, plays_of_day, plays_of_track
from playlog_cli.plays.stations import stations_of
from playlog_cli.stacks.tables import can_be_key
from playlog_cli.web.addresses import key_of, number_of, query_of, text_of, unpacked
from playlog_cli.web.desk import Desk
from playlog_cli.web.rendering import local
from playlog_cli.web.routing import see_other, show
from playlog_cli.web.timeline import WIDTH, gaps_of, overlaps_of, rows_of

MOST_STATIONS = 200
TRACK_PAGE = 100
EDITED = {
    Edit.FLAG: "The play is flagged.",
    Edit.UNFLAG: "The play is not flagged any more.",
    Edit.WITHDRAW: "The play is withdrawn: it counts nowhere.",
    Edit.RESTORE: "The play is restored.",
}


def show_search(desk: Desk, request: Request) -> Response:
    """Asks for a station and a day, or for a track."""
    del request
    stations = stations_of(desk.stack, MOST_STATIONS)
    return show(desk, "plays.html.j2", stations=stations, are_all=len(stations) < MOST_STATIONS, day=_today(desk))


def show_day(desk: Desk, request: Request) -> Response:
    """A station's day on a time line, and as a table."""
    params = request.query_params
    station_id = unpacked(params["key"]) if "key" in params else params.get("station", "")
    if not station_id.strip():
        raise CommandError("name a station")
    day = _day(params.get("day", ""), desk)
    start, end = _midnight(day, desk), _midnight(day + timedelta(days=1), desk)
    plays = plays_of_day(desk.stack, station_id, start, end)
    found = matches_of_day(desk.stack, station_id, start, end, plays)
    newest = None if plays or found.matches else newest_play(desk.stack, station_id)
    names = {each.track_id: ", ".join(filter(None, (each.title, each.artist))) for each in found.matches if each.title}
    return show(
        desk,
        "day.html.j2",
        station=station_id,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        plays=plays,
        last_day=local(newest.start, desk.zone).date() if newest else None,
        matches=found.matches,
        is_complete=found.after is None,
        rows=rows_of(start, end, plays, found.matches, names, desk.zone),
        gaps=len(list(gaps_of(plays))),
        overlaps=overlaps_of(plays),
        names=names,
        width=WIDTH,
    )


def show_track(desk: Desk, request: Request) -> Response:
    """The plays of a track, the newest first."""
    track_id = request.query_params.get("track", "")
    if not track_id:
        raise CommandError("name a track")
    after = request.query_params.get("after")
    plays, key = plays_of_track(desk.stack, track_id, _key_of(after) if after else None, TRACK_PAGE)
    older = f"/plays/track?{query_of({'track': track_id, 'after': _text_of(key)})}" if key else None
    return show(desk, "track.html.j2", track=track_id, plays=plays, older=older, is_first=not after)


def show_play(desk: Desk, request: Request) -> Response:
    """A play, what a person may do to it, and what persons did."""
    key = PlayKey(request.query_params.get("station", ""), request.query_params.get("play", ""))
    notice = request.query_params.get("notice", "")
    return _play_page(desk, key, notice=EDITED[Edit(notice)] if notice in set(Edit) else "")


def _play_page(desk: Desk, key: PlayKey, *, notice: str = "", problem: str = "", status: int = 200) -> Response:
    item = read_play(desk.stack, key)
    values = plain_values(item)
    edited = values.get("edited")
    play = line_of(item)
    return show(
        desk,
        "play.html.j2",
        status=status,
        play=play,
        day=local(play.start, desk.zone).date(),
        values={name: value for name, value in values.items() if name != "edited"},
        edits=edits_for(item),
        edited=[each for each in reversed(edited) if isinstance(each, dict)] if isinstance(edited, list) else [],
        notice=notice,
        problem=problem,
    )


def edit(desk: Desk, request: Request, form: FormData) -> Response:
    """Edits a play, if the attribute is still what the page showed."""
    del request
    key = PlayKey(key_of(form, "station"), key_of(form, "play"))
    try:
        wanted = Edit(text_of(form, "edit"))
    except ValueError:
        raise CommandError(f"edit is {shown(text_of(form, 'edit'))}: it must be one of {', '.join(Edit)}") from None
    done = edit_play(desk.stack, read_play(desk.stack, key), wanted, who=desk.who(), now=desk.now())
    if done.why_not:
        return _play_page(desk, key, problem=f"Nothing was changed: {done.why_not}.", status=409)
    query = query_of({"station": key.station_id, "play": key.play_id, "notice": wanted.value})
    return see_other(desk, f"/plays/play?{query}")


def show_matches(desk: Desk, request: Request) -> Response:
    """A part of a page: the matches of a play, found by searching MatchCache step by step."""
    params = request.query_params
    key = PlayKey(params.get("station", ""), params.get("play", ""))
    after = params.get("after")
    if after and not can_be_key(after):
        raise CommandError(f"there is no match {shown(after)} to go on after: load the play again")
    found = matches_of_play(desk.stack, key, after or None)
    step = number_of(params.get("step", "")) + 1
    more = query_of({"station": key.station_id, "play": key.play_id, "after": found.after or "", "step": step})
    return show(desk, "matches_part.html.j2", found=found, more=f"/plays/matches?{more}", step=step)


def _today(desk: Desk) -> date:
    return desk.now().astimezone(desk.zone).date()


def _day(text: str, desk: Desk) -> date:
    if not text:
        return _today(desk)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 2 < day.year < 9998:
        raise CommandError(f"the day is {shown(text)}: it must be a date like 2026-03-14")
    return day


def _midnight(day: date, desk: Desk) -> datetime:
    return datetime.combine(day, time(), desk.zone).astimezone(UTC)


def _text_of(key: Item) -> str:
    return urlsafe_b64encode(json.dumps(key).encode()).decode()


def _key_of(text: str) -> Item:
    try:
        key: Item = json.loads(urlsafe_b64decode(text.encode()))
        return {name: {"S": str(key[name]["S"])} for name in ("station_id", "play_id", "track_id", "played_at")}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CommandError(f"there is no page {shown(text)}: begin with the newest plays") from None
