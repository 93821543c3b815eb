"""The actions that write an airing, as Python values."""

import json
from datetime import datetime

from playlog.converting.writing.actions import Action, Tables, encode_airing
from playlog.domain.airing import Airing
from playlog.domain.play import Play


def decode_airing(airing: Airing, play: Play, tables: Tables, now: datetime) -> list[Action]:
    """What ``encode_airing`` writes, to look at."""
    return [json.loads(text) for text in encode_airing(airing, play, tables, now)]
