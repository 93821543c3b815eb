"""The fixture ``aws``, for the tests that name this module as a plugin."""

from collections.abc import Iterator

import pytest
from playlog_cli.wiring import built_template

from tests.support.aws import Aws, aws_in_memory


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The stack of template.yaml in memory, empty, with whatever the user's environment says of AWS out of the way."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", built_template.REGION)
    with aws_in_memory() as aws:
        monkeypatch.setattr("playlog.runtime.retry.time", aws.clock)
        yield aws
