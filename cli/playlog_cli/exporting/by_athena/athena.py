"""Athena: the same statements over an export in S3, for what no single machine can read."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from playlog_cli.errors import CommandError
from playlog_cli.exporting.by_athena.answers import rows_of
from playlog_cli.exporting.by_athena.cost import LEAST_BYTES, counting_statements
from playlog_cli.exporting.by_athena.queries import failure, run
from playlog_cli.exporting.by_athena.tables import database_name, make_tables
from playlog_cli.exporting.by_athena.workgroup import Workgroup, find_workgroup
from playlog_cli.exporting.engine import Query
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.opened import read_manifest
from playlog_cli.exporting.places import Bucket, Place
from playlog_cli.stacks.stack import CLIENT_CONFIG

LONGEST_STATEMENT = 262_144  # bytes (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html)


class Athena:
    """Answers SQL statements on an export in S3.

    Args:
        place: of the export.
        manifest: of the export.

    Attributes:
        place: of the export.
        manifest: of the export.
        scanned: bytes that the statements so far have scanned, as Athena bills them.
        was_stopped: whether a statement was stopped. What it had scanned is billed too, and not known.
    """

    def __init__(self, place: Bucket, manifest: Manifest) -> None:
        self.place = place
        self.manifest = manifest
        self.scanned = 0
        self.was_stopped = False
        self._planned: list[str] | None = None

    @cached_property
    def workgroup(self) -> Workgroup:
        """Limits what a statement scans. It is made if there is none."""
        return find_workgroup(self._client, self.place, self.manifest)

    @cached_property
    def _client(self) -> Any:
        return self.place.session.client("athena", config=CLIENT_CONFIG)

    def plan(self, work: Callable[[], object]) -> list[str]:
        """The statements that some work will run, in their order.

        Args:
            work: runs on statements that answer no rows. So it must change nothing.
        """
        self._planned = []
        try:
            work()
            return self._planned
        finally:
            self._planned = None

    def prepare(self) -> None:
        """Makes the workgroup and the tables of this export, if they are not there.

        Raises:
            CommandError: the bucket is in another region, or the workgroup cannot be used.
            ClientError: AWS refuses a call.
        """
        here, there = self.place.session.region_name, self.place.region
        if there and there != here:
            raise CommandError(
                f"the bucket of {self.place.name} is in {there}, and Athena in {here} would pay for each byte that it "
                f"reads from there: add --region {there}"
            )
        make_tables(self.place.session.client("glue", config=CLIENT_CONFIG), self.place, self.manifest)
        assert self.workgroup

    def check(self, statements: list[str]) -> None:
        """Checks that Athena sees each row that the manifest lists, before other statements are paid for.

        Args:
            statements: that will be run.

        Raises:
            CommandError: it does not.
        """
        for statement, expected in counting_statements(statements, self.manifest).items():
            ((seen,),) = self.rows(statement)
            if seen != expected:
                raise CommandError(
                    f"Athena sees {seen:,} rows where the manifest of {self.place.name} lists {expected:,} "
                    f"({statement}): a file is missing, or something filters what Athena reads. Export again, or leave "
                    "--athena out"
                )

    def confirm(self) -> None:
        """Checks that the export was not replaced while Athena read it: then its files are removed.

        Raises:
            CommandError: it was.
        """
        if read_manifest(self.place).generation != self.manifest.generation:
            raise CommandError(
                f"another export to {self.place.name} was finished while Athena read this one: run the command again"
            )

    @staticmethod
    def brief(*texts: str) -> str:
        """SQL for some texts as one text: Athena has memory enough for them.

        Args:
            texts: SQL for each.
        """
        *others, last = texts
        return " || ".join([*(f"CAST(LENGTH({text}) AS VARCHAR) || ' ' || {text}" for text in others), last])

    def rows(self, statement: str | Query) -> Iterator[tuple[Any, ...]]:
        """Runs a statement.

        Args:
            statement: SQL that both engines understand.

        Yields:
            Rows.

        Raises:
            CommandError: Athena cannot run it, or it would scan more than the workgroup allows.
            BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
        """
        text = str(statement)
        if self._planned is not None:
            self._planned.append(text)
            return
        if (size := len(text.encode())) > LONGEST_STATEMENT:
            raise CommandError(
                f"a query has {size:,} bytes, and Athena takes {LONGEST_STATEMENT:,} at most: name fewer stations "
                "and tracks in the options and in the rate card, or leave --athena out"
            )
        try:
            execution = run(self._client, text, database_name(self.place, self.manifest), self.workgroup.name)
        except BaseException:
            self.was_stopped = True
            raise
        state, statistics = execution["Status"]["State"], execution.get("Statistics", {})
        if state != "FAILED":  # failed statements are free
            self.scanned += max(LEAST_BYTES, statistics.get("DataScannedInBytes", 0))
        if state != "SUCCEEDED":
            raise CommandError(failure(execution, self.workgroup))
        yield from rows_of(self._client, self.place, execution)


def find_athena(place: Place, manifest: Manifest) -> Athena:
    """Athena for an export.

    Raises:
        CommandError: the export is not in S3.
    """
    if not isinstance(place, Bucket):
        raise CommandError(f"Athena reads exports in S3, and {place.name} is a folder: leave --athena out")
    return Athena(place, manifest)
