"""What a bench has measured, as its JSON holds it, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

# Issue 6, line 2.
REQUESTS_PER_1000 = 31.0
WRITE_UNITS_PER_MATCH = 6.1
CPU_OF_FLOOR = 2.5
IMPORT_OF_BOTOCORE = 1.5
LAYER_MEGABYTES = 12.0
SPREAD_PERCENT = 10.0
# Below this, what a run needs once and the short last pages of the shards weigh more than the matches do.
LARGE = 10_000


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cores: int
    python: str
    system: str
    date: str


@dataclass(frozen=True)
class Process:
    """What a process needed for its matches, start and imports apart.

    Attributes:
        cpu_seconds: user and system time.
        seconds: of the clock.
        peak_megabytes: the most memory resident, imports included.
    """

    cpu_seconds: float
    seconds: float
    peak_megabytes: float


@dataclass(frozen=True)
class Units:
    """Capacity units for the matches of a backlog.

    Attributes:
        table: by its logical id in the template.
        index: by its name; empty for the table itself.
        kind: ``write`` or ``read``.
        rule: of DynamoDB's that they come from.
        units: all of them.
    """

    table: str
    index: str
    kind: str
    rule: str
    units: float


@dataclass(frozen=True)
class Backlog:
    """A size of backlog.

    Attributes:
        matches: how many.
        requests: by operation.
        units: by the rules; the engine counts the same.
        converter: one process a round.
        floor: one process a round, right after the converter's.
    """

    matches: int
    requests: dict[str, int]
    units: tuple[Units, ...]
    converter: tuple[Process, ...]
    floor: tuple[Process, ...]

    @property
    def requests_per_1000(self) -> float:
        """Requests for 1,000 matches."""
        return sum(self.requests.values()) * 1_000 / self.matches

    @property
    def cpu_ms(self) -> float:
        """CPU of the converter for a match, in milliseconds: the median of the rounds."""
        return median(each.cpu_seconds for each in self.converter) * 1_000 / self.matches

    @property
    def floor_cpu_ms(self) -> float:
        """CPU of the floor for a match, in milliseconds."""
        return median(each.cpu_seconds for each in self.floor) * 1_000 / self.matches

    @property
    def of_floor(self) -> float:
        """How many times the floor's CPU the converter takes: the median of the rounds."""
        pairs = zip(self.converter, self.floor, strict=True)
        return median(converter.cpu_seconds / floor.cpu_seconds for converter, floor in pairs)

    @property
    def megabytes(self) -> float:
        """The converter's peak memory."""
        return median(each.peak_megabytes for each in self.converter)

    @property
    def matches_per_second(self) -> float:
        """Of the converter, against this engine."""
        return self.matches / median(each.seconds for each in self.converter)

    @property
    def floor_matches_per_second(self) -> float:
        """Of the floor, against this engine."""
        return self.matches / median(each.seconds for each in self.floor)

    def per_match(self, kind: str) -> float:
        """Capacity units for a match, ``write`` or ``read``."""
        return sum(each.units for each in self.units if each.kind == kind) / self.matches


@dataclass(frozen=True)
class ColdStart:
    """A process's way to its first answer, the median of fresh ones.

    Attributes:
        what: ``handler`` or ``botocore``.
        compiled: whether bytecode was there. Lambda's layers hold none, and it cannot be written there.
        import_seconds: of the clock, until everything is imported and the clients are made.
        import_cpu_seconds: user and system time until then.
        request_seconds: of the clock, from then to the first answer.
    """

    what: str
    compiled: bool
    import_seconds: float
    import_cpu_seconds: float
    request_seconds: float


@dataclass(frozen=True)
class Target:
    """A target of docs/performance.md.

    Attributes:
        name: what is measured.
        limit: what it may be at most.
        measured: what it is.
        unit: of both.
    """

    name: str
    limit: float
    measured: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.measured <= self.limit


@dataclass(frozen=True)
class Results:
    """All that a bench has measured.

    Attributes:
        layers: bytes of each unzipped layer.
        memory_megabytes: what the template gives the converter.
    """

    machine: Machine
    memory_megabytes: int
    layers: dict[str, int]
    cold_starts: tuple[ColdStart, ...]
    backlogs: tuple[Backlog, ...]

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Results":
        """Reads what ``dataclasses.asdict`` made."""
        return cls(
            machine=Machine(**content["machine"]),
            memory_megabytes=content["memory_megabytes"],
            layers=content["layers"],
            cold_starts=tuple(ColdStart(**each) for each in content["cold_starts"]),
            backlogs=tuple(_backlog(each) for each in content["backlogs"]),
        )

    @property
    def large(self) -> Sequence[Backlog]:
        """The backlogs that targets per match are judged by; the largest there is, if all are small."""
        return [each for each in self.backlogs if each.matches >= LARGE] or self.backlogs[-1:]

    def cold_start(self, what: str, *, compiled: bool) -> ColdStart:
        """One of the cold starts."""
        return next(each for each in self.cold_starts if (each.what, each.compiled) == (what, compiled))

    @property
    def targets(self) -> list[Target]:
        """What docs/performance.md asks for, and what was measured: the worst of the large backlogs.

        What compares sizes is there only where sizes were measured that can be compared.
        """
        handler, botocore = (self.cold_start(what, compiled=False) for what in ("handler", "botocore"))
        large, every = self.large, self.backlogs
        requests = max(each.requests_per_1000 for each in large)
        written = max(each.per_match("write") for each in large)
        imported = handler.import_cpu_seconds / botocore.import_cpu_seconds
        megabytes = sum(self.layers.values()) / 1_000_000
        grown = growth([each.megabytes for each in large])
        apart = spread([each.cpu_ms for each in every])
        return [
            Target("requests per 1,000 matches", REQUESTS_PER_1000, requests, "requests"),
            Target("write units per match", WRITE_UNITS_PER_MATCH, written, "units"),
            Target("CPU per match", CPU_OF_FLOOR, max(each.of_floor for each in large), "times the floor's"),
            Target("import of the handler", IMPORT_OF_BOTOCORE, imported, "times botocore's"),
            Target("layers, unzipped", LAYER_MEGABYTES, megabytes, "MB"),
            *([Target("memory, 10,000 to 100,000", SPREAD_PERCENT, grown, "% more")] if len(large) > 1 else []),
            *([Target("CPU per match, all sizes", SPREAD_PERCENT, apart, "% apart")] if len(every) > 1 else []),
        ]


def growth(values: Sequence[float]) -> float:
    """How much larger the last value is than the first, in percent."""
    return (values[-1] / values[0] - 1) * 100


def spread(values: Sequence[float]) -> float:
    """How much larger the largest value is than the smallest, in percent."""
    return (max(values) / min(values) - 1) * 100


def _backlog(content: dict[str, Any]) -> Backlog:
    return Backlog(
        matches=content["matches"],
        requests=content["requests"],
        units=tuple(Units(**each) for each in content["units"]),
        converter=tuple(Process(**each) for each in content["converter"]),
        floor=tuple(Process(**each) for each in content["floor"]),
    )
