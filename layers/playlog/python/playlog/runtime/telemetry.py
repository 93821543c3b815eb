"""The logger and the metrics of both functions.

Powertools reads their service and namespace from the environment that template.yaml sets: POWERTOOLS_SERVICE_NAME,
POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_LOG_LEVEL.
"""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from playlog.converting.run import Run

logger = Logger()
metrics = Metrics()


def report(run: "Run", seconds: float) -> None:
    """Logs a run that succeeded in one line and emits its metrics, which the alarms in template.yaml watch.

    Args:
        run: what it did.
        seconds: how long it took.
    """
    facts = run.as_answer()
    logger.info(facts.pop("message"), extra={**facts, "seconds": round(seconds, 3)})
    metrics.add_metric("SuccessfulRuns", MetricUnit.Count, 1)
    metrics.add_metric("MatchesProcessed", MetricUnit.Count, run.processed)
    metrics.add_metric("MatchesFailed", MetricUnit.Count, run.failed)
    metrics.add_metric("Plays", MetricUnit.Count, run.plays)
    metrics.add_metric("RunTime", MetricUnit.Seconds, seconds)
    metrics.add_metric("OldestWaitingAge", MetricUnit.Seconds, run.oldest_waiting_seconds)
    metrics.add_metric("LeftWaiting", MetricUnit.Count, int(run.waiting))
    for reason_code, count in run.failures.items():
        # A metric of its own, since EMF has one set of dimensions for all the values of a line.
        with single_metric("Failures", MetricUnit.Count, count) as metric:
            metric.add_dimension("reason_code", reason_code)
    metrics.flush_metrics()
