"""The deployed stack that a command works on: its resources, and clients to reach them."""

import ipaddress
import os
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from playlog.domain.duplicates import DuplicateRule, rule_for
from playlog.dynamodb.client import Client
from playlog.runtime import retry

from playlog_cli.embedded import session as sessions
from playlog_cli.errors import CommandError
from playlog_cli.terminal import err

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

DEFAULT_STACK = "playlog"
CLIENT_CONFIG = Config(
    connect_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 8},
    max_pool_connections=32,
)

# The first request shows whether anything answers: a wrong endpoint is reported within a second.
_LOOKUP_CONFIG = CLIENT_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 3}))
# A run answers when it has ended, after up to the function's timeout. A second request would start a second run.
# One connection for a run of each shard, of which there are at most 64.
_INVOKE_CONFIG = CLIENT_CONFIG.merge(
    Config(read_timeout=150, retries={"total_max_attempts": 1}, tcp_keepalive=True, max_pool_connections=64)
)
# In these states tables or functions may be missing, whatever the outputs say.
_INCOMPLETE = ("CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_", "DELETE_", "REVIEW_", "IMPORT_ROLLBACK_")
# Each of them says which AWS is meant. Without any, and without a region in the configuration, no call is possible.
_NAME_AN_AWS = (
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)


@dataclass(frozen=True)
class Stack:
    """A deployed stack, by the names in its outputs (docs/contract.md, The stack).

    Attributes:
        name: of the CloudFormation stack.
        session: region and credentials.
        shards: its ``UnprocessedShards``, 1 to 64.
        default_duration: its ``DefaultDurationSeconds``.
        flag_below_confidence: its ``FlagBelowConfidence``, 0 to 100.
        airing_gap: its ``AiringGapSeconds``.
        retain_played: its ``RetainPlayedDays``; zero keeps played matches for ever.
    """

    name: str
    session: boto3.Session
    match_cache_table: str
    play_log_table: str
    failed_play_log_table: str
    dead_letter_queue_url: str
    parking_lot_queue_url: str
    convert_matches_function: str
    store_failures_function: str
    shards: int
    default_duration: timedelta
    flag_below_confidence: Decimal
    airing_gap: timedelta = timedelta(0)
    retain_played: timedelta = timedelta(0)

    @property
    def rule(self) -> DuplicateRule:
        """Which of its matches are one play."""
        return rule_for(self.airing_gap)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Client for the tables."""
        return self.session.client("dynamodb", config=CLIENT_CONFIG)

    @cached_property
    def client(self) -> Client:
        """The converter's client, which sends a request once: ``playlog.runtime.retry`` sends it again."""
        # boto3 calls it "default" where no profile is named, and botocore refuses a name that no file has.
        profile = None if self.session.profile_name == "default" else self.session.profile_name
        session = botocore.session.Session(profile=profile)
        return Client(
            self.session.client("dynamodb", config=retry.CLIENT_CONFIG),
            self.session.get_credentials(),
            session.get_config_variable("ca_bundle"),
        )

    @cached_property
    def sqs(self) -> "SQSClient":
        """Client for the queues."""
        return self.session.client("sqs", config=CLIENT_CONFIG)

    @cached_property
    def functions(self) -> "LambdaClient":
        """Client for the functions. It waits for a run to end and repeats no request."""
        return self.session.client("lambda", config=_INVOKE_CONFIG)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """Client for the functions' logs."""
        return self.session.client("logs", config=CLIENT_CONFIG)


