"""Corrects attributes of failed matches, on the condition that a match is still what the user saw.

`preview` is pure and says what a correction would change. `mend` writes it. Who changed what, when, from which value to
which, is kept on the match, in the list ``mended``.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.plain_values import plain
from playlog.schema import MATCH_CACHE, Owner, Type

from playlog_cli.auditing import items
from playlog_cli.errors import CommandError, explain, shown
from playlog_cli.failures.history import STATE_ATTRIBUTES, Change, defect_of
from playlog_cli.failures.records import CONCURRENT_REQUESTS
from playlog_cli.failures.retrying import LeftMatch, was_retried, why_not
from playlog_cli.failures.suggesting import suggested_track_id
from playlog_cli.stacks.stack import Stack

# What a detection system writes about a match. The pipeline writes the others itself, and nobody else may.
CORRECTABLE = {
    each.name: each
    for each in MATCH_CACHE
    if each.owner is Owner.WRITER and each.name != "match_id" and each.name not in STATE_ATTRIBUTES
}


# What a number of DynamoDB may be. Source: Amazon DynamoDB Developer Guide, "Data types", Number.
NUMBER_DIGITS = 38
SMALLEST, TOO_LARGE = Decimal("1E-130"), Decimal("1E+126")


@dataclass(frozen=True)
class Preview:
    """A correction of one match.

    Attributes:
        seen: the match as it was read; it is written only if it is still the same.
        values: its new values by attribute; None removes one.
        changes: what differs, for people.
        defect: why the corrected match would fail again; None if validation finds nothing.
    """

    seen: Item
    values: dict[str, dict[str, str] | None]
    changes: tuple[Change, ...]
    defect: str | None

    @property
    def match_id(self) -> str:
        """Key of the match."""
        match_id: str = self.seen["match_id"]["S"]
        return match_id

    @property
    def corrected(self) -> Item:
        """The match with its new values."""
        return corrected(self.seen, self.values)

    @property
    def suggested_track_id(self) -> str | None:
        """What a person may type as ``track_id``, if the corrected match has none."""
        return suggested_track_id(self.corrected)


@dataclass
class MendTally:
    """The result of a correction of several matches.

    Attributes:
        mended: ids of the matches that were corrected.
        retried: how many of them wait again.
        defective: how many of them would fail again.
        left: matches that stay as they are.
        refused: how many of those AWS refused to write, or gave no answer for.
    """

    mended: list[str] = field(default_factory=list)
    retried: int = 0
    defective: int = 0
    refused: int = 0
    left: list[LeftMatch] = field(default_factory=list)


def parse_corrections(pairs: Sequence[str]) -> dict[str, dict[str, str] | None]:
    """Attribute values from ``name=value``. An empty value removes an optional attribute.

    Args:
        pairs: like ``source=Radio``.

    Raises:
        CommandError: a pair has another form, names an attribute that may not be corrected, or has an invalid number.
    """
    values: dict[str, dict[str, str] | None] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise CommandError(f"--set {shown(pair)}: write it as NAME=VALUE, like --set source=Radio")
        if name not in CORRECTABLE:
            raise CommandError(f"--set {shown(name)}: name one of {', '.join(CORRECTABLE)}")
        if name in values:
            raise CommandError(f"--set names {name} twice: give it one value")
        try:
            values[name] = new_value(name, text)
        except CommandError as error:
            raise CommandError(f"--set {error.message}") from None
    return values


def new_value(name: str, text: str) -> dict[str, str] | None:
    """The value of an attribute that a user typed; None if an empty text removes an optional attribute.

    Args:
        name: one of ``CORRECTABLE``.
        text: what the user typed.

    Raises:
        CommandError: the attribute must have a value, or DynamoDB cannot hold the value.
    """
    attribute = CORRECTABLE[name]
    if not text:
        if attribute.required:
            raise CommandError(f"{name}: it must not be empty, because each match needs it")
        return None
    if attribute.type is Type.NUMBER:
        return {"N": _number(name, text)}
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CommandError(f"{name} is {shown(text)}: it must be a text that UTF-8 can hold") from None
    return {"S": text}


def _number(name: str, text: str) -> str:
    """A number as DynamoDB writes it, so that it compares equal to what is stored."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise CommandError(f"{name} is {shown(text)}: it must be a number, like 180")
    if not number:
        return "0"
    if SMALLEST <= abs(number) < TOO_LARGE:
        exact = number.normalize(Context(prec=len(text)))
        if len(exact.as_tuple().digits) <= NUMBER_DIGITS:
            return format(exact, "f")
    wanted = f"it must have at most {NUMBER_DIGITS} digits, and be from {SMALLEST} to 9.9E+125"
    raise CommandError(f"{name} is {shown(text)}: {wanted}")


def corrected(match: Item, values: Mapping[str, dict[str, str] | None]) -> Item:
    """A match with new values.

    Args:
        match: item of MatchCache.
        values: new values by attribute; None removes one.
    """
    item = {name: value for name, value in match.items() if name not in values}
    return {**item, **{name: value for name, value in values.items() if value is not None}}


def preview(match: Item, values: Mapping[str, dict[str, str] | None], now: datetime) -> Preview:
    """What a correction would change, and whether the match would be valid then. Changes nothing.

    Args:
        match: item of MatchCache, as it was read.
        values: new values by attribute; None removes one.
        now: the time that ``matched_at`` is validated against, with an offset.
    """
    differing = {name: value for name, value in values.items() if match.get(name) != value}
    changes = tuple(Change(name, _plain(match.get(name)), _plain(value)) for name, value in differing.items())
    return Preview(match, differing, changes, defect_of(corrected(match, differing), now))


