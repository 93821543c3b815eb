"""Options that several commands share."""

from typing import Annotated

import typer

StackName = Annotated[str, typer.Option("--stack", envvar="PLAYLOG_STACK", help="Name of the CloudFormation stack.")]
Region = Annotated[str | None, typer.Option(help="AWS region. Default: that of the environment or the profile.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


def new_app(help_text: str | None = None) -> typer.Typer:
    """An app for the commands of one module: plain text, on a terminal or not."""
    return typer.Typer(
        no_args_is_help=help_text is not None, help=help_text, add_completion=False, rich_markup_mode=None
    )
