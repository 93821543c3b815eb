"""A dead letter: a failure on its way from a run, through the dead-letter queue, to FailedPlayLog."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from playlog.domain import timestamps
from playlog.domain.failure import Failure
from playlog.domain.plain_values import plain

VERSION = 1
# SQS accepts messages of 1 MiB since August 2025. Every queue and endpoint accepts this size.
LETTER_BYTES = 256 * 1024
# Characters that are kept of a value that is too long.
CUT_KEEPS = 1_000
# Longest reason, in characters. It is stored three times: in the letter, the record and the match.
LONGEST_REASON = 2_000


class BrokenLetterError(ValueError):
    """The message is not a valid dead letter. The text says why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One failed conversion, as a message to StoreFailures (docs/contract.md, The messages).

    Attributes:
        match_id: key of the match.
        attempt: which conversion of the match failed, from 1.
        reason_code: what is wrong, for machines.
        reason: what is wrong with which value, for people.
        will_retry: whether the pipeline tries again by itself.
        failed_at: when, with an offset.
        match: the match as it was, in plain JSON values; shortened if it would not fit.
    """

    match_id: str
    attempt: int
    reason_code: str
    reason: str
    will_retry: bool
    failed_at: datetime
    match: dict[str, Any]

    @classmethod
    def of(cls, failure: Failure, *, max_attempts: int, now: datetime) -> Self:
        """The dead letter of a failure.

        Args:
            failure: what went wrong.
            max_attempts: conversions tried before a retryable failure is final.
            now: the time of the failure, with an offset.
        """
        return cls(
            match_id=failure.match_id,
            attempt=failure.attempt,
            reason_code=failure.reason_code.value,
            reason=_shortened(failure.reason),
            will_retry=failure.reason_code.retryable and failure.attempt < max_attempts,
            failed_at=now,
            match={name: plain(value) for name, value in failure.item.items()},
        )

    def to_json(self) -> str:
        """The message: at most 256 KiB of ASCII, which SQS accepts whatever the match holds."""
        letter = {"version": VERSION, **asdict(self), "failed_at": timestamps.to_text(self.failed_at)}
        room = LETTER_BYTES - len(json.dumps({**letter, "match": {}}))
        return json.dumps({**letter, "match": _cut(self.match, room)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a message of the dead-letter queue.

        Raises:
            BrokenLetterError: it is not a valid dead letter.
        """
        try:
            letter = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise BrokenLetterError(f"the message is no JSON: {error}") from error
        if not isinstance(letter, dict):
            raise BrokenLetterError(f"the message is a JSON {type(letter).__name__}: it must be an object")
        if letter.get("version") != VERSION:
            raise BrokenLetterError(f"version is {letter.get('version')!r}: it must be {VERSION}")
        failed_at_text = _field(letter, "failed_at", str)
        try:
            failed_at = timestamps.from_text(failed_at_text)
        except ValueError as error:
            raise BrokenLetterError(f"failed_at is no ISO 8601 time with an offset: {error}") from error
        attempt = _field(letter, "attempt", int)
        if attempt < 1:
            raise BrokenLetterError(f"attempt is {attempt}: it must be 1 or more")
        return cls(
            match_id=_field(letter, "match_id", str),
            attempt=attempt,
            reason_code=_field(letter, "reason_code", str),
            reason=_field(letter, "reason", str),
            will_retry=_field(letter, "will_retry", bool),
            failed_at=failed_at,
            match=_field(letter, "match", dict),
        )


def _field(letter: dict[str, Any], name: str, kind: type) -> Any:
    if name not in letter:
        raise BrokenLetterError(f"{name} is absent: a dead letter must have it")
    value = letter[name]
    if type(value) is not kind:
        raise BrokenLetterError(f"{name} is {str(value)[:100]!r}: it must be of type {kind.__name__}")
    if value == "":
        raise BrokenLetterError(f"{name} is empty")
    return value


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _shortened(reason: str) -> str:
    if len(reason) <= LONGEST_REASON:
        return reason
    return f"{reason[:LONGEST_REASON]}… [cut: it was {len(reason):,} characters long]"


def _cut(match: dict[str, Any], room: int) -> dict[str, Any]:
    """The match in at most ``room`` characters of JSON. The longest values are cut and marked."""
    texts = {name: json.dumps({name: value}) for name, value in match.items()}
    if sum(map(len, texts.values())) <= room:
        return match
    cut: dict[str, Any] = {}
    room -= 100  # for the last line
    for name in sorted(match, key=lambda name: len(texts[name])):
        value = match[name]
        if len(texts[name]) > min(room, 12 * CUT_KEEPS):  # in ASCII, a character beyond U+FFFF takes twelve
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            value = f"{text[:CUT_KEEPS]}… [cut: it was {len(text):,} characters long]"
        room -= len(json.dumps({name: value}))
        if room < 0:
            break
        cut[name] = value
    return cut if len(cut) == len(match) else {**cut, "[cut]": f"{len(match) - len(cut):,} further attributes"}
