"""What the first look of an audit knows about one play. Pure."""

from dataclasses import dataclass

from playlog.domain.match import Item

from playlog_cli.auditing.items import (
    Heard,
    difference,
    number,
    time_of,
)


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
        may_lack_matches: whether some of its matches may have expired.
    """

    match_count: int | None
    matches: int = 0
    creator: str | None = None
    says: Heard | None = None
    start: float | None = float("inf")
    stop: float | None = float("-inf")
    score: float = 0.0
    scores: int = 0
    may_lack_matches: bool = False

    @property
    def heard(self) -> Heard:
        """What its matches say of the airing."""
        return Heard(self.start, self.stop, self.score / self.scores if self.scores else None)

    def add(self, match: Item) -> None:
        """Takes in a match of the play."""
        self.matches += 1
        if self.creator == match["match_id"]["S"]:
            self.creator = None
        start, seconds = time_of(match, "matched_at"), number(match, "duration_seconds")
        self.start = None if start is None or self.start is None else min(self.start, start)
        if start is None or seconds is None or self.stop is None:
            self.stop = None
        else:
            self.stop = max(self.stop, start + seconds)
        score = number(match, "avg_confidence_score")
        if score is not None:
            self.score += score
            self.scores += 1
        if self.matches == self.match_count and self.says and not difference(self.says, self.heard):
            # It agrees with all of its matches: of a million plays, only those that do not are kept in full.
            self.says = self.start = self.stop = None
            self.score, self.scores = 0.0, 0
