"""The versions of a stack's functions: which one is live, which there are, and moving the alias."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from playlog.domain import timestamps
from playlog.runtime.settings import LIVE

from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# The description that a rollback gives the alias. A deployment moves the alias on and leaves the text.
_MOVED = re.compile(r"version (\d+) live by rollback since (\S+)")


@dataclass(frozen=True)
class Version:
    """A published version of a function.

    Attributes:
        number: its number, from 1.
        deployed_at: when it was published, in UTC.
        release: what it was made of: commit, built files, settings.
        is_live: whether the alias points at it.
    """

    number: str
    deployed_at: str
    release: str
    is_live: bool

    @property
    def name(self) -> str:
        """The release without its settings: the same for both functions of a deployment."""
        return self.release.partition(";")[0]


@dataclass(frozen=True)
class LiveVersion:
    """What the alias of a function points at.

    Attributes:
        arn: of the alias: what the schedule, the queue mapping and the hand-over invoke.
        version: number of the version that is live.
        release: what the version was made of: commit, built files, settings.
        since: time at which it went live, in UTC.
    """

    arn: str
    version: str
    release: str
    since: str


def live_version(functions: "LambdaClient", name: str) -> LiveVersion | None:
    """The version that is live; None if the function has no alias.

    Args:
        functions: client.
        name: of the function.
    """
    try:
        alias = functions.get_alias(FunctionName=name, Name=LIVE)
    except ClientError as error:
        if error.response["Error"].get("Code") == "ResourceNotFoundException":
            return None
        raise
    number = alias["FunctionVersion"]
    version = functions.get_function_configuration(FunctionName=name, Qualifier=number)
    moved = _MOVED.fullmatch(alias.get("Description", ""))
    since = moved[2] if moved and moved[1] == number else _time(version["LastModified"])
    return LiveVersion(alias["AliasArn"], number, version.get("Description", ""), since)


def versions(functions: "LambdaClient", name: str) -> list[Version]:
    """The published versions of a function, the newest first."""
    live = live_version(functions, name)
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    found = [each for page in pages for each in page["Versions"] if each["Version"] != "$LATEST"]
    return [
        Version(
            number=each["Version"],
            deployed_at=_time(each["LastModified"]),
            release=each.get("Description", ""),
            is_live=live is not None and live.version == each["Version"],
        )
        for each in sorted(found, key=lambda each: -int(each["Version"]))
    ]


def roll_back(stack: Stack, targets: dict[str, str]) -> None:
    """Moves the aliases to versions, after each of them has passed its check.

    Args:
        stack: the stack.
        targets: number of the version by name of the function.

    Raises:
        CommandError: a version does not pass its check. No alias has moved.
    """
    if problems := [problem for name, number in targets.items() for problem in check(stack, name, number)]:
        raise CommandError(f"nothing was rolled back: {'; '.join(problems)}")
    now = timestamps.to_text(datetime.now(UTC))
    for name, number in targets.items():
        stack.functions.update_alias(
            FunctionName=name,
            Name=LIVE,
            FunctionVersion=number,
            Description=f"version {number} live by rollback since {now}",
            RoutingConfig={"AdditionalVersionWeights": {}},
        )


def check(stack: Stack, name: str, qualifier: str) -> Iterator[str]:
    """Invokes a version with ``{"check": true}``.

    Yields:
        What is missing.
    """
    answer = stack.functions.invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps({"check": True}))
    payload = json.loads(answer["Payload"].read() or "null")
    if "FunctionError" in answer:
        yield f"{name}:{qualifier}: {payload.get('errorMessage', 'it did not say why')}"
    elif not isinstance(payload, dict) or "checked" not in payload:
        yield f"{name}:{qualifier} is older than the check and cannot be checked: deploy the older commit instead"


def _time(text: str) -> str:
    return timestamps.to_text(datetime.fromisoformat(text))
