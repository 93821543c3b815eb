"""The client of the path of every match, beside a client of boto3's whose events a test listens to."""

from typing import TYPE_CHECKING

import boto3
from botocore.credentials import Credentials
from playlog.dynamodb.client import Client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def client_of(boto: "DynamoDBClient") -> Client:
    """A client with the endpoint, configuration and events of a boto3 client, and the environment's credentials."""
    return Client(boto, boto3.Session().get_credentials() or Credentials("test", "test"))
