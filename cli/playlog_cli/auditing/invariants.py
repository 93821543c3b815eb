"""The invariants (docs/contract.md, The invariants), checked on items of the tables. Pure: ``audit`` does the reading.

The tables change while they are read, so it takes two looks. A ``Ledger`` is told every item once and names suspects,
in memory that holds a few hundred bytes a play. ``check_match`` and ``check_play`` then check a suspect by what a
second, strongly consistent look at it and at what it names has found.
"""

from dataclasses import dataclass
from enum import StrEnum

from playlog.domain.match import Item
from playlog.domain.play import PlayKey

from playlog_cli.auditing.account import Account
from playlog_cli.auditing.items import (
    State,
    airing_of,
    attempts,
    difference,
    is_played,
    marks_of,
    match_count,
    may_lack_matches,
    play_key,
    state_of,
    text,
    why_unread,
)
from playlog_cli.errors import shown

_IN_WORDS = {
    State.WAITING: "waits",
    State.PLAYED: "is played",
    State.FAILED: "has failed",
    State.STRANDED: "is stranded",
    State.IN_TWO_STATES: "is in two states",
}


class Kind(StrEnum):
    """The kinds of violation."""

    STRANDED = "stranded"
    IN_TWO_STATES = "in_two_states"
    PLAYED_WITHOUT_PLAY = "played_without_play"
    PLAYED_WITHOUT_TIME = "played_without_processed_at"
    FAILED_WITHOUT_RECORD = "failed_without_record"
    RECORD_DIFFERS = "record_differs"
    PLAY_MISCOUNTED = "play_miscounted"
    PLAY_WITHOUT_MATCHES = "play_without_matches"
    PLAY_OF_ANOTHER_MATCH = "play_of_another_match"
    PLAY_DIFFERS = "play_differs"


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation of the invariants.

    Attributes:
        kind: for machines.
        sentence: for people: what contradicts what, with the keys.
        match_id: the match it is about, if it is about one.
        station_id: with ``play_id``, the play it is about, if it is about one.
        play_id: see ``station_id``.
        attempt: the failed conversion it is about, if it is about one.
    """

    kind: Kind
    sentence: str
    match_id: str | None = None
    station_id: str | None = None
    play_id: str | None = None
    attempt: int | None = None

    @property
    def play_key(self) -> PlayKey | None:
        """The play it is about."""
        return None if self.station_id is None or self.play_id is None else PlayKey(self.station_id, self.play_id)


def check_match(match: Item, play: Item | None, record: Item | None, shards: int) -> list[Violation]:
    """Finds the violations of a match in a second look.

    Args:
        match: as it is now.
        play: the play that it names, read after it; None if there is none.
        record: the FailedPlayLog item of its last attempt, read after it; None if there is none.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
    """
    state = state_of(match, shards)
    found = own_violations(match, state, shards)
    match_id, key, attempt = match["match_id"]["S"], play_key(match), attempts(match)
    if key and play is None:
        sentence = f"match {shown(match_id)} is played, and its play {_shown_key(key)} is not in PlayLog"
        found.append(Violation(Kind.PLAYED_WITHOUT_PLAY, sentence, match_id, *key))
    if (state is State.FAILED or attempt) and record is None:
        tried = "" if state is State.FAILED else f" after {attempt} failed attempts"
        sentence = f"match {shown(match_id)} {_IN_WORDS[state]}{tried}, and attempt {attempt} has no record"
        found.append(Violation(Kind.FAILED_WITHOUT_RECORD, sentence, match_id, attempt=attempt))
    elif state is State.FAILED and record is not None:
        found += _differences(match, record, attempt)
    return found


def check_play(
    key: PlayKey, account: Account, play: Item | None, creator: Item | None, now: float
) -> list[Violation] | None:
    """Finds the violations of a play in a second look.

    Every match that joins a play raises its ``match_count`` in the same transaction. So if that is now what it was
    before the matches were counted, none joined meanwhile, and the count stands.

    Args:
        key: of the play.
        account: what the ledger knows of it.
        play: as it is now; None if it is not there.
        creator: the match that it says created it, as it is now; None if it is not there.
        now: in epoch seconds: which matches may have expired.

    Returns:
        The violations, or None where it was written while its matches were counted: count them again.
    """
    if play is None:
        # Where it was not there before either, it is the matches that are wrong to name it.
        return [] if account.match_count is None else None
    count = match_count(play)
    # One that came while they were counted stands if all of its matches were among them.
    if count != (account.matches if account.match_count is None else account.match_count):
        return None
    found = []
    has_expired = may_lack_matches(play, now) and account.matches < count
    if has_expired:
        pass  # the play stays and keeps its match_count: what is left of its matches says nothing about the others
    elif not account.matches:
        sentence = f"play {_shown_key(key)} says {count} matches, and no match is of it"
        found.append(Violation(Kind.PLAY_WITHOUT_MATCHES, sentence, None, *key))
    elif account.matches != count:
        sentence = f"play {_shown_key(key)} says {count} matches, and {account.matches} are of it"
        found.append(Violation(Kind.PLAY_MISCOUNTED, sentence, None, *key))
    elif why := difference(airing_of(play), account.heard):
        found.append(Violation(Kind.PLAY_DIFFERS, f"play {_shown_key(key)} {why}", None, *key))
    creator_id = text(play, "match_id")
    if creator is not None and play_key(creator) != key:
        sentence = f"play {_shown_key(key)} was created by match {shown(creator_id)}, which {_state_in_words(creator)}"
        found.append(Violation(Kind.PLAY_OF_ANOTHER_MATCH, sentence, creator_id, *key))
    elif creator is None and not found and not has_expired:
        sentence = f"play {_shown_key(key)} was created by match {shown(creator_id)}, which is not in MatchCache"
        found.append(Violation(Kind.PLAY_OF_ANOTHER_MATCH, sentence, creator_id, *key))
    return found


def own_violations(match: Item, state: State, shards: int) -> list[Violation]:
    """What is wrong with a match whatever the other tables hold."""
    match_id = match["match_id"]["S"]
    found = []
    match state:
        case State.STRANDED:
            sentence = f"match {shown(match_id)} is stranded: {why_unread(match, shards)}"
            found.append(Violation(Kind.STRANDED, sentence, match_id))
        case State.IN_TWO_STATES:
            marks = " and ".join(_IN_WORDS[mark] for mark in marks_of(match))
            sentence = f"match {shown(match_id)} {marks} at once"
            found.append(Violation(Kind.IN_TWO_STATES, sentence, match_id))
        case State.WAITING if mark := text(match, "play_id") or text(match, "processed_at"):
            name = "play_id" if text(match, "play_id") else "processed_at"
            sentence = f"match {shown(match_id)} waits, and has {name} {shown(mark)} as if it were played"
            found.append(Violation(Kind.IN_TWO_STATES, sentence, match_id))
    if state in (State.WAITING, State.FAILED) and "NULL" not in match.get("expires_at", {"NULL": True}):
        sentence = f"match {shown(match_id)} {_IN_WORDS[state]}, and has expires_at, so that DynamoDB may delete it"
        found.append(Violation(Kind.IN_TWO_STATES, sentence, match_id))
    if is_played(match):
        if not play_key(match):
            lacking = "play_id" if text(match, "station_id") else "station_id"
            sentence = f"match {shown(match_id)} is played and has no {lacking}, so that it names no play"
            found.append(Violation(Kind.PLAYED_WITHOUT_PLAY, sentence, match_id))
        if not text(match, "processed_at"):
            sentence = f"match {shown(match_id)} is played and has no processed_at"
            found.append(Violation(Kind.PLAYED_WITHOUT_TIME, sentence, match_id))
    return found


def _differences(match: Item, record: Item, attempt: int) -> list[Violation]:
    """Where a failed match and the record of its last attempt contradict each other."""
    match_id = match["match_id"]["S"]
    reason, recorded = text(match, "failed_reason"), text(record, "reason")
    if reason != recorded:
        sentence = (
            f"match {shown(match_id)} has failed because {shown(reason)}, "
            f"and the record of its attempt {attempt} says {shown(recorded)}"
        )
    elif record.get("will_retry") != {"BOOL": False}:
        sentence = (
            f"match {shown(match_id)} has failed for good, "
            f"and the record of its attempt {attempt} says that it is tried again"
        )
    else:
        return []
    return [Violation(Kind.RECORD_DIFFERS, sentence, match_id, attempt=attempt)]


def _state_in_words(match: Item) -> str:
    """What a match is that a play wrongly claims to be created by."""
    if key := play_key(match):
        return f"is of play {_shown_key(key)}: it was played twice"
    if text(match, "failed_reason"):
        return "has failed"
    return "is not played: it was written a second time"


def _shown_key(key: PlayKey) -> str:
    return f"{shown(key.play_id)} of station {shown(key.station_id)}"
