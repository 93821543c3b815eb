"""The audit's judgement: a breach that goes unseen is money that nobody misses, a false one costs a day's search."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from playlog.domain.match import Item
from playlog.domain.play import PlayKey
from playlog.domain.shards import shard_of
from playlog_cli.auditing import invariants, items
from playlog_cli.auditing.account import Account
from playlog_cli.auditing.invariants import Kind, Violation
from playlog_cli.auditing.items import State
from playlog_cli.auditing.ledger import Ledger

from tests.support import invariants as referee
from tests.support.builders import make_item, without

SHARDS = 8
PLAY_ID = "2026-03-14T07:00:00.000000+0000#track-1"
KEY = PlayKey("station-1", PLAY_ID)
PROCESSED_AT = "2026-03-14T08:02:00.000000+0000"
NOW = 1_773_489_600  # 2026-03-14T12:00:00Z
EXPIRED: Item = {"matches_expire_at": {"N": str(NOW)}}
TO_EXPIRE: Item = {"matches_expire_at": {"N": str(NOW + 1)}}


def waiting(match_id: str = "m-1", **attributes: dict[str, Any]) -> Item:
    return make_item(match_id, **{"processed": {"BOOL": False}, **attributes})


def played(match_id: str = "m-1", **attributes: dict[str, Any]) -> Item:
    marks: Item = {"processed": {"BOOL": True}, "processed_at": {"S": PROCESSED_AT}, "play_id": {"S": PLAY_ID}}
    return without(make_item(match_id, **(marks | attributes)), "unprocessed_shard") | attributes


def failed(match_id: str = "m-1", **attributes: dict[str, Any]) -> Item:
    marks: Item = {"failed_reason": {"S": "track_id is blank"}, "attempts": {"N": "1"}}
    return without(waiting(match_id, **(marks | attributes)), "unprocessed_shard") | attributes


def play(match_count: int = 1, creator: str = "m-1", play_id: str = PLAY_ID) -> Item:
    return {
        "station_id": {"S": "station-1"},
        "play_id": {"S": play_id},
        "match_id": {"S": creator},
        "match_count": {"N": str(match_count)},
    }


def record(match_id: str = "m-1", attempt: int = 1, **attributes: dict[str, Any]) -> Item:
    return {
        "match_id": {"S": match_id},
        "attempt": {"N": str(attempt)},
        "reason": {"S": "track_id is blank"},
        "will_retry": {"BOOL": False},
        **attributes,
    }


@dataclass
class Tables:
    """What the three tables hold, and nothing changes."""

    matches: list[Item] = field(default_factory=list)
    plays: list[Item] = field(default_factory=list)
    records: list[Item] = field(default_factory=list)

    def violations(self) -> list[Violation]:
        ledger = Ledger(SHARDS, NOW)
        for item in self.plays:
            ledger.add_play(item)
        for item in self.matches:
            ledger.add_match(item)
        for item in self.records:
            ledger.add_record(item)
        suspects = set(ledger.suspected_matches())
        found = []
        for key, account in ledger.suspected_plays():
            now = self._play(key)
            verdict = invariants.check_play(key, account, now, self._match(items.text(now or {}, "match_id")), NOW)
            assert verdict is not None, "nothing was written meanwhile"
            found += verdict
            suspects |= set(ledger.claimants(key))
        for match_id in suspects:
            match = self._match(match_id)
            assert match
            key_of = items.play_key(match)
            found += invariants.check_match(match, key_of and self._play(key_of), self._record(match), SHARDS)
        return found

    def kinds(self) -> set[Kind]:
        return {each.kind for each in self.violations()}

    def _match(self, match_id: str) -> Item | None:
        return next((item for item in self.matches if item["match_id"]["S"] == match_id), None)

    def _play(self, key: PlayKey) -> Item | None:
        return next((item for item in self.plays if (item["station_id"]["S"], item["play_id"]["S"]) == key), None)

    def _record(self, match: Item) -> Item | None:
        key = (match["match_id"], items.attempts(match))
        return next((item for item in self.records if (item["match_id"], int(item["attempt"]["N"])) == key), None)


# --- What is right ---


def test_tables_that_keep_the_law_are_not_accused() -> None:
    tables = Tables(
        matches=[
            waiting("w-1"),
            waiting("w-2", attempts={"N": "1"}),
            waiting("w-3", failed_reason={"NULL": True}, play_id={"NULL": True}),
            played("p-1"),
            played("p-2", attempts={"N": "1"}),
            failed("f-1"),
            failed("f-2", attempts={"N": "2"}),
        ],
        plays=[play(2, "p-1")],
        records=[record("w-2"), record("p-2"), record("f-1"), record("f-2"), record("f-2", 2), record("gone")],
    )
    assert tables.violations() == []


# --- What is wrong, one of each kind ---


@pytest.mark.parametrize(
    ("match", "why"),
    [
        pytest.param(without(waiting(), "unprocessed_shard"), "it has no unprocessed_shard", id="no shard"),
        pytest.param(without(waiting(), "matched_at"), "it has no matched_at", id="no time"),
        pytest.param(
            without(without(waiting(), "matched_at"), "unprocessed_shard"),
            "it has no unprocessed_shard; it has no matched_at",
            id="neither",
        ),
        pytest.param(waiting(unprocessed_shard={"S": "8"}), "its unprocessed_shard is '8'", id="beyond the range"),
        pytest.param(waiting(unprocessed_shard={"S": "07"}), "its unprocessed_shard is '07'", id="no canonical number"),
        pytest.param(waiting(unprocessed_shard={"S": "-1"}), "its unprocessed_shard is '-1'", id="below the range"),
    ],
)
def test_a_match_that_no_run_reads_is_stranded(match: Item, why: str) -> None:
    (violation,) = Tables([match]).violations()
    assert (violation.kind, violation.match_id) == (Kind.STRANDED, "m-1")
    assert why in violation.sentence
    assert items.state_of(match, SHARDS) is State.STRANDED


@pytest.mark.parametrize(
    ("match", "sentence"),
    [
        (played(unprocessed_shard={"S": "3"}), "match 'm-1' waits and is played at once"),
        (failed(unprocessed_shard={"S": "3"}), "match 'm-1' waits and has failed at once"),
        (played(failed_reason={"S": "track_id is blank"}), "match 'm-1' is played and has failed at once"),
    ],
)
def test_a_match_in_two_states_is_found(match: Item, sentence: str) -> None:
    (violation,) = Tables([match], [play()] if items.play_key(match) else [], [record()]).violations()
    assert (violation.kind, violation.match_id, violation.sentence) == (Kind.IN_TWO_STATES, "m-1", sentence)


@pytest.mark.parametrize("mark", ["play_id", "processed_at"])
def test_a_match_that_was_set_back_by_hand_is_found(mark: str) -> None:
    (violation,) = Tables([waiting() | {mark: {"S": PLAY_ID}}]).violations()
    assert (violation.kind, violation.match_id) == (Kind.IN_TWO_STATES, "m-1")
    assert f"waits, and has {mark} '{PLAY_ID}' as if it were played" in violation.sentence


@pytest.mark.parametrize("match", [waiting(), failed()])
def test_a_match_that_dynamodb_would_delete_before_it_is_played_is_found(match: Item) -> None:
    (violation,) = Tables([match | {"expires_at": {"N": "1773489600"}}], [], [record()]).violations()
    assert (violation.kind, violation.match_id) == (Kind.IN_TWO_STATES, "m-1")
    assert violation.sentence.endswith("and has expires_at, so that DynamoDB may delete it")
    assert Tables([match | {"expires_at": {"NULL": True}}], [], [record()]).violations() == []


def test_a_played_match_whose_play_is_gone_is_found() -> None:
    (violation,) = Tables([played()]).violations()
    assert (violation.kind, violation.match_id, violation.play_key) == (Kind.PLAYED_WITHOUT_PLAY, "m-1", KEY)


@pytest.mark.parametrize("missing", ["play_id", "station_id"])
def test_a_played_match_that_names_no_play_is_found(missing: str) -> None:
    (violation,) = Tables([without(played(), missing)]).violations()
    assert (violation.kind, violation.match_id) == (Kind.PLAYED_WITHOUT_PLAY, "m-1")
    assert f"has no {missing}" in violation.sentence


def test_a_played_match_without_the_time_of_it_is_found() -> None:
    (violation,) = Tables([without(played(), "processed_at")], [play()]).violations()
    assert (violation.kind, violation.match_id) == (Kind.PLAYED_WITHOUT_TIME, "m-1")


@pytest.mark.parametrize(("says", "has"), [(2, 1), (1, 2), (0, 1)])
def test_a_play_that_counts_other_matches_than_it_has_is_found(says: int, has: int) -> None:
    tables = Tables([played(f"m-{number + 1}") for number in range(has)], [play(says)])
    (violation,) = tables.violations()
    assert (violation.kind, violation.play_key) == (Kind.PLAY_MISCOUNTED, KEY)
    assert f"says {says} matches, and {has} are of it" in violation.sentence


@pytest.mark.parametrize("matches", [[], [waiting("m-2")]])
def test_a_play_without_matches_is_found(matches: list[Item]) -> None:
    (violation,) = Tables(matches, [play()]).violations()
    assert (violation.kind, violation.play_key) == (Kind.PLAY_WITHOUT_MATCHES, KEY)


@pytest.mark.parametrize(
    ("creator", "what"),
    [
        (waiting(), "which is not played: it was written a second time"),
        (failed(), "which has failed"),
        (played(play_id={"S": "another"}), "which is of play 'another' of station 'station-1': it was played twice"),
    ],
)
def test_a_match_that_was_put_a_second_time_is_found_by_the_play_that_it_created(creator: Item, what: str) -> None:
    others = [play(1, "m-1", "another")] if items.play_key(creator) else []
    tables = Tables([creator, played("m-2")], [play(1, "m-1"), *others], [record()])
    (violation,) = tables.violations()
    assert (violation.kind, violation.match_id, violation.play_key) == (Kind.PLAY_OF_ANOTHER_MATCH, "m-1", KEY)
    assert what in violation.sentence


def test_a_play_whose_creator_is_gone_is_found_though_its_count_is_right() -> None:
    (violation,) = Tables([played("m-2")], [play(1, "m-1")]).violations()
    assert (violation.kind, violation.match_id, violation.play_key) == (Kind.PLAY_OF_ANOTHER_MATCH, "m-1", KEY)


@pytest.mark.parametrize(
    ("match", "attempt"),
    [
        (failed(), 1),
        (failed(attempts={"N": "2"}), 2),
        (without(failed(), "attempts"), 0),
        (waiting(attempts={"N": "3"}), 3),
        (played(attempts={"N": "3"}), 3),
    ],
)
def test_a_failure_that_nobody_recorded_is_found(match: Item, attempt: int) -> None:
    others = [record(attempt=1)] if attempt > 1 else []
    (violation,) = Tables([match], [play()] if items.play_key(match) else [], others).violations()
    assert (violation.kind, violation.match_id, violation.attempt) == (Kind.FAILED_WITHOUT_RECORD, "m-1", attempt)


@pytest.mark.parametrize("attributes", [{"reason": {"S": "source is 'TV'"}}, {"will_retry": {"BOOL": True}}])
def test_a_record_that_contradicts_its_match_is_found(attributes: Item) -> None:
    (violation,) = Tables([failed()], [], [record() | attributes]).violations()
    assert (violation.kind, violation.match_id, violation.attempt) == (Kind.RECORD_DIFFERS, "m-1", 1)


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ({"start_time": {"S": "2026-03-14T07:00:01+00:00"}}, "starts at 2026-03-14T07:00:01.000000+0000, and by its"),
        ({"stop_time": {"S": "2026-03-14T07:03:00+00:00"}}, "matches at 2026-03-14T07:03:30.000000+0000"),
        ({"avg_confidence_score": {"N": "80"}}, "has a mean confidence of 80, and by its matches of 70"),
    ],
)
def test_a_play_that_says_other_than_its_matches_is_found(says: Item, sentence: str) -> None:
    matches = [
        played("m-1", duration_seconds={"N": "180"}, avg_confidence_score={"N": "80"}),
        played("m-2", matched_at={"S": "2026-03-14T08:00:30+01:00"}, duration_seconds={"N": "180"}),
        played("m-3", duration_seconds={"N": "10"}, avg_confidence_score={"N": "60"}),
    ]
    right: Item = {
        "start_time": {"S": "2026-03-14T07:00:00.000000+0000"},
        "stop_time": {"S": "2026-03-14T07:03:30.000000+0000"},
        "avg_confidence_score": {"N": "70"},
    }
    assert Tables(matches, [play(3) | right]).violations() == []

    (violation,) = Tables(matches, [play(3) | right | says]).violations()

    assert (violation.kind, violation.play_key) == (Kind.PLAY_DIFFERS, KEY)
    assert sentence in violation.sentence


@pytest.mark.parametrize("seconds", ["1E+100", "1E+12", "99999999999"])
def test_a_duration_that_no_calendar_holds_ends_no_audit(seconds: str) -> None:
    """A play says when it stopped, and its match was changed by hand."""
    right: Item = {"stop_time": {"S": "2026-03-14T07:03:00.000000+0000"}}
    (violation,) = Tables([played(duration_seconds={"N": seconds})], [play() | right]).violations()
    assert "seconds after 1970" in violation.sentence or "by its matches at 5" in violation.sentence


def test_a_match_that_states_no_duration_leaves_the_stop_unjudged() -> None:
    """It has the stack's default, which may have been another then."""
    tables = Tables([played()], [play() | {"stop_time": {"S": "2026-03-14T07:09:00.000000+0000"}}])
    assert tables.violations() == []


