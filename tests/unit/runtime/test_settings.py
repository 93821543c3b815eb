"""The environment of the functions: a value that is off must stop a deployment, not convert matches wrongly."""

from datetime import timedelta
from decimal import Decimal

import pytest
from playlog.runtime.settings import ConvertSettings, SettingsError, StoreSettings

CONVERT = {
    "MATCH_CACHE_TABLE": "playlog-MatchCache",
    "PLAY_LOG_TABLE": "playlog-PlayLog",
    "STATION_GUARD_TABLE": "playlog-StationGuard",
    "AIRING_GAP_SECONDS": "30",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/playlog-DeadLetters",
    "BATCH_SIZE": "100",
    "UNPROCESSED_SHARDS": "8",
    "DEFAULT_DURATION_SECONDS": "180",
    "FLAG_BELOW_CONFIDENCE": "62.5",
    "MAX_ATTEMPTS": "3",
    "RETAIN_PLAYED_DAYS": "90",
}
STORE = {
    "MATCH_CACHE_TABLE": "playlog-MatchCache",
    "FAILED_PLAY_LOG_TABLE": "playlog-FailedPlayLog",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/playlog-DeadLetters",
}


def test_what_the_template_sets_is_what_convert_matches_works_with() -> None:
    assert ConvertSettings.from_environment({**CONVERT, "LANG": "C"}) == ConvertSettings(
        match_cache_table="playlog-MatchCache",
        play_log_table="playlog-PlayLog",
        station_guard_table="playlog-StationGuard",
        airing_gap=timedelta(seconds=30),
        dead_letter_queue_url="https://sqs.us-east-1.amazonaws.com/000000000000/playlog-DeadLetters",
        batch_size=100,
        unprocessed_shards=8,
        default_duration=timedelta(seconds=180),
        flag_below_confidence=Decimal("62.5"),
        retain_played=timedelta(days=90),
        max_attempts=3,
    )


def test_what_the_template_sets_is_what_store_failures_works_with() -> None:
    assert StoreSettings.from_environment(STORE) == StoreSettings(
        match_cache_table="playlog-MatchCache",
        failed_play_log_table="playlog-FailedPlayLog",
        dead_letter_queue_url="https://sqs.us-east-1.amazonaws.com/000000000000/playlog-DeadLetters",
    )


@pytest.mark.parametrize("name", CONVERT)
def test_a_variable_that_convert_matches_misses_is_named(name: str) -> None:
    rest = {other: value for other, value in CONVERT.items() if other != name}

    for environment in rest, {**rest, name: ""}, {**rest, name: "  "}:
        with pytest.raises(SettingsError, match=f"{name} is missing"):
            ConvertSettings.from_environment(environment)


@pytest.mark.parametrize("name", STORE)
def test_a_variable_that_store_failures_misses_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        StoreSettings.from_environment({other: value for other, value in STORE.items() if other != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATCH_SIZE", "0"),
        ("BATCH_SIZE", "101"),
        ("BATCH_SIZE", "12.5"),
        ("UNPROCESSED_SHARDS", "0"),
        ("UNPROCESSED_SHARDS", "65"),
        ("UNPROCESSED_SHARDS", "8.5"),
        ("DEFAULT_DURATION_SECONDS", "0"),
        ("DEFAULT_DURATION_SECONDS", "86401"),
        ("FLAG_BELOW_CONFIDENCE", "-0.1"),
        ("FLAG_BELOW_CONFIDENCE", "100.1"),
        ("FLAG_BELOW_CONFIDENCE", "NaN"),
        ("FLAG_BELOW_CONFIDENCE", "Infinity"),
        ("MAX_ATTEMPTS", "0"),
        ("MAX_ATTEMPTS", "2.5"),
        ("MAX_ATTEMPTS", "three"),
    ],
)
def test_a_value_out_of_range_is_named_with_what_would_be_right(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} is '{value}': it must be a .*number from \d+ to \d+"):
        ConvertSettings.from_environment({**CONVERT, name: value})


@pytest.mark.parametrize(
    ("least", "most"),
    [
        ({"BATCH_SIZE": "1"}, {"BATCH_SIZE": "100"}),
        ({"UNPROCESSED_SHARDS": "1"}, {"UNPROCESSED_SHARDS": "64"}),
        ({"DEFAULT_DURATION_SECONDS": "1"}, {"DEFAULT_DURATION_SECONDS": "86400"}),
        ({"FLAG_BELOW_CONFIDENCE": "0"}, {"FLAG_BELOW_CONFIDENCE": "100"}),
        ({"MAX_ATTEMPTS": "1"}, {"MAX_ATTEMPTS": "1000"}),
    ],
    ids=lambda bound: next(iter(bound)),
)
def test_the_ends_of_a_range_can_be_set(least: dict[str, str], most: dict[str, str]) -> None:
    assert ConvertSettings.from_environment({**CONVERT, **least}) != ConvertSettings.from_environment(
        {**CONVERT, **most}
    )
