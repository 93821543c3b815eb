"""How long an ACRCloud result lasted, and which recording it is, by its neighbours on the stream. Pure.

Real-time results come every few seconds. A result without ``played_duration`` lasted until the next result on its
stream. And where two recordings score nearly the same, neighbouring results may list them in another order each time,
although they are one airing: a result then is the recording that it shares with its neighbour.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from playlog_cli.loading.acrcloud.detections import Detection, recordings
from playlog_cli.loading.files.row import Number

# The longest time to the next result that counts as the duration of a result without one. ACRCloud sends real-time
# results about every 10 s; after a longer silence nothing says that the recording went on.
LONGEST_UNTIMED = timedelta(seconds=20)


class Streams:
    """Holds back the last detection of each stream until the next one is known.

    Args:
        gap: the stack's ``AiringGapSeconds``. With zero, detections are not joined, and the best score alone decides.
    """

    def __init__(self, gap: timedelta) -> None:
        self._gap = gap
        self._last: dict[str, Detection] = {}

    def add(self, detection: Detection) -> Iterator[Detection]:
        """Takes a detection. Yields the one before it on its stream, in whatever order of time they come."""
        before = self._last.get(detection.station)
        if before is None:
            self._last[detection.station] = detection
            return
        if before.matched_at <= detection.matched_at:
            before, detection = self._compare(before, detection)
            self._last[detection.station] = detection
            yield before
        else:
            detection, before = self._compare(detection, before)
            self._last[detection.station] = detection
            yield _timed(before, LONGEST_UNTIMED)

    def finish(self) -> Iterator[Detection]:
        """Yields the last detection of each stream."""
        for detection in self._last.values():
            yield _timed(detection, LONGEST_UNTIMED)
        self._last.clear()

    def _compare(self, first: Detection, second: Detection) -> tuple[Detection, Detection]:
        """Two neighbours in the order of time, with what each says about the other."""
        first = _timed(first, second.matched_at - first.matched_at)
        seconds = float(first.duration.text) if first.duration and _is_number(first.duration.text) else 0.0
        silence = second.matched_at - first.matched_at - timedelta(seconds=min(max(seconds, 0.0), 86_400.0))
        if not self._gap or silence > self._gap:
            return first, second
        track_id = first.track_id or recordings(first.heard)[0]
        choice = _shared(second, first)
        if choice is not None:
            return replace(first, track_id=track_id), replace(second, choice=choice, track_id=track_id)
        if first.track_id is None and (choice := _shared(first, second)) is not None:
            track_id = recordings(second.heard)[0]
            return replace(first, choice=choice, track_id=track_id), replace(second, track_id=track_id)
        return first, second


def _shared(detection: Detection, neighbour: Detection) -> int | None:
    """Position of the candidate that is the recording of a neighbour; None if none is."""
    wanted = {*recordings(neighbour.heard), *filter(None, [neighbour.track_id])}
    found = (number for number, each in enumerate(detection.candidates) if wanted & set(recordings(each)))
    return next(found, None)


def _timed(detection: Detection, limit: timedelta) -> Detection:
    """The detection with a duration, if it lacks one."""
    if detection.duration is not None:
        return detection
    seconds = min(limit, LONGEST_UNTIMED).total_seconds()
    return replace(detection, duration=Number(f"{seconds:g}")) if seconds > 0 else detection


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
