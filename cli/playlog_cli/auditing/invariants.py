"""The law (CONTRACT, The law), judged from what was read of the tables. Pure: ``commands.audit`` does the reading.

The tables change while they are read, so it takes two looks. A ``Ledger`` is told every item once and names suspects,
in memory that holds a few hundred bytes a play. ``judge_match`` and ``judge_play`` then judge a suspect by what a
second, strongly consistent look at it and at what it names has found.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.play import PlayKey, play_id_of
from playlog.domain.shards import shard_of
from playlog.dynamodb.limits import SORT_KEY_BYTES, text_bytes

from playlog_cli.errors import shown

# What the law speaks of: all that need be read of each table.
MATCH_ATTRIBUTES = (
    "match_id",
    "unprocessed_shard",
    "matched_at",
    "track_id",
    "station_id",
    "processed",
    "processed_at",
    "play_id",
    "duration_seconds",
    "avg_confidence_score",
    "attempts",
    "failed_reason",
)
PLAY_ATTRIBUTES = (
    "station_id",
    "play_id",
    "match_id",
    "match_count",
    "start_time",
    "stop_time",
    "avg_confidence_score",
)
RECORD_ATTRIBUTES = ("match_id", "attempt", "reason", "will_retry")

# Seconds, or points of confidence: how far apart two sums in floating point may be and mean the same.
ALIKE = 1e-5


class State(StrEnum):
    """What a match is seen to be. The law knows the first three, and of them exactly one a match."""

    WAITING = "waiting"
    PLAYED = "played"
    FAILED = "failed"
    STRANDED = "stranded"
    IN_TWO_STATES = "in two states"


_IN_WORDS = {
    State.WAITING: "waits",
    State.PLAYED: "is played",
    State.FAILED: "has failed",
    State.STRANDED: "is stranded",
    State.IN_TWO_STATES: "is in two states",
}


class Kind(StrEnum):
    """How the law can be broken."""

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
    """One breach of the law.

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


class Heard(NamedTuple):
    """What a play says of its airing, or its matches do. Times are in seconds since 1970.

    Attributes:
        start: earliest ``matched_at``; None where it is no time.
        stop: latest ``matched_at + duration_seconds``.
        mean: of the confidences of those that have one.
    """

    start: float | None
    stop: float | None
    mean: float | None


@dataclass(slots=True)
class Account:
    """What the ledger knows of a play.

    Attributes:
        match_count: what the play says, when it was read; None if it was not there when the plays were.
        matches: how many matches were found to be of it.
        creator: the match that it says created it, until that is found among them.
        says: what the play says of its airing, when it was read; None once all its matches agree.
        start: earliest time of its matches; None once one of them has no time that can be read.
        stop: latest stop of its matches; None once one of them states no duration, so that the stack's default counts.
        score: sum of the confidences of its matches.
        scores: how many have one.
    """

    match_count: int | None
    matches: int = 0
    creator: str | None = None
    says: Heard | None = None
    start: float | None = float("inf")
    stop: float | None = float("-inf")
    score: float = 0.0
    scores: int = 0

    @property
    def heard(self) -> Heard:
        """What its matches say of the airing."""
        return Heard(self.start, self.stop, self.score / self.scores if self.scores else None)

    def add(self, match: Item) -> None:
        """Takes in a match of the play."""
        self.matches += 1
        if self.creator == match["match_id"]["S"]:
            self.creator = None
        start, seconds = _time(match, "matched_at"), _number(match, "duration_seconds")
        self.start = None if start is None or self.start is None else min(self.start, start)
        if start is None or seconds is None or self.stop is None:
            self.stop = None
        else:
            self.stop = max(self.stop, start + seconds)
        score = _number(match, "avg_confidence_score")
        if score is not None:
            self.score += score
            self.scores += 1
        if self.matches == self.match_count and self.says and not _differ(self.says, self.heard):
            # It agrees with all of its matches: of a million plays, only those that do not are kept in full.
            self.says = self.start = self.stop = None
            self.score, self.scores = 0.0, 0


