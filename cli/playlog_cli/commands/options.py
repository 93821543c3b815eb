"""What several commands take: the stack, JSON, and the user's consent to a change."""

import sys
from typing import Annotated

import typer

from playlog_cli.errors import CommandError
from playlog_cli.terminal import err

StackName = Annotated[str, typer.Option("--stack", envvar="PLAYLOG_STACK", help="Name of the CloudFormation stack.")]
Region = Annotated[str | None, typer.Option(help="AWS region; the one of the environment or profile if not given.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def consented(question: str, *, yes: bool, as_json: bool) -> bool:
    """Asks on the terminal whether a change may be made, unless the command line has said so.

    Args:
        question: what is about to be done.
        yes: whether ``--yes`` was given.
        as_json: whether a machine reads the output: it cannot be asked.

    Returns:
        Whether it may.

    Raises:
        CommandError: there is nobody to ask.
    """
    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        raise CommandError(f"{question} There is nobody to ask here: say --yes, and it is done without asking")
    err.print(f"{question} [y/N] ", end="", soft_wrap=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
