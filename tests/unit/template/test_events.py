"""What somebody who tries a function with the events of `events/` would be misled by."""

import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playlog.converting.run import shards_of
from playlog.domain.failure import Failure
from playlog.domain.validation import validate
from playlog.failures.dead_letter import BrokenLetterError, DeadLetter

CHECKOUT = Path(__file__).resolve().parents[3]
SAMPLE = CHECKOUT / "samples" / "airplay.csv"


def event(name: str) -> Any:
    return json.loads((CHECKOUT / "events" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "shards"),
    [
        ("scheduled.json", ["0", "1", "2", "3", "4", "5", "6", "7"]),
        ("manual.json", ["0", "1", "2", "3", "4", "5", "6", "7"]),
        ("shards.json", ["0", "3"]),
    ],
)
def test_an_event_would_ask_for_other_shards_than_it_says(name: str, shards: list[str]) -> None:
    assert shards_of(event(name), 8) == shards


def test_a_batch_would_lack_the_letters_that_it_is_there_for() -> None:
    good, no_json, repeated, incomplete, other = [record["body"] for record in event("dead-letters.json")["Records"]]
    assert repeated == good
    assert DeadLetter.from_json(good).match_id != DeadLetter.from_json(other).match_id
    for broken in (no_json, incomplete):
        with pytest.raises(BrokenLetterError):
            DeadLetter.from_json(broken)


def test_sqs_would_not_hand_over_such_a_batch() -> None:
    records = event("dead-letters.json")["Records"]
    assert len({record["messageId"] for record in records}) == len(records)
    for record in records:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("place", [0, 4])
def test_a_letter_would_tell_of_a_failure_that_the_sample_day_does_not_have(place: int) -> None:
    letter = DeadLetter.from_json(event("dead-letters.json")["Records"][place]["body"])
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["match_id"] == letter.match_id)
    numbers = ("duration_seconds", "avg_confidence_score")
    item = {name: {"N" if name in numbers else "S": text} for name, text in row.items() if text}
    failure = validate(item, now=datetime.now(UTC), default_duration=timedelta(seconds=180))
    assert isinstance(failure, Failure)
    assert (letter.reason_code, letter.reason) == (failure.reason_code.value, failure.reason)
