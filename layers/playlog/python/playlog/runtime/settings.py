"""The environment of the functions, as template.yaml sets it, parsed once and typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Self

# The alias of both functions. Everything that invokes them invokes it; it points at the version that is live.
LIVE = "live"


class SettingsError(Exception):
    """An environment variable is missing or has an invalid value."""


@dataclass(frozen=True, slots=True)
class ConvertSettings:
    """Settings of ConvertMatches. docs/contract.md, The stack, says what they mean."""

    match_cache_table: str
    play_log_table: str
    station_guard_table: str
    dead_letter_queue_url: str
    batch_size: int
    unprocessed_shards: int
    airing_gap: timedelta
    default_duration: timedelta
    flag_below_confidence: Decimal
    max_attempts: int
    retain_played: timedelta

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Parses the environment.

        Raises:
            SettingsError: a variable is missing or out of its range. The text names it.
        """
        return cls(
            match_cache_table=_text(environment, "MATCH_CACHE_TABLE"),
            play_log_table=_text(environment, "PLAY_LOG_TABLE"),
            station_guard_table=_text(environment, "STATION_GUARD_TABLE"),
            dead_letter_queue_url=_text(environment, "DEAD_LETTER_QUEUE_URL"),
            batch_size=_whole_number(environment, "BATCH_SIZE", 1, 100),
            unprocessed_shards=_whole_number(environment, "UNPROCESSED_SHARDS", 1, 64),
            airing_gap=timedelta(seconds=float(_number(environment, "AIRING_GAP_SECONDS", 0, 86_400))),
            default_duration=timedelta(seconds=float(_number(environment, "DEFAULT_DURATION_SECONDS", 1, 86_400))),
            flag_below_confidence=_number(environment, "FLAG_BELOW_CONFIDENCE", 0, 100),
            max_attempts=_whole_number(environment, "MAX_ATTEMPTS", 1, 1_000_000),
            retain_played=timedelta(days=_whole_number(environment, "RETAIN_PLAYED_DAYS", 0, 36_500)),
        )


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Settings of StoreFailures."""

    match_cache_table: str
    failed_play_log_table: str
    dead_letter_queue_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Parses the environment.

        Raises:
            SettingsError: a variable is missing. The text names it.
        """
        return cls(
            match_cache_table=_text(environment, "MATCH_CACHE_TABLE"),
            failed_play_log_table=_text(environment, "FAILED_PLAY_LOG_TABLE"),
            dead_letter_queue_url=_text(environment, "DEAD_LETTER_QUEUE_URL"),
        )


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"the environment variable {name} is missing: template.yaml sets it on the function")
    return value


def _number(environment: Mapping[str, str], name: str, least: int, most: int) -> Decimal:
    text = _text(environment, name)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan() or not least <= number <= most:
        raise SettingsError(f"the environment variable {name} is {text!r}: it must be a number from {least} to {most}")
    return number


def _whole_number(environment: Mapping[str, str], name: str, least: int, most: int) -> int:
    number = _number(environment, name, least, most)
    if number != int(number):
        wanted = f"it must be a whole number from {least} to {most}"
        raise SettingsError(f"the environment variable {name} is {environment[name]!r}: {wanted}")
    return int(number)
