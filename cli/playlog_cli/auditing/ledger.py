"""The first look of an audit: takes in every item once and names the suspects. Pure."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from playlog.domain.match import Item
from playlog.domain.play import PlayKey

from playlog_cli.auditing.account import Account
from playlog_cli.auditing.invariants import own_violations
from playlog_cli.auditing.items import (
    State,
    airing_of,
    attempts,
    difference,
    key_of,
    match_count,
    may_lack_matches,
    play_key,
    state_of,
    text,
)


class Ledger:
    """Takes in the three tables, item by item, and tells who is under suspicion.

    Plays first, then matches, then records. A play is there for good once a match is played, and so is the record of
    a failed conversion: in this order, what changes meanwhile can raise a suspicion that a second look dispels, but a
    breach that is there all the while cannot go unseen.

    Args:
        shards: the stack's ``UnprocessedShards``, 1 to 64.
        now: in epoch seconds: which matches may have expired.

    Attributes:
        states: how many matches were seen in each state.
        plays: how many plays were seen.
        records: how many failed conversions were seen.
    """

    def __init__(self, shards: int, now: float) -> None:
        self.states: Counter[State] = Counter()
        self.plays = 0
        self.records = 0
        self._shards = shards
        self._now = now
        # Plays that may lack matches, by the match that they say created them.
        self._creators: dict[str, PlayKey] = {}
        self._accounts: dict[PlayKey, Account] = {}
        self._claims: dict[PlayKey, list[str]] = {}  # matches of plays that were not there
        self._odd: list[str] = []
        # By match and attempt, the hash of what the record must say; None where any will do.
        self._records_due: dict[tuple[str, int | Decimal], int | None] = {}

    def add_play(self, play: Item) -> None:
        """Takes in an item of PlayLog."""
        self.plays += 1
        key, creator = key_of(play), text(play, "match_id")
        account = Account(match_count(play), creator=creator, says=airing_of(play))
        if may_lack_matches(play, self._now):
            account.may_lack_matches = True
            self._creators[creator] = key
        self._accounts[key] = account

    def add_match(self, match: Item) -> None:
        """Takes in an item of MatchCache."""
        match_id = match["match_id"]["S"]
        state = state_of(match, self._shards)
        self.states[state] += 1
        if own_violations(match, state, self._shards):
            self._odd.append(match_id)
        key = play_key(match)
        if key:
            self._claim(key, match)
        created = self._creators.get(match_id)
        if created is not None and created != key:
            self._accounts[created].may_lack_matches = False  # its creator is there, and is not its match
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
            if account.may_lack_matches and account.match_count is not None and account.matches < account.match_count:
                continue
            counts = account.matches == account.match_count and account.creator is None
            if not counts or (account.says and difference(account.says, account.heard)):
                yield key, account

    def claimants(self, key: PlayKey) -> list[str]:
        """Ids of the matches that name a play which was not there when the plays were read."""
        return self._claims.get(key, [])
