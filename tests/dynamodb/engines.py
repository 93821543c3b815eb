"""The engines that the tests ask: DynamoDB Local, and those that stand in for DynamoDB elsewhere in this project.

``DYNAMODB_ENGINE`` names one of them: ``local`` (the default), ``ministack``, ``moto`` or ``memory``. With
``DYNAMODB_ENDPOINT`` nothing is started: the engine's endpoint is there already.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

import boto3
from moto import mock_aws
from playlog_cli.embedded import ministack
from playlog_cli.embedded import session as sessions

from tests.dynamodb.dynamodb_local import dynamodb_local
from tests.stateful.memory import Memory, answering


class Engine(StrEnum):
    """What answers for DynamoDB."""

    LOCAL = "local"
    MINISTACK = "ministack"
    MOTO = "moto"
    MEMORY = "memory"


class EngineError(Exception):
    """The environment names an engine that there is not."""


def chosen(environment: Mapping[str, str]) -> Engine:
    """The engine that the environment names.

    Raises:
        EngineError: there is no such engine.
    """
    name = environment.get("DYNAMODB_ENGINE", Engine.LOCAL)
    try:
        return Engine(name)
    except ValueError:
        raise EngineError(f"DYNAMODB_ENGINE is {name!r}: it must be one of {', '.join(Engine)}") from None


@contextmanager
def started(engine: Engine) -> Iterator[None]:
    """Whatever AWS client this process makes within the block speaks to the engine.

    Raises:
        DynamoDBLocalError, CommandError: the engine cannot be run here.
    """
    match engine:
        case Engine.MOTO:
            with _spoken_to(None), mock_aws():
                yield
        case Engine.MEMORY:
            with answering(Memory().answer), _spoken_to(None):
                yield
        case _:
            with _endpoint(engine) as endpoint, _spoken_to(endpoint):
                yield


@contextmanager
def _endpoint(engine: Engine) -> Iterator[str]:
    if there := os.environ.get("DYNAMODB_ENDPOINT"):
        yield there
    elif engine is Engine.LOCAL:
        with dynamodb_local() as endpoint:
            yield endpoint
    else:
        session = sessions.session("dynamodb")
        with sessions.claimed(session):
            ministack.install(session)
            with ministack.served(session) as server:
                ministack.wait_until_ready(session, server)
                yield server.endpoint


@contextmanager
def _spoken_to(endpoint: str | None) -> Iterator[None]:
    """Sets what AWS clients read: an endpoint, and credentials that stand for no account."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    )
    if endpoint:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
    boto3.setup_default_session()  # the one that there may be has read the environment before
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        boto3.setup_default_session()