# --- What may have expired ---


def test_a_play_whose_matches_expired_is_not_accused() -> None:
    assert Tables([], [play(2) | EXPIRED]).violations() == []
    assert Tables([played("m-2")], [play(2, "m-1") | EXPIRED]).violations() == []


def test_a_play_whose_matches_have_not_expired_yet_is_checked_in_full() -> None:
    assert Tables([], [play(2) | TO_EXPIRE]).kinds() == {Kind.PLAY_WITHOUT_MATCHES}
    assert Tables([played("m-1")], [play(2, "m-1") | TO_EXPIRE]).kinds() == {Kind.PLAY_MISCOUNTED}
    assert Tables([played("m-2")], [play(1, "m-1") | TO_EXPIRE]).kinds() == {Kind.PLAY_OF_ANOTHER_MATCH}


def test_what_is_left_of_an_expired_play_s_matches_must_fit_it() -> None:
    assert Tables([played("m-1"), played("m-2")], [play(1, "m-1") | EXPIRED]).kinds() == {Kind.PLAY_MISCOUNTED}
    for creator in (waiting(), failed()):
        put_again = Tables([creator], [play(1) | EXPIRED], [record()])
        assert put_again.kinds() == {Kind.PLAY_OF_ANOTHER_MATCH}
    (start,) = ({"start_time": {"S": "2026-03-14T07:00:01+00:00"}},)
    assert Tables([played("m-1")], [play(1) | EXPIRED | start]).kinds() == {Kind.PLAY_DIFFERS}
    assert Tables([played("m-1")], [play(2) | EXPIRED | start]).kinds() == set()