def find_stack(
    name: str = DEFAULT_STACK,
    *,
    region: str | None = None,
    profile: str | None = None,
) -> Stack:
    """Looks up a deployed stack.

    Args:
        name: name of the CloudFormation stack.
        region: AWS region; None for that of the environment or the profile.
        profile: profile of the AWS configuration; None for that of the environment.

    Raises:
        CommandError: there is no such stack, or it lacks something that a playlog stack has.
        BotoCoreError, ClientError: AWS cannot be reached or refuses the call. ``errors.explain`` has a sentence for it.
    """
    session = open_session(region, profile)
    cloudformation = session.client("cloudformation", config=_LOOKUP_CONFIG)
    try:
        description = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in error.response["Error"].get("Message", ""):
            raise
        raise CommandError(
            f"there is no stack `{name}` in {session.region_name} at {cloudformation.meta.endpoint_url}: "
            "name another one with --stack, --region or --profile, or deploy it "
            "(`playlog local up` on this machine, `make deploy` on AWS)"
        ) from None
    return read_stack(description, session)


def open_session(region: str | None, profile: str | None) -> boto3.Session:
    """Region and credentials for the following calls.

    An embedded AWS on this machine needs neither, so that missing ones are filled in. Its credentials belong to no
    account, and those of the user's own AWS configuration are not sent to it.

    Args:
        region: AWS region; None for that of the environment or the profile.
        profile: profile of the AWS configuration; None for that of the environment.
    """
    _use_local_stack(region, profile)
    region = region or os.environ.get("AWS_REGION")  # boto3 itself reads AWS_DEFAULT_REGION only
    if not _is_loopback(os.environ.get("AWS_ENDPOINT_URL", "")):
        return boto3.Session(region_name=region, profile_name=profile)
    region = region or os.environ.get("AWS_DEFAULT_REGION") or sessions.REGION
    if profile or "AWS_PROFILE" in os.environ or "AWS_ACCESS_KEY_ID" in os.environ:
        return boto3.Session(region_name=region, profile_name=profile)
    return boto3.Session("test", "test", region_name=region)


def _use_local_stack(region: str | None, profile: str | None) -> None:
    """Uses the stack of `playlog local up`, if it is up and neither options, environment nor configuration name an AWS.

    Sets the environment of this process, which every AWS client reads.
    """
    if region or profile or any(os.environ.get(name) for name in _NAME_AN_AWS):
        return
    try:
        if boto3.Session().region_name is not None:
            return
        server = sessions.session(sessions.LOCAL).running()
    except (BotoCoreError, CommandError):  # an unreadable configuration is reported later, where it is used
        return
    if server is not None:
        os.environ.update(server.environment)
        err.print(f"playlog: using the stack of `playlog local up` at {server.endpoint}", soft_wrap=True)


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_stack(description: "StackTypeDef", session: boto3.Session) -> Stack:
    """Reads a stack from its description by CloudFormation.

    Args:
        description: what DescribeStacks returns for one stack.
        session: region and credentials for later calls.

    Raises:
        CommandError: the stack is not deployed whole, or lacks an output or a parameter of a playlog stack.
    """
    name, status = description["StackName"], description["StackStatus"]
    if status.startswith(_INCOMPLETE):
        raise CommandError(f"stack `{name}` is {status}: wait until it is deployed, or deploy it again")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in description.get("Parameters", [])}
    try:
        return Stack(
            name=name,
            session=session,
            match_cache_table=outputs["MatchCacheTable"],
            play_log_table=outputs["PlayLogTable"],
            failed_play_log_table=outputs["FailedPlayLogTable"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            parking_lot_queue_url=outputs["ParkingLotQueueUrl"],
            convert_matches_function=outputs["ConvertMatchesFunction"],
            store_failures_function=outputs["StoreFailuresFunction"],
            shards=int(parameters["UnprocessedShards"]),
            default_duration=timedelta(seconds=float(parameters["DefaultDurationSeconds"])),
            flag_below_confidence=Decimal(parameters["FlagBelowConfidence"]),
            airing_gap=timedelta(seconds=float(parameters["AiringGapSeconds"])),
            # A stack of contract 1 has no such parameter, and keeps every match.
            retain_played=timedelta(days=int(parameters.get("RetainPlayedDays", "0"))),
        )
    except KeyError as missing:
        raise CommandError(
            f"stack `{name}` ({status}) has no {missing.args[0]}: name the stack that playlog was deployed as with "
            "--stack, or deploy its template again"
        ) from None
