"""Report: a run's log line and metrics."""

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit

from playlog.converting.run import Run
from playlog.runtime.telemetry import logger, metrics


def report(run: Run, seconds: float) -> None:
    """Logs a successful run in one line, and emits the metrics that the alarms in template.yaml watch.

    Args:
        run: what the run did.
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
        # A metric of its own: in the embedded metric format, one line has one set of dimensions for all its values.
        with single_metric("Failures", MetricUnit.Count, count) as metric:
            metric.add_dimension("reason_code", reason_code)
    metrics.flush_metrics()
