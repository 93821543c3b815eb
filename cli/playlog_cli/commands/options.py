"""Options that several commands take: which stack, JSON for machines, and consent to a change."""

from typing import Annotated

import typer

StackName = Annotated[str, typer.Option("--stack", envvar="PLAYLOG_STACK", help="Name of the CloudFormation stack.")]
Region = Annotated[str | None, typer.Option(help="AWS region; the one of the environment or profile if not given.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Confirm the change instead of being asked.")]