def previews(
    page: Mapping[str, Item | None], values: Mapping[str, dict[str, str] | None], tally: MendTally, now: datetime
) -> list[Preview]:
    """Previews of the matches that can be corrected. The others are added to the tally.

    Args:
        page: matches by id, as they were read; None for one that does not exist.
        values: new values by attribute; None removes one. Empty to retry matches as they are.
        tally: gets the matches that cannot be corrected, each with the reason.
        now: the time that ``matched_at`` is validated against, with an offset.
    """
    found: list[Preview] = []
    for match_id, match in page.items():
        made = preview(match, values, now) if match else None
        if made is None:
            tally.left.append(LeftMatch(match_id, "there is no such match"))
        elif why := why_not(made.corrected):
            tally.left.append(LeftMatch(match_id, why))
        elif values and not made.changes:
            tally.left.append(LeftMatch(match_id, "it has these values already"))
        elif not values and made.defect:
            tally.left.append(LeftMatch(match_id, f"it would fail again: {made.defect}"))
        else:
            found.append(made)
    return found


def mend(
    stack: Stack, planned: Iterable[Preview], tally: MendTally, *, who: str, now: datetime, retry: bool
) -> MendTally:
    """Writes corrections that a user has confirmed.

    Args:
        stack: where.
        planned: what the user has seen.
        tally: gets the result.
        who: who makes the change, like the ARN of an IAM identity.
        now: the time of the change, with an offset.
        retry: whether matches that are valid then wait again. A match that would fail again stays failed.
    """
    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        each_and_result = [
            (each, pool.submit(_mend, stack, each, who, now, retry=retry and each.defect is None)) for each in planned
        ]
        for each, result in each_and_result:
            try:
                is_written = result.result()
            except (BotoCoreError, ClientError) as error:  # of this match alone, such as one that is too large
                tally.left.append(LeftMatch(each.match_id, explain(error)))
                tally.refused += 1
                continue
            if not is_written:
                tally.left.append(LeftMatch(each.match_id, "it was changed meanwhile: look at it again"))
                continue
            tally.mended.append(each.match_id)
            tally.defective += each.defect is not None
            tally.retried += retry and each.defect is None
    return tally


def _mend(stack: Stack, planned: Preview, who: str, now: datetime, *, retry: bool) -> bool:
    """Writes one correction, if the match is still what it was when it was read."""
    names = sorted({each.name for each in MATCH_CACHE} - {"match_id"} | {"mended"})
    seen = {name: planned.seen.get(name) for name in names}
    unchanged = [f"#{name} = :{name}" if value else f"attribute_not_exists(#{name})" for name, value in seen.items()]
    sets = [f"#{name} = :new_{name}" for name, value in planned.values.items() if value is not None]
    removes = [f"#{name}" for name, value in planned.values.items() if value is None]
    values: dict[str, Any] = {f":{name}": value for name, value in seen.items() if value}
    values |= {f":new_{name}": value for name, value in planned.values.items() if value is not None}
    entries = [_entry(planned, name, who, now) for name in planned.values]
    if entries:
        sets.append("#mended = :new_mended")  # the list is still what was read
        values[":new_mended"] = {"L": [*_entries_before(planned.seen), *entries]}
    if retry:
        sets.append("#unprocessed_shard = :shard")
        removes += ["#failed_reason", "#expires_at"]  # DynamoDB must not delete a match that waits
        values[":shard"] = {"S": items.home_shard(planned.corrected, stack.shards)}
    try:
        stack.dynamodb.update_item(
            TableName=stack.match_cache_table,
            Key={"match_id": planned.seen["match_id"]},
            UpdateExpression=f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else ""),
            ConditionExpression=" AND ".join(["attribute_exists(match_id)", *unchanged]),
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException as error:
        return _was_written(error.response, entries, values.get(":shard"))
    return True


def _was_written(response: Any, entries: Sequence[dict[str, Any]], shard: dict[str, str] | None) -> bool:
    """Whether the correction was written before, by a request whose answer was lost, so that boto3 sent it again.

    Args:
        response: says that the match is not what was seen.
        entries: of the correction, for the list ``mended``. Empty for a retry alone.
        shard: in which the match waits then; None if it does not wait.
    """
    if entries:
        return entries[0] in _entries_before(response.get("Item", {}))
    return shard is not None and was_retried(response, shard)


def _entries_before(match: Item) -> list[dict[str, Any]]:
    """The entries of the list ``mended``. If somebody wrote another thing there, that is kept as its first entry."""
    before: dict[str, Any] = match.get("mended", {"L": []})
    if "NULL" in before:
        return []
    entries: list[dict[str, Any]] = before.get("L", [before])
    return entries


def _entry(planned: Preview, name: str, who: str, now: datetime) -> dict[str, Any]:
    """An entry of the list ``mended``: one attribute, with its value before and after; NULL where it was absent."""
    return {
        "M": {
            "at": {"S": timestamps.to_text(now)},
            "by": {"S": who},
            "attribute": {"S": name},
            "from": planned.seen.get(name) or {"NULL": True},
            "to": planned.values[name] or {"NULL": True},
        }
    }


def _plain(value: dict[str, Any] | None) -> Any:
    return None if value is None else plain(value)


def identity(stack: Stack) -> str:
    """The ARN of the IAM identity that the calls are made with."""
    return stack.session.client("sts").get_caller_identity()["Arn"]