class Ledger:
    """Takes in the three tables, item by item, and tells who is under suspicion.

    Plays first, then matches, then records. A play is there for good once a match is played, and so is the record of
    a failed conversion: in this order, what changes meanwhile can raise a suspicion that a second look dispels, but a
    breach that is there all the while cannot go unseen.

    Args:
        shards: the stack's ``UnprocessedShards``, 1 to 64.

    Attributes:
        states: how many matches were seen in each state.
        plays: how many plays were seen.
        records: how many failed conversions were seen.
    """

    def __init__(self, shards: int) -> None:
        self.states: Counter[State] = Counter()
        self.plays = 0
        self.records = 0
        self._shards = shards
        self._accounts: dict[PlayKey, Account] = {}
        self._claims: dict[PlayKey, list[str]] = {}  # matches of plays that were not there
        self._odd: list[str] = []
        # By match and attempt, the hash of what the record must say; None where any will do.
        self._records_due: dict[tuple[str, int | Decimal], int | None] = {}

    def add_play(self, play: Item) -> None:
        """Takes in an item of PlayLog."""
        self.plays += 1
        self._accounts[_key_of(play)] = Account(match_count(play), creator=text(play, "match_id"), says=_heard(play))

    def add_match(self, match: Item) -> None:
        """Takes in an item of MatchCache."""
        match_id = match["match_id"]["S"]
        state = state_of(match, self._shards)
        self.states[state] += 1
        if _own_violations(match, state, self._shards):
            self._odd.append(match_id)
        if key := play_key(match):
            self._claim(key, match)
        attempt = attempts(match)
        if state is State.FAILED:
            self._records_due[match_id, attempt] = hash(text(match, "failed_reason"))
        elif attempt:
            self._records_due[match_id, attempt] = None

    def _claim(self, key: PlayKey, match: Item) -> None:
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = Account(match_count=None)
        if account.match_count is None:
            self._claims.setdefault(key, []).append(match["match_id"]["S"])
        account.add(match)

    def add_record(self, record: Item) -> None:
        """Takes in an item of FailedPlayLog."""
        self.records += 1
        match_id = record["match_id"]["S"]
        # A number made by hand may be no whole one: then it is the record of no attempt.
        due = self._records_due.pop((match_id, Decimal(record["attempt"]["N"])), None)
        if due is not None and (due != hash(text(record, "reason")) or record.get("will_retry") != {"BOOL": False}):
            self._odd.append(match_id)

    def suspected_matches(self) -> Iterator[str]:
        """Ids of matches that need a second look, each once."""
        yield from dict.fromkeys([*self._odd, *(match_id for match_id, _ in self._records_due)])

    def suspected_plays(self) -> Iterator[tuple[PlayKey, Account]]:
        """Plays that need a second look, with what is known of them."""
        for key, account in self._accounts.items():
            counts = account.matches == account.match_count and account.creator is None
            if not counts or (account.says and _differ(account.says, account.heard)):
                yield key, account

    def claimants(self, key: PlayKey) -> list[str]:
        """Ids of the matches that name a play which was not there when the plays were read."""
        return self._claims.get(key, [])


def judge_match(match: Item, play: Item | None, record: Item | None, shards: int) -> list[Violation]:
    """Judges a match by a second look.

    Args:
        match: as it is now.
        play: the play that it names, read after it; None if there is none.
        record: the FailedPlayLog item of its last attempt, read after it; None if there is none.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
    """
    state = state_of(match, shards)
    found = _own_violations(match, state, shards)
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


