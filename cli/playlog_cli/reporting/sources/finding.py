"""Find the source that the options of a command name."""

from playlog_cli.errors import CommandError
from playlog_cli.reporting.sources.export import Export
from playlog_cli.reporting.sources.source import Source
from playlog_cli.reporting.sources.tables import Tables
from playlog_cli.stacks.stack import find_stack, open_session


def find_source(
    export: str | None, stack: str, region: str | None, profile: str | None, *, by_athena: bool = False
) -> Source:
    """The export that was named, or else the tables of a stack.

    Args:
        export: a folder, or ``s3://BUCKET/PREFIX``; None for the tables.
        stack: the name of the stack.
        region: AWS region; None for that of the environment or the profile.
        profile: profile of the AWS configuration; None for that of the environment.
        by_athena: whether Athena answers for the export.

    Raises:
        CommandError: there is no such stack, or no whole export.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    if export is not None:
        return Export.find(export, open_session(region, profile), by_athena=by_athena)
    if by_athena:
        raise CommandError("--athena reads an export: name it with --export s3://…")
    return Tables(find_stack(stack, region=region, profile=profile))