# --- What changes while it is read ---


def test_a_play_that_matches_joined_while_they_were_counted_is_counted_again() -> None:
    assert invariants.check_play(KEY, Account(match_count=1, matches=2), play(2), played(), NOW) is None
    assert invariants.check_play(KEY, Account(match_count=2, matches=2, creator="m-1"), play(3), played(), NOW) is None


def test_a_play_that_was_created_while_its_matches_were_counted_is_counted_again() -> None:
    assert invariants.check_play(KEY, Account(match_count=None, matches=1), play(2), played(), NOW) is None
    assert invariants.check_play(KEY, Account(match_count=None, matches=2), play(2), played(), NOW) == []


def test_a_play_that_went_away_while_its_matches_were_counted_is_counted_again() -> None:
    assert invariants.check_play(KEY, Account(match_count=1, matches=1), None, None, NOW) is None


def test_a_match_that_was_mended_meanwhile_is_not_accused() -> None:
    ledger = Ledger(SHARDS, NOW)
    ledger.add_match(without(waiting(), "unprocessed_shard"))
    assert list(ledger.suspected_matches()) == ["m-1"]
    assert invariants.check_match(waiting(), None, None, SHARDS) == []
    assert invariants.check_match(played(), play(), None, SHARDS) == []


def test_a_match_is_suspected_once_however_much_is_wrong_with_it() -> None:
    ledger = Ledger(SHARDS, NOW)
    ledger.add_match(without(failed(processed={"BOOL": True}), "station_id"))
    assert list(ledger.suspected_matches()) == ["m-1"]


