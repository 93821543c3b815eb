"""Write matches into a stack: each with everything that its state needs, in one transaction.

A match that waits is put alone, a played one with its play, a failed one with its record. So the invariants hold
wherever a load ends, and loading again continues.
"""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Event
from typing import Any

from botocore.exceptions import ClientError
from playlog.converting.writing.actions import Action, Tables
from playlog.converting.writing.writer import Writer
from playlog.converting.writing.written import Written
from playlog.domain.duplicates import ExactInstant
from playlog.runtime.retry import TRANSIENT_CODES, RequestError, Retry, UnavailableError

from playlog_cli.errors import CommandError
from playlog_cli.loading import history
from playlog_cli.loading.batches import Batch, PlayedMatch, PutMatch, put_failed
from playlog_cli.loading.files.row import BadRow
from playlog_cli.loading.results import Tally
from playlog_cli.stacks.stack import Stack

RETRY_SECONDS = 60.0  # for a transaction that DynamoDB throttles
LOAD_AGAIN = "load the files again later, which adds what is missing"


class MatchStore:
    """Writes batches of matches, from several threads.

    Args:
        stack: where to write.
        now: the time of the load, with an offset.
    """

    def __init__(self, stack: Stack, now: datetime) -> None:
        self._stack = stack
        self._now = now
        self._has_written = Event()

    def write(self, batch: Batch) -> Tally:
        puts = [each for each in batch if isinstance(each, PutMatch)]
        plays = [each for each in batch if isinstance(each, PlayedMatch)]
        tally = Tally()
        if puts:
            tally.add(self._put(puts))
        if plays:
            tally.add(self._play(plays))
        return tally

    def _play(self, plays: list[PlayedMatch]) -> Tally:
        """Puts matches that were played, each with its play, which is created or joined as the converter does it.

        Raises:
            CommandError: DynamoDB throttles, or other writes are in the way, for longer than it is worth to wait.
            ClientError: DynamoDB refuses what has nothing to do with the matches.
        """
        # The old system made a play of each instant, so this rule holds whatever the stack's gap is. There is no
        # deadline: ``Retry`` counts its tries as well, anew for each batch.
        writer = Writer(
            self._stack.client,
            Tables(
                self._stack.match_cache_table,
                self._stack.play_log_table,
                retain_played=self._stack.retain_played,
            ),
            ExactInstant(),
            self._stack.flag_below_confidence,
            Retry(math.inf),
            self._has_written,
            history.encode_airing,
        )
        written = Written()
        try:
            writer.write((each.match for each in plays), written)
            writer.finish(written)
        except UnavailableError as error:
            raise CommandError(f"{error}: {LOAD_AGAIN}") from None
        except RequestError as error:
            raise (error.__cause__ or error) from None
        if written.left:
            raise CommandError(f"{written.obstacle}: {LOAD_AGAIN}")
        lines = {each.match.match_id: each.line for each in plays}
        failures = [history.cannot_be_played(failure, self._now) for failure in written.take_failures()]
        tally = Tally(
            added=written.matches,
            already_there=len(plays) - written.matches - len(failures),
            played=written.matches,
            plays=written.plays,
        )
        if failures:
            tally.add(self._put([put_failed(lines[failed.match_id], failed) for failed in failures]))
        return tally

    def _put(self, batch: list[PutMatch]) -> Tally:
        """Puts the matches that are not there. A match that DynamoDB refuses takes no other with it.

        Raises:
            CommandError: DynamoDB throttles for longer than ``RETRY_SECONDS``.
            ClientError: it refuses what has nothing to do with the matches.
        """
        tally = Tally()
        dynamodb = self._stack.dynamodb
        for _ in Retry(time.monotonic() + RETRY_SECONDS).rounds():
            actions: Any = [action for put in batch for action in self._actions(put)]
            try:
                dynamodb.transact_write_items(TransactItems=actions)
            except dynamodb.exceptions.TransactionCanceledException as cancelled:
                batch = _sorted_out(batch, cancelled.response["CancellationReasons"], tally)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationException":
                    raise
                if len(batch) == 1:
                    tally.add_bad(_refused(batch[0], error.response["Error"]))
                    return tally
                # The transaction as a whole was refused: which match is the cause shows when each goes alone.
                for put in batch:
                    tally.add(self._put([put]))
                return tally
            else:
                add_put(tally, batch)
                return tally
            if not batch:
                return tally
        raise CommandError(f"DynamoDB throttles writes to {self._stack.match_cache_table}: {LOAD_AGAIN}")

    def _actions(self, put: PutMatch) -> list[Action]:
        tables = (self._stack.match_cache_table, self._stack.failed_play_log_table)
        return [history.put_new(table, item) for table, item in zip(tables, put.items, strict=False)]


def add_put(tally: Tally, puts: Sequence[PutMatch]) -> None:
    """Counts matches that were put."""
    tally.added += len(puts)
    tally.failed += sum(put.record is not None for put in puts)
    tally.not_played += [put.not_played for put in puts if put.not_played]


def _sorted_out(batch: list[PutMatch], reasons: Sequence[Mapping[str, Any]], tally: Tally) -> list[PutMatch]:
    """The matches of a cancelled transaction that are to be sent again; the others go into the tally."""
    again = []
    left = iter(reasons)
    for put in batch:
        about_match, *about_record = [next(left) for _ in put.items]
        if about_match.get("Code") == "ConditionalCheckFailed":
            tally.already_there += 1
        elif any(reason.get("Code") == "ConditionalCheckFailed" for reason in about_record):
            problem = (
                "FailedPlayLog has a record of this match, and MatchCache does not have the match: it was played later "
                "and has expired, or somebody deleted it. If it must be loaded, remove the record first"
            )
            tally.add_bad(BadRow(put.line, problem))
        elif refusals := [reason for reason in (about_match, *about_record) if not _is_transient(reason)]:
            tally.add_bad(_refused(put, refusals[0]))
        else:
            again.append(put)
    return again


def _is_transient(reason: Mapping[str, Any]) -> bool:
    """Whether an action may do better a moment later: it met a throttle, or only stood beside one that failed."""
    code = reason.get("Code")
    return code == "None" or code in TRANSIENT_CODES


def _refused(put: PutMatch, refusal: Mapping[str, Any]) -> BadRow:
    return BadRow(put.line, f"DynamoDB refuses the match: {refusal.get('Message', refusal.get('Code'))}")
