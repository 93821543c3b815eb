"""How many messages a queue holds."""

from dataclasses import dataclass

from playlog_cli.stacks.stack import Stack


@dataclass(frozen=True)
class QueueDepth:
    """Messages of a queue, as SQS counts them: approximately.

    Attributes:
        waiting: messages that can be received.
        in_flight: messages that were received and not deleted yet.
        delayed: messages that cannot be received yet.
    """

    waiting: int
    in_flight: int
    delayed: int


def queue_depth(stack: Stack, queue_url: str) -> QueueDepth:
    """Asks SQS how many messages a queue holds."""
    attributes = stack.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return QueueDepth(
        waiting=int(attributes["ApproximateNumberOfMessages"]),
        in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
    )