def judge_play(key: PlayKey, account: Account, play: Item | None, creator: Item | None) -> list[Violation] | None:
    """Judges a play by a second look.

    Every match that joins a play raises its ``match_count`` in the same transaction. So if that is now what it was
    before the matches were counted, none joined meanwhile, and the count stands.

    Args:
        key: of the play.
        account: what the ledger knows of it.
        play: as it is now; None if it is not there.
        creator: the match that it says created it, as it is now; None if it is not there.

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
    if not account.matches:
        sentence = f"play {_shown_key(key)} says {count} matches, and no match is of it"
        found.append(Violation(Kind.PLAY_WITHOUT_MATCHES, sentence, None, *key))
    elif account.matches != count:
        sentence = f"play {_shown_key(key)} says {count} matches, and {account.matches} are of it"
        found.append(Violation(Kind.PLAY_MISCOUNTED, sentence, None, *key))
    elif why := _differ(_heard(play), account.heard):
        found.append(Violation(Kind.PLAY_DIFFERS, f"play {_shown_key(key)} {why}", None, *key))
    creator_id = text(play, "match_id")
    if creator is not None and play_key(creator) != key:
        sentence = f"play {_shown_key(key)} was created by match {shown(creator_id)}, which {_state_in_words(creator)}"
        found.append(Violation(Kind.PLAY_OF_ANOTHER_MATCH, sentence, creator_id, *key))
    elif creator is None and not found:
        sentence = f"play {_shown_key(key)} was created by match {shown(creator_id)}, which is not in MatchCache"
        found.append(Violation(Kind.PLAY_OF_ANOTHER_MATCH, sentence, creator_id, *key))
    return found


def state_of(match: Item, shards: int) -> State:
    """The state that a match shows.

    Args:
        match: item of MatchCache.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
    """
    match _marks(match):
        case []:
            return State.STRANDED
        case [State.WAITING]:
            return State.STRANDED if _why_unread(match, shards) else State.WAITING
        case [state]:
            return state
        case _:
            return State.IN_TWO_STATES


def play_key(match: Item) -> PlayKey | None:
    """Key of the play that a match says accounts for it; None if it is not played, or names none."""
    station_id, play_id = text(match, "station_id"), text(match, "play_id")
    return PlayKey(sys.intern(station_id), play_id) if _is_played(match) and station_id and play_id else None


def attempts(match: Item) -> int:
    """How many conversions of a match have failed; 0 where that is no number or below, as the converter counts."""
    return max(0, int(Decimal(match.get("attempts", {}).get("N", "0"))))


def match_count(play: Item) -> int:
    """How many matches a play says it accounts for; 0 where that is no number."""
    return int(Decimal(play.get("match_count", {}).get("N", "0")))


def text(item: Item, name: str) -> str:
    """An attribute of type text, else an empty one: of another type it is absent, as far as the law is concerned."""
    value: str = item.get(name, {}).get("S", "")
    return value


def _heard(play: Item) -> Heard:
    return Heard(_time(play, "start_time"), _time(play, "stop_time"), _number(play, "avg_confidence_score"))


def _time(item: Item, name: str) -> float | None:
    try:
        return timestamps.from_text(text(item, name)).timestamp()
    except ValueError:
        return None


def _number(item: Item, name: str) -> float | None:
    return float(item[name]["N"]) if "N" in item.get(name, {}) else None


def _differ(says: Heard, heard: Heard) -> str | None:
    """Where a play contradicts its matches, in words; None if nowhere. What either does not say is not judged."""
    for name, said, found in zip(("starts", "stops"), says, heard, strict=False):
        if said is not None and found is not None and abs(said - found) > ALIKE:
            return f"{name} at {_clock(said)}, and by its matches at {_clock(found)}"
    if says.mean is not None and heard.mean is not None and abs(says.mean - heard.mean) > ALIKE:
        return f"has a mean confidence of {says.mean:g}, and by its matches of {heard.mean:g}"
    return None


def _clock(seconds: float) -> str:
    return timestamps.to_text(datetime.fromtimestamp(seconds, UTC))


def home_shard(match: Item, shards: int) -> str:
    """The shard that a writer would have given a match (CONTRACT, MatchCache).

    Args:
        match: item of MatchCache.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
    """
    station_id = text(match, "station_id")
    return shard_of(station_id if station_id.strip() else match["match_id"]["S"], shards)


def can_wait(match: Item) -> bool:
    """Whether the index of matches that wait can hold a match: it needs a time, if only one that a run will refuse."""
    return 0 < text_bytes(text(match, "matched_at")) <= SORT_KEY_BYTES


def own_play(match: Item) -> PlayKey | None:
    """Key of the play that a match would create; None if it cannot."""
    try:
        start = timestamps.from_text(text(match, "matched_at"))
    except ValueError:
        return None
    return PlayKey(text(match, "station_id"), play_id_of(start, text(match, "track_id")))


def _own_violations(match: Item, state: State, shards: int) -> list[Violation]:
    """What is wrong with a match whatever the other tables hold."""
    match_id = match["match_id"]["S"]
    found = []
    match state:
        case State.STRANDED:
            sentence = f"match {shown(match_id)} is stranded: {_why_unread(match, shards)}"
            found.append(Violation(Kind.STRANDED, sentence, match_id))
        case State.IN_TWO_STATES:
            marks = " and ".join(_IN_WORDS[mark] for mark in _marks(match))
            sentence = f"match {shown(match_id)} {marks} at once"
            found.append(Violation(Kind.IN_TWO_STATES, sentence, match_id))
        case State.WAITING if mark := text(match, "play_id") or text(match, "processed_at"):
            name = "play_id" if text(match, "play_id") else "processed_at"
            sentence = f"match {shown(match_id)} waits, and has {name} {shown(mark)} as if it were played"
            found.append(Violation(Kind.IN_TWO_STATES, sentence, match_id))
    if _is_played(match):
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


def _marks(match: Item) -> list[State]:
    """The states whose mark a match has."""
    shown_states = (
        (State.WAITING, "NULL" not in match.get("unprocessed_shard", {"NULL": True})),
        (State.PLAYED, _is_played(match)),
        (State.FAILED, bool(text(match, "failed_reason"))),
    )
    return [state for state, is_shown in shown_states if is_shown]


def _is_played(match: Item) -> bool:
    return match.get("processed") == {"BOOL": True}


def _why_unread(match: Item, shards: int) -> str | None:
    """Why no run reads a match that shows no other state; None if one does."""
    why = []
    shard = text(match, "unprocessed_shard")
    if "unprocessed_shard" not in match:
        why.append("it has no unprocessed_shard")
    elif shard not in map(str, range(shards)):
        why.append(f"its unprocessed_shard is {shown(shard)}, and the stack has '0' to '{shards - 1}'")
    if not text(match, "matched_at"):
        why.append("it has no matched_at")
    return "; ".join(why) or None


def _state_in_words(match: Item) -> str:
    """What a match is that a play wrongly claims to be created by."""
    if key := play_key(match):
        return f"is of play {_shown_key(key)}: it was played twice"
    if text(match, "failed_reason"):
        return "has failed"
    return "is not played: it was written a second time"


def _key_of(play: Item) -> PlayKey:
    return PlayKey(sys.intern(play["station_id"]["S"]), play["play_id"]["S"])  # a million plays, a few stations


def _shown_key(key: PlayKey) -> str:
    return f"{shown(key.play_id)} of station {shown(key.station_id)}"
