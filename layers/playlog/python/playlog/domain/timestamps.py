"""Times as the tables hold them: UTC with microseconds, so that text order is time order.

Source: docs/contract.md, The three tables.
"""

from datetime import UTC, datetime
from functools import lru_cache


# The time of a play stands in three of its attributes, that of a write in all that is written with it.
@lru_cache(maxsize=256)
def to_text(instant: datetime) -> str:
    """Writes an instant as PynamoDB's ``UTCDateTimeAttribute`` does.

    Args:
        instant: a time with an offset.

    Returns:
        31 characters, the year always with four digits.

    Example:
        >>> to_text(datetime.fromisoformat("2012-02-07T08:41:57+11:00"))
        '2012-02-06T21:41:57.000000+0000'
    """
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat("T", "microseconds").removesuffix("+00:00") + "+0000"


def from_text(text: str) -> datetime:
    """Reads an ISO 8601 time with any offset.

    Args:
        text: what ``datetime.fromisoformat`` accepts, with an offset.

    Returns:
        The instant in UTC.

    Raises:
        ValueError: the text is no ISO 8601 time, has no offset, or lies before year 1 or after year 9999 in UTC.

    Example:
        >>> from_text("2012-02-07T08:41:57+11:00")
        datetime.datetime(2012, 2, 6, 21, 41, 57, tzinfo=datetime.timezone.utc)
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range in UTC") from error
