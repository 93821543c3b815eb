"""What CloudWatch makes of an alarm's definition and of metric data, as its user guide has it.

The embedded AWS evaluates no missing data, no dimension and no expression, and these are what the alarms hang on. The
rules are those of the Amazon CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat
missing data"; the functions of an expression those of "Using math expressions with CloudWatch metrics".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any, TypeAlias

# CloudWatch looks at some periods more than it evaluates, for data that are there; the guide's example has two.
PERIODS_MORE = 2
COMPARISONS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}


@dataclass(frozen=True)
class Metric:
    """A metric by its full name."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    def __str__(self) -> str:
        """The same in every process, whatever the order of a set: the ids of tests are made of it."""
        return " ".join([self.namespace, self.name, *(f"{name}={value}" for name, value in sorted(self.dimensions))])

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> "Metric":
        """That which an alarm, or a part of one, names."""
        dimensions = frozenset((each["Name"], each["Value"]) for each in definition.get("Dimensions", []))
        return cls(definition["Namespace"], definition["MetricName"], dimensions)


@dataclass(frozen=True)
class Point:
    """A value of a metric, ``at`` so many seconds."""

    metric: Metric
    at: float
    value: float


Data: TypeAlias = Mapping[Metric, Sequence[Point]]


def by_metric(points: Iterable[Point]) -> Data:
    """Points as ``state`` takes them."""
    data: dict[Metric, list[Point]] = {}
    for point in points:
        data.setdefault(point.metric, []).append(point)
    return data


def metrics_of(alarm: Mapping[str, Any]) -> list[Metric]:
    """The metrics that an alarm watches."""
    if "Metrics" not in alarm:
        return [Metric.of(alarm)]
    return [Metric.of(query["MetricStat"]["Metric"]) for query in alarm["Metrics"] if "MetricStat" in query]


def state(alarm: Mapping[str, Any], data: Data, now: float, before: str) -> str:
    """The state that an alarm goes to.

    Args:
        alarm: its properties, with no intrinsic function left in them.
        data: all that there is, the future too.
        now: seconds.
        before: its state so far.
    """
    wanted = alarm["EvaluationPeriods"]
    values = [_value(alarm, data, now, back) for back in range(wanted + PERIODS_MORE)]
    there = [value for value in values if value is not None][:wanted]
    # An alarm on metrics of DynamoDB ignores missing data, whatever it says (PutMetricAlarm, TreatMissingData).
    of_dynamodb = any(metric.namespace == "AWS/DynamoDB" for metric in metrics_of(alarm))
    treat = "ignore" if of_dynamodb else alarm["TreatMissingData"]
    missing = wanted - len(there)
    if missing and treat == "ignore":
        return before
    if not there and treat == "missing":
        return "INSUFFICIENT_DATA"
    breaching = sum(COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]) for value in there)
    breaching += missing if treat == "breaching" else 0
    return "ALARM" if breaching >= alarm.get("DatapointsToAlarm", wanted) else "OK"


def _value(alarm: Mapping[str, Any], data: Data, now: float, back: int) -> float | None:
    """The value of a period, the newest of which has ``back`` 0; None where it is missing."""
    if "Metrics" not in alarm:
        return _statistic(Metric.of(alarm), alarm["Period"], alarm["Statistic"], data, now, back)
    names: dict[str, Any] = {"FILL": _fill, "SUM": _sum, "IF": _if}
    expression = ""
    for query in alarm["Metrics"]:
        if "Expression" in query:
            assert query.get("ReturnData", True)
            expression = query["Expression"]
        else:
            assert query["ReturnData"] is False
            stat = query["MetricStat"]
            metric = Metric.of(stat["Metric"])
            names[query["Id"]] = _Term(_statistic(metric, stat["Period"], stat["Stat"], data, now, back))
    term: _Term = eval(_compiled(expression), {"__builtins__": {}}, names)
    return term.value


@cache
def _compiled(expression: str) -> CodeType:
    return compile(expression, "an alarm's expression", "eval")


def _statistic(metric: Metric, period: float, statistic: str, data: Data, now: float, back: int) -> float | None:
    end = now - back * period
    values = [point.value for point in data.get(metric, ()) if end - period < point.at <= end]
    return STATISTICS[statistic](values) if values else None


@dataclass(frozen=True)
class _Term:
    """A value in an expression. What is reckoned with a missing one, or divided by zero, is missing."""

    value: float | None

    def __add__(self, other: Any) -> "_Term":
        return self._with(other, lambda left, right: left + right)

    def __rmul__(self, other: Any) -> "_Term":
        return self._with(other, lambda left, right: left * right)

    def __truediv__(self, other: Any) -> "_Term":
        return self._with(other, lambda left, right: left / right if right else None)

    def __ge__(self, other: Any) -> "_Term":
        return self._with(other, lambda left, right: float(left >= right))

    def _with(self, other: Any, reckon: Any) -> "_Term":
        right = other.value if isinstance(other, _Term) else other
        return _Term(None if self.value is None or right is None else reckon(self.value, right))


def _fill(term: _Term, value: float) -> _Term:
    return _Term(value) if term.value is None else term


def _sum(terms: list[_Term]) -> _Term:
    values = [term.value for term in terms if term.value is not None]
    return _Term(sum(values) if values else None)


def _if(condition: _Term, if_true: Any, if_false: Any) -> _Term:
    if condition.value is None:
        return condition
    chosen = if_true if condition.value else if_false
    return chosen if isinstance(chosen, _Term) else _Term(chosen)


def from_emf(lines: Iterable[Mapping[str, Any]], at: float) -> Iterator[Point]:
    """The points that CloudWatch takes out of log lines (CloudWatch Embedded Metric Format specification)."""
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, line[name]) for name in names)
                for metric in directive["Metrics"]:
                    for value in line[metric["Name"]]:
                        yield Point(Metric(directive["Namespace"], metric["Name"], dimensions), at, value)
