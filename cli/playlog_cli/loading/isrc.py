"""International Standard Recording Codes. Pure.

Source: ISO 3901: 12 characters, of which hyphens and the word ISRC are for display only.
"""

import re
from functools import lru_cache

from stdnum import isrc

_FOR_DISPLAY = re.compile(r"^\s*ISRC[\s:]*|[\s\-\u2010-\u2015]+", re.IGNORECASE)


@lru_cache(maxsize=20_000)  # a log names the same recordings again and again
def normalise(text: str) -> str | None:
    """An ISRC in its one form: 12 characters, upper case.

    Args:
        text: with or without hyphens, spaces and the word ISRC.

    Returns:
        None if the text is not a valid ISRC.

    Example:
        >>> normalise("ISRC US-AB1-23-45678"), normalise("unknown")
        ('USAB12345678', None)
    """
    compact = _FOR_DISPLAY.sub("", text).upper()
    return compact if isrc.is_valid(compact) else None