# --- Whatever the tables hold ---


@st.composite
def valid_tables(draw: st.DrawFn) -> Tables:
    """Matches in any states, with the plays and the records that these need."""
    tables = Tables()
    creators: dict[str, Item] = {}
    for number in range(draw(st.integers(1, 5))):
        match_id, attempts = f"m-{number}", draw(st.integers(0, 2))
        tried: Item = {"attempts": {"N": str(attempts)}} if attempts else {}
        match draw(st.sampled_from(State)):
            case State.PLAYED:
                play_id = draw(st.sampled_from([PLAY_ID, "another"]))
                tables.matches.append(played(match_id, play_id={"S": play_id}) | tried)
                made = creators.setdefault(play_id, play(0, match_id, play_id))
                made["match_count"] = {"N": str(items.match_count(made) + 1)}
            case State.FAILED:
                attempts = attempts or 1
                tables.matches.append(failed(match_id) | {"attempts": {"N": str(attempts)}})
            case _:
                tables.matches.append(waiting(match_id) | tried)
        tables.records += [record(match_id, attempt) for attempt in range(1, attempts + 1)]
    tables.plays = list(creators.values())
    return tables


wrong: st.SearchStrategy[Item] = st.sampled_from(
    [
        {"unprocessed_shard": {"S": "0"}},
        {"unprocessed_shard": {"S": "8"}},
        {"processed": {"BOOL": True}},
        {"processed": {"BOOL": False}},
        {"play_id": {"S": PLAY_ID}},
        {"failed_reason": {"S": "source is 'TV'"}},
        {"expires_at": {"N": "1773489600"}},
        {"attempts": {"N": "2"}},
        {"will_retry": {"BOOL": True}},
        {"match_count": {"N": "2"}},
        {"match_id": {"S": "m-9"}},
    ]
)
dropped = st.sampled_from(
    ["unprocessed_shard", "matched_at", "processed", "processed_at", "play_id", "failed_reason", "attempts"]
)


