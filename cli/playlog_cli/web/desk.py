"""What the pages work with: the stack, the person's rights, and what was shown and not yet confirmed."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from playlog_cli.catalog.entry import Catalog
from playlog_cli.errors import CommandError
from playlog_cli.failures.mending import MendTally, Preview
from playlog_cli.stacks.stack import Stack
from playlog_cli.web.counting import Counting
from playlog_cli.web.memo import Memo
from playlog_cli.web.work import Job, Making, Previewing

ThingT = TypeVar("ThingT")

KEPT = 20  # plans, or jobs, that a browser may still ask for: the oldest ones are forgotten


@dataclass(frozen=True)
class Plan:
    """A correction of many matches that a user has seen and not yet confirmed.

    Attributes:
        previews: what would be written. Each match is written only if it is still the one that was shown.
        tally: the matches that cannot be corrected, each with the reason.
    """

    previews: tuple[Preview, ...]
    tally: MendTally


class Shelf(Generic[ThingT]):
    """Things that a browser may ask for by a random id. Keeps the last ``KEPT``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._things: OrderedDict[str, ThingT] = OrderedDict()
        self._lock = Lock()

    def put(self, thing: ThingT) -> str:
        """Keeps a thing, and returns its id."""
        with self._lock:
            key = secrets.token_urlsafe(12)
            self._things[key] = thing
            while len(self._things) > KEPT:
                self._things.popitem(last=False)
            return key

    def get(self, key: str) -> ThingT:
        """The thing of an id.

        Raises:
            CommandError: it was forgotten, or never there.
        """
        return self._found(key, self._things.get)

    def take(self, key: str) -> ThingT:
        """The thing of an id, which is forgotten then: a second confirmation finds nothing to do.

        Raises:
            CommandError: it was forgotten, or never there.
        """
        return self._found(key, self._things.pop)

    def _found(self, key: str, find: Callable[[str, None], ThingT | None]) -> ThingT:
        with self._lock:
            thing = find(key, None)
        if thing is None:
            raise CommandError(f"this {self._name} is no longer known: start again")
        return thing


@dataclass(frozen=True)
class Desk:
    """What the pages work with.

    Attributes:
        stack: the stack that is shown.
        home: the path of all pages.
        csrf: the secret that each form must hold.
        read_only: whether the server refuses every change.
        zone: time zone in which days begin.
        now: the clock, with an offset.
        who: asks AWS who makes the changes: the ARN of an IAM identity.
        catalog: the names of the tracks; None if nobody named a catalog.
        previews: previews that are being made, or were.
        plans: corrections that were shown and not yet confirmed.
        jobs: corrections that are being written, or were.
        reports: reports that are being made, or were.
    """

    stack: Stack
    home: str
    csrf: str
    read_only: bool
    zone: ZoneInfo
    now: Callable[[], datetime]
    who: Callable[[], str]
    catalog: Catalog | None = None
    previews: Shelf[Previewing] = field(default_factory=lambda: Shelf("preview"))
    plans: Shelf[Plan] = field(default_factory=lambda: Shelf("preview"))
    jobs: Shelf[Job] = field(default_factory=lambda: Shelf("correction"))
    reports: Shelf[Making] = field(default_factory=lambda: Shelf("report"))

    @cached_property
    def counting(self) -> Counting:
        """Counts of failures that go on from request to request."""
        return Counting(self.stack, self.now)

    @cached_property
    def memo(self) -> Memo:
        """Answers of AWS that a page may show again for a while."""
        return Memo(self.now)
