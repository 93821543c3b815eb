"""What a million matches cost, from measured units and list prices."""

from dataclasses import dataclass

from bench.results import Results

MILLION = 1_000_000
# List prices of us-east-1 in dollars: aws.amazon.com/dynamodb/pricing/on-demand, aws.amazon.com/lambda/pricing.
WRITE_UNIT = 0.625 / MILLION
READ_UNIT = 0.125 / MILLION
GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
INVOCATION = 0.20 / MILLION
# AWS Lambda Developer Guide, "Configure Lambda function memory": so many MB have the power of one vCPU.
MEGABYTES_OF_A_VCPU = 1_769
MEGABYTES_OF_A_GB = 1_024

RUNS_A_MONTH = 720 * 30
SECONDS_OF_AN_EMPTY_RUN = 0.1
# The writer's own put: its item and the item's entry in unprocessed-index, a KB each, in no transaction.
UNITS_OF_A_PUT = 2

MEASURED = "measured units"
BY_RULE = "by DynamoDB's rules"
ESTIMATE = "estimate"


@dataclass(frozen=True)
class Part:
    """A part of what a million matches cost.

    Attributes:
        name: what is paid for.
        dollars: for a million matches, by architecture.
        basis: what the figure rests on.
    """

    name: str
    dollars: dict[str, float]
    basis: str


def parts(results: Results) -> list[Part]:
    """The parts, by what the largest backlog needed.

    A run is bound by its CPU, and Lambda gives CPU in proportion to memory: so the memory cancels out, and a second of
    CPU is paid for as 1,769 MB for a second. A core of Lambda's is taken to be as fast as the one that was measured.

    Args:
        results: of a bench.
    """
    largest = results.backlogs[-1]
    units: dict[tuple[str, str, str], float] = {}
    for each in largest.units:
        place = (each.table, each.index, each.kind)
        units[place] = units.get(place, 0) + each.units / largest.matches
    priced = [
        Part("the writer's put of the match", _both(UNITS_OF_A_PUT * WRITE_UNIT), BY_RULE),
        *(
            Part(_place(*place), _both(count * (WRITE_UNIT if place[2] == "write" else READ_UNIT)), MEASURED)
            for place, count in sorted(units.items(), reverse=True)
        ),
    ]
    gb_seconds = largest.cpu_ms / 1_000 * MEGABYTES_OF_A_VCPU / MEGABYTES_OF_A_GB
    converting = {name: gb_seconds * price * MILLION for name, price in GB_SECOND.items()}
    looking = {
        name: RUNS_A_MONTH
        * (INVOCATION + SECONDS_OF_AN_EMPTY_RUN * results.memory_megabytes / MEGABYTES_OF_A_GB * price)
        for name, price in GB_SECOND.items()
    }
    return [
        *priced,
        Part("Lambda: converting them", converting, ESTIMATE),
        Part("Lambda: a run every 2 minutes", looking, ESTIMATE),
    ]


def _place(table: str, index: str, kind: str) -> str:
    verb = "writing" if kind == "write" else "reading"
    return f"{verb} {table.removesuffix('Table')}" + (f", {index}" if index else "")


def _both(each: float) -> dict[str, float]:
    return dict.fromkeys(GB_SECOND, each * MILLION)