@st.composite
def altered(draw: st.DrawFn) -> Tables:
    """Valid tables in which up to two items were dropped or changed; keys stay unique, as in DynamoDB."""
    tables = draw(valid_tables())
    for _ in range(draw(st.integers(0, 2))):
        table = draw(st.sampled_from([each for each in (tables.matches, tables.plays, tables.records) if each]))
        item = table.pop(draw(st.integers(0, len(table) - 1)))
        match draw(st.sampled_from(["drop", "lack", "change"])):
            case "lack" if table is tables.matches:
                table.append(without(item, draw(dropped)))
            case "lack" | "change":
                table.append(item | draw(wrong))
        assume(tables.matches)
    assume(_unique(tables.matches, "match_id"))
    assume(_unique(tables.plays, "play_id"))
    assume(_unique(tables.records, "match_id", "attempt"))
    return tables


def _unique(items: list[Item], *key: str) -> bool:
    return len({tuple(str(item[name]) for name in key) for item in items}) == len(items)


@given(altered())
def test_the_audit_accuses_exactly_where_the_tests_own_referee_does(tables: Tables) -> None:
    held = referee.Tables(matches=tables.matches, plays=tables.plays, failures=tables.records)
    assert bool(tables.violations()) == bool(referee.violations(held, SHARDS))


@given(valid_tables())
def test_no_tables_that_keep_the_law_are_accused(tables: Tables) -> None:
    assert tables.violations() == []


def test_a_shard_is_the_station_s_or_that_of_the_match_where_there_is_none() -> None:
    assert items.home_shard(waiting(), SHARDS) == shard_of("station-1", SHARDS)
    for blank in ({"S": "  "}, {"NULL": True}, {"N": "7"}):
        assert items.home_shard(waiting(station_id=blank), SHARDS) == shard_of("m-1", SHARDS)


@pytest.mark.parametrize(("time", "can"), [("2026-03-14", True), ("soon", True), ("", False), ("x" * 1025, False)])
def test_a_match_can_wait_with_whatever_the_index_takes_for_a_time(time: str, can: bool) -> None:
    assert items.can_wait(waiting(matched_at={"S": time})) is can
