"""The logger and the metrics of the functions.

Powertools reads their service, namespace and level from the environment that template.yaml sets:
POWERTOOLS_SERVICE_NAME, POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_LOG_LEVEL.
"""

from aws_lambda_powertools import Logger, Metrics

logger = Logger()
metrics = Metrics()
