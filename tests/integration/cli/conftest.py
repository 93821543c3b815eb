"""The stack as a command sees it. Modules that use it name ``tests.support.aws_fixture`` as a plugin."""

import pytest
from playlog_cli.stacks.stack import Stack

from tests.support.aws import Aws
from tests.support.reporting.stack import stack_in_memory


@pytest.fixture
def stack(aws: Aws) -> Stack:
    """The stack of template.yaml in memory, empty."""
    return stack_in_memory(aws)
