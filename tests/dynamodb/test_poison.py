"""Matches that hold whatever DynamoDB takes: each is played or has failed in the end, and takes no other with it."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest
from playlog.converting.run import convert
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import FailureTables, store
from playlog.runtime.retry import Retry
from playlog.runtime.settings import ConvertSettings

from tests.dynamodb.conftest import Database, Letters
from tests.dynamodb.made import WAITING
from tests.support import invariants
from tests.support.clients import client_of

if TYPE_CHECKING:
    from playlog.domain.match import Item

FAILS: dict[str, Any] = {"source": {"S": "Cinema"}}
NINES = "9" * 38


def nested(levels: int) -> dict[str, Any]:
    """A list in a list, so many deep."""
    value: dict[str, Any] = {"S": "deep"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


NO_COUNTER = "attempts in a map"
HALF_OWN, HALF_TRACK = "half a character", "half a character in a track"
# AWS's own engine takes half a surrogate pair, which has no UTF-8, and gives it back.
HALVES = pytest.mark.differs("ministack", "moto", how="fails at half a surrogate pair")
MAP = pytest.mark.differs("moto", how="cancels with TypeError where a condition compares another type with a number")
DIFFERS = {HALF_OWN: HALVES, HALF_TRACK: HALVES, NO_COUNTER: MAP}

# What a match holds beside what every match does, and how it has to end.
POISONS: dict[str, tuple[dict[str, Any], str]] = {
    "attempts beyond what can be counted": ({**FAILS, "attempts": {"N": "1E+38"}}, "failed"),
    "attempts at the end of all numbers": ({**FAILS, "attempts": {"N": f"{NINES}E+87"}}, "failed"),
    "attempts of 38 nines": ({**FAILS, "attempts": {"N": NINES}}, "failed"),
    "attempts below 0": ({**FAILS, "attempts": {"N": "-7"}}, "failed"),
    "attempts far below 0": ({**FAILS, "attempts": {"N": "-1E+125"}}, "failed"),
    "half an attempt": ({**FAILS, "attempts": {"N": "0.5"}}, "failed"),
    "next to no attempt": ({**FAILS, "attempts": {"N": "1E-130"}}, "failed"),
    NO_COUNTER: ({**FAILS, "attempts": {"M": {}}}, "failed"),
    "the largest numbers": ({**FAILS, "own": {"L": [{"N": f"{NINES}E+87"}, {"N": "-1E+125"}]}}, "failed"),
    "the smallest numbers": ({**FAILS, "own": {"NS": ["1E-130", f"-{NINES[:-1]}1E-130", "0"]}}, "failed"),
    "numbers of 38 digits": ({**FAILS, "own": {"NS": [NINES, f"-0.{NINES}"]}}, "failed"),
    "a list as deep as can be": ({**FAILS, "own": nested(31)}, "failed"),
    "empty things": ({**FAILS, "own": {"L": [{"L": []}, {"M": {}}, {"S": ""}, {"B": b""}]}}, "failed"),
    "many small things": ({**FAILS, "own": {"L": [{"N": "0"}] * 110_000}}, "failed"),
    "many small maps": ({**FAILS, "own": {"L": [{"M": {"n": {"NULL": True}}}] * 3_000}}, "failed"),
    "many names": ({**FAILS, **{f"own-{number}": {"BOOL": True} for number in range(3_000)}}, "failed"),
    "a long name": ({**FAILS, "n" * 60_000: {"S": ""}}, "failed"),
    "large binary data": ({**FAILS, "own": {"BS": [bytes([n]) * 80_000 for n in range(4)]}}, "failed"),
    "names that mean something elsewhere": (
        {**FAILS, "self": {"N": "1"}, "attribute_values": {"S": "x"}, "#n": {"S": ":v"}, "[cut]": {"M": {}}},
        "failed",
    ),
    "odd text": ({**FAILS, "own": {"S": "\x00\x1f\x7f\ufffe\uffff\U0010ffff\u202e"}}, "failed"),
    HALF_OWN: ({**FAILS, "own": {"S": "\ud83c"}, "\udfb5": {"S": ""}}, "failed"),
    HALF_TRACK: ({"track_id": {"S": "\ud83c"}}, "played"),
    "a track like a key": ({"track_id": {"S": "2026-03-14T12:00:00.000000+0000#track"}}, "played"),
    "an odd track": ({"track_id": {"S": "\x00\ufffe\U0010ffff\u202e#" * 50}}, "played"),
    "a track that DynamoDB may normalize": ({"track_id": {"S": "e\u0301 \u00e9"}}, "played"),
    "year 1": ({"matched_at": {"S": "0001-01-01T00:00:00+00:00"}}, "played"),
    "before year 1": ({"matched_at": {"S": "0001-01-01T00:00:00+00:01"}}, "failed"),
    "the end of year 9999": ({"matched_at": {"S": "9999-12-31T23:59:59.999999-23:59"}}, "failed"),
    "a time by the week": ({"matched_at": {"S": "2026-W11-6T12:00+05:53:28"}}, "played"),
    "a time as long as a key": ({"matched_at": {"S": "2026" * 256}}, "failed"),
    "the shortest duration": ({"duration_seconds": {"N": "0.000001"}}, "played"),
    "next to no duration": ({"duration_seconds": {"N": "1E-130"}}, "failed"),
    "the longest number for a duration": ({"duration_seconds": {"N": f"86399.{NINES[5:]}"}}, "played"),
    "the least confidence": ({"avg_confidence_score": {"N": "1E-130"}}, "played"),
    "the longest number for a confidence": ({"avg_confidence_score": {"N": f"99.{NINES[2:]}"}}, "played"),
    "a programme without a name": ({"station_program_id": {"S": ""}}, "played"),
    "a reason as if it had failed": ({"failed_reason": {"S": "I say so"}}, "played"),
    "a play as if it were played": ({"play_id": {"S": "p"}, "processed_at": {"S": "now"}}, "played"),
    "a reason that is none": ({"failed_reason": {"N": "0"}}, "failed"),
    "a state that is none": ({"processed": {"S": "true"}}, "failed"),
    "no state": ({"processed": {"NULL": True}}, "played"),
}


@pytest.mark.parametrize(
    ("held", "ends"),
    [
        pytest.param(held, ends, id=name, marks=[DIFFERS[name]] if name in DIFFERS else [])
        for name, (held, ends) in POISONS.items()
    ],
)
@pytest.mark.parametrize("gap", [timedelta(0), timedelta(minutes=1)], ids=["no gap", "gap"])
def test_no_match_waits_for_ever_or_takes_others_with_it_whatever_it_holds(
    database: Database,
    unique: str,
    tables: FailureTables,
    retry: Retry,
    held: dict[str, Any],
    ends: str,
    gap: timedelta,
) -> None:
    station = {"station_id": {"S": f"station {unique}"}}
    waits: Item = {**WAITING, **station, "track_id": {"S": "track"}, "unprocessed_shard": {"S": unique}}
    poisoned = f"{unique}-poisoned"
    database.put_match(poisoned, **{**waits, **held})
    innocents = [f"{unique}-{number}" for number in range(3)]
    for innocent in innocents:
        database.put_match(innocent, **waits)

    letters = converted(database, unique, gap, retry)
    for letter in letters:
        store(DeadLetter.from_json(letter), tables, retry)

    assert judged(database, station["station_id"], [poisoned, *innocents]) == []
    states = [state_of(database, match_id) for match_id in [poisoned, *innocents]]
    assert states == [[ends], *[["played"]] * len(innocents)]
    assert [record["attempt"] for record in database.failures(poisoned)] == [
        database.match(poisoned)["attempts"]  # type: ignore[index]
        for _ in letters
    ]


def converted(database: Database, shard: str, gap: timedelta, retry: Retry) -> list[str]:
    """A run over a shard.

    Returns:
        The dead letters that it pushed.
    """
    settings = ConvertSettings(
        match_cache_table=database.tables.match_cache,
        play_log_table=database.tables.play_log,
        station_guard_table=database.tables.station_guard,
        dead_letter_queue_url="queue",
        batch_size=100,
        unprocessed_shards=1,
        airing_gap=gap,
        default_duration=timedelta(minutes=3),
        flag_below_confidence=Decimal(0),
        max_attempts=3,
        retain_played=timedelta(0),
    )
    letters = Letters()
    convert([shard], settings, client_of(database.client), cast("Any", letters), retry)
    return letters.taken


def judged(database: Database, station: dict[str, Any], match_ids: list[str]) -> list[str]:
    """Whether the invariants hold for some matches and the plays of their station."""
    plays: Any = database.client.query(
        TableName=database.tables.play_log,
        KeyConditionExpression="station_id = :station",
        ExpressionAttributeValues={":station": station},
        ConsistentRead=True,
    )["Items"]
    matches = [match for match_id in match_ids if (match := database.match(match_id))]
    failures = [failure for match_id in match_ids for failure in database.failures(match_id)]
    return invariants.violations(invariants.Tables(matches, plays, failures), shards=1)


def state_of(database: Database, match_id: str) -> list[str]:
    """The states that a match shows."""
    match = database.match(match_id)
    assert match is not None
    return invariants.states(match)
