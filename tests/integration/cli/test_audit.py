"""`playlog audit` on tables that change under it: no false alarm, no breach unseen, no match played twice by a mend."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
import typer
from playlog.converting.writing.actions import Tables
from playlog.converting.writing.writer import Writer
from playlog.converting.writing.written import Written
from playlog.domain.duplicates import ExactInstant
from playlog.domain.failure import Failure
from playlog.domain.match import Item, Match
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import connect, store
from playlog_cli.auditing.audit import RECOUNTS, Audit, audit
from playlog_cli.auditing.invariants import Kind
from playlog_cli.auditing.repair import repair_match, repairs_of
from playlog_cli.commands.audit import audit_command
from playlog_cli.errors import CommandError
from playlog_cli.stacks.queues import QueueDepth
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.breaches import PLAY_ID, Breach, break_the_law, failed, play, played, record
from tests.support.aws import Aws, Request, Send, answered, on
from tests.support.builders import NOW, make_item, without

pytest_plugins = ["tests.support.aws_fixture"]

AT_ONCE = timedelta(microseconds=1)  # matches expire in the second in which they are played
command = typer.Typer()
command.command()(audit_command)


@pytest.fixture(autouse=True)
def quick(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses take no time, and few requests read a table."""
    monkeypatch.setattr("playlog_cli.stacks.tables.SEGMENTS", 2)
    for module in ("auditing.audit", "stacks.tables"):
        monkeypatch.setattr(f"playlog_cli.{module}.time", aws.clock)


def look(stack: Stack) -> Audit:
    return audit(stack, lambda _table, _items: None)


def run(aws: Aws, retain_played: timedelta = timedelta(0)) -> None:
    """A run and the storing of its dead letters, in one thread: others cannot pass a door that is open."""
    settings = aws.convert_settings
    connection = connect(settings.match_cache_table, aws.store_settings.failed_play_log_table)
    waiting = [match for match in aws.matches() if "unprocessed_shard" in match]
    verdicts = [validate(match, now=NOW, default_duration=timedelta(minutes=3)) for match in waiting]
    tables = Tables(settings.match_cache_table, settings.play_log_table, settings.station_guard_table, retain_played)
    matches = [verdict for verdict in verdicts if isinstance(verdict, Match)]
    writer = Writer(aws.client, tables, ExactInstant(), Decimal(0), aws.retry_budget(), Event())
    writer.write(matches, Written())
    writer.finish(Written())
    for verdict in verdicts:
        if isinstance(verdict, Failure):
            store(DeadLetter.of(verdict, max_attempts=3, now=NOW), connection, aws.retry_budget())


def expire(aws: Aws, match_ids: Iterable[str]) -> None:
    """Deletes matches, as DynamoDB does once they have expired."""
    for match_id in match_ids:
        assert "expires_at" in aws.match(match_id)
        aws.delete(match_id)


def put_play(aws: Aws, item: Item) -> None:
    aws.dynamodb.put_item(TableName=aws.convert_settings.play_log_table, Item=item)


def breaches(found: Audit) -> list[Breach]:
    return [Breach(each.kind, each.match_id, each.play_id, each.attempt) for each in found.violations]


class Meanwhile:
    """Does something before one of the requests that the code under test sends.

    Args:
        act: what to do.
        before: which request, from 0.
        operation: among those of this kind; None for any.
        table: among those of this table; None for any.
    """

    def __init__(
        self, act: Callable[[], None], *, before: int, operation: str | None = None, table: str | None = None
    ) -> None:
        self.done = False
        self._act = act
        self._left = before
        self._operation = operation
        self._table = table
        self._busy = False

    def __call__(self, request: Request, _send: Send) -> None:
        if self._busy or self._operation not in (None, request.operation):
            return
        if self._table not in (None, request.arguments.get("TableName")):
            return
        self._left -= 1
        if self._left == -1:
            self._busy = self.done = True
            self._act()
            self._busy = False


# --- No false alarm ---


def test_a_stack_that_keeps_the_law_is_said_to(stack: Stack, aws: Aws) -> None:
    aws.put(make_item("m-1"), make_item("m-2"), make_item("m-3", track_id={"S": " "}))
    run(aws)
    aws.put(make_item("m-4", matched_at={"S": "2026-03-14T09:00:00+01:00"}))
    for queue, letters in ((stack.dead_letter_queue_url, 2), (stack.parking_lot_queue_url, 3)):
        for _ in range(letters):
            aws.sqs.send_message(QueueUrl=queue, MessageBody="{}")
        aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)

    assert look(stack) == Audit(
        stack="playlog",
        region="us-east-1",
        matches=4,
        waiting=1,
        played=2,
        failed=1,
        stranded=0,
        in_two_states=0,
        plays=1,
        failures=1,
        dead_letters=QueueDepth(waiting=1, in_flight=1, delayed=0),
        parking_lot=QueueDepth(waiting=2, in_flight=1, delayed=0),
        violations=[],
        undecided=[],
    )


def test_a_run_at_any_moment_of_the_audit_raises_no_alarm(stack: Stack, aws: Aws) -> None:
    moments = 0
    while True:
        # The second joins the play of the first, the next two create one together, and the last fails.
        ids = [f"m-{moments}-{number}" for number in range(5)]
        hour = f"2026-03-14T09:{moments:02}"
        aws.put(make_item(ids[0], matched_at={"S": f"{hour}:00+00:00"}))
        run(aws)
        aws.put(make_item(ids[1], matched_at={"S": f"{hour}:00+00:00"}))
        aws.put(*(make_item(match_id, matched_at={"S": f"{hour}:30+00:00"}) for match_id in ids[2:4]))
        aws.put(make_item(ids[4], source={"S": "TV"}))
        meanwhile = Meanwhile(lambda: run(aws), before=moments)
        aws.door.faults = [meanwhile]
        found = look(stack)
        aws.door.faults = []
        assert (found.violations, found.undecided) == ([], []), f"with a run before request {moments}"
        if not meanwhile.done:
            break
        moments += 1
    assert moments >= 8, "two segments of each table, and both queues"
    assert aws.violations() == []


def test_matches_that_expire_at_any_moment_of_the_audit_raise_no_alarm(stack: Stack, aws: Aws) -> None:
    moments = 0
    while True:
        hour = f"2026-03-14T09:{moments:02}"
        ids = [f"m-{moments}-{number}" for number in range(4)]
        aws.put(*(make_item(match_id, matched_at={"S": f"{hour}:00+00:00"}) for match_id in ids[:2]))
        aws.put(*(make_item(match_id, matched_at={"S": f"{hour}:30+00:00"}) for match_id in ids[2:]))
        run(aws, AT_ONCE)
        meanwhile = Meanwhile(lambda ids=ids: expire(aws, ids[1:]), before=moments)  # type: ignore[misc]
        aws.door.faults = [meanwhile]
        found = look(stack)
        aws.door.faults = []
        assert (found.violations, found.undecided) == ([], []), f"expired before request {moments}"
        if not meanwhile.done:
            break
        moments += 1
    assert moments >= 8, "two segments of each table, and both queues"


@pytest.mark.parametrize("now", [0, 1, 90])
def test_a_changed_retention_raises_no_alarm_about_what_expired_before(stack: Stack, aws: Aws, now: int) -> None:
    aws.put(make_item("m-1"), make_item("m-2", matched_at={"S": "2026-03-14T09:00:00+01:00"}))
    run(aws, AT_ONCE)
    expire(aws, ["m-1"])
    aws.put(make_item("m-3", matched_at={"S": "2026-03-14T10:00:00+01:00"}))
    run(aws, timedelta(days=now))

    assert look(replace(stack, retain_played=timedelta(days=now))).violations == []


@pytest.mark.parametrize("now", [0, 1, 90])
def test_a_lowered_retention_hides_no_match_that_went_before_it_expired(stack: Stack, aws: Aws, now: int) -> None:
    aws.put(make_item("m-1"))
    run(aws, timedelta(days=60))
    expire(aws, ["m-1"])

    (violation,) = look(replace(stack, retain_played=timedelta(days=now))).violations
    assert violation.kind is Kind.PLAY_WITHOUT_MATCHES


def test_a_match_that_is_delivered_again_after_it_expired_is_played_once(stack: Stack, aws: Aws) -> None:
    aws.put(make_item("m-1"))
    run(aws, AT_ONCE)
    (before,) = aws.plays()
    expire(aws, ["m-1"])
    aws.put(make_item("m-1"))
    (violation,) = look(stack).violations
    assert violation.kind is Kind.PLAY_OF_ANOTHER_MATCH, "until the next run"

    run(aws, AT_ONCE)

    (after,) = aws.plays()
    assert after | {"updated_at": before["updated_at"]} == before
    assert look(stack).violations == []


def test_a_transaction_that_shows_in_its_items_one_by_one_raises_no_alarm(
    stack: Stack, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_play(aws, play("p-1", 1, "m-1"))
    aws.put(make_item("m-1"), played("m-2", "p-2"), failed("m-3"))

    def before_the_matches_are_read() -> None:
        aws.put(played("m-1", "p-1"))

    def before_they_are_looked_at_again() -> None:
        put_play(aws, play("p-2", 1, "m-2"))
        aws.dynamodb.put_item(TableName=stack.failed_play_log_table, Item=record("m-3", "track_id is ' '"))

    pauses = iter([before_the_matches_are_read, before_they_are_looked_at_again])
    monkeypatch.setattr(aws.clock, "sleep", lambda _seconds: next(pauses)())
    assert look(stack).violations == []


def test_a_play_that_matches_join_while_they_are_counted_is_counted_until_it_is_quiet(stack: Stack, aws: Aws) -> None:
    aws.put(make_item("m-1"))
    run(aws)
    aws.put(make_item("m-2"))
    # The first match of the play has been read, and the second has not when it joins.
    aws.door.faults = [Meanwhile(lambda: run(aws), before=1, operation="Scan", table=stack.match_cache_table)]
    found = look(stack)
    assert (found.violations, found.undecided) == ([], [])


def test_a_play_that_is_never_quiet_is_not_accused_but_named(
    stack: Stack, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playlog_cli.stacks.tables.SEGMENTS", 1)  # so that who joins before it is always in it
    aws.put(make_item("m-0"))
    run(aws)
    counts = 0

    def another_joins() -> None:
        nonlocal counts
        counts += 1
        aws.put(make_item(f"m-{counts}"))
        run(aws)

    def join_before_each_count(request: Request, send: Send) -> None:
        if request.arguments.get("Segment") == 0 and counts <= RECOUNTS:
            Meanwhile(another_joins, before=0, table=stack.match_cache_table)(request, send)

    aws.door.faults = [join_before_each_count]
    found = look(stack)
    assert found.violations == []
    assert [key.play_id for key in found.undecided] == [PLAY_ID]
    assert counts == 1 + RECOUNTS


# --- No breach unseen ---


def test_every_kind_of_breach_is_found_with_its_keys_and_nothing_else(stack: Stack) -> None:
    expected = break_the_law(stack)
    found = look(stack)
    assert breaches(found) == expected
    assert {each.kind for each in expected} == set(Kind), "no kind is left out"
    assert (found.stranded, found.in_two_states, found.waiting) == (1, 1, 1)


def test_a_breach_is_found_while_a_run_goes_on(stack: Stack, aws: Aws) -> None:
    put_play(aws, play("p-4", 2, "miscounted"))
    aws.put(played("miscounted", "p-4"))
    aws.put(make_item("m-1"))
    aws.door.faults = [Meanwhile(lambda: run(aws), before=1, operation="Scan", table=stack.match_cache_table)]
    assert breaches(look(stack)) == [Breach(Kind.PLAY_MISCOUNTED, play_id="p-4")]


def test_a_table_of_many_pages_is_read_to_its_end(stack: Stack, aws: Aws) -> None:
    aws.put(*(make_item(f"m-{number:02}", large={"S": "x" * 300_000}) for number in range(12)))
    aws.put(without(aws.match("m-11"), "unprocessed_shard"))
    found = look(stack)
    assert len(aws.sent("Scan")) > 2 * 3, "more than a page a segment"
    assert found.matches == 12
    assert breaches(found) == [Breach(Kind.STRANDED, "m-11")]


@pytest.mark.parametrize(
    ("attempts", "others"),
    [("1E+125", [Kind.FAILED_WITHOUT_RECORD]), ("1.5", [Kind.FAILED_WITHOUT_RECORD]), ("-3", [])],
)
def test_a_counter_that_makes_no_sense_does_not_stop_the_audit(
    stack: Stack, aws: Aws, attempts: str, others: list[Kind]
) -> None:
    aws.put(make_item("m-1", attempts={"N": attempts}), without(make_item("m-2"), "unprocessed_shard"))
    assert [each.kind for each in look(stack).violations] == [Kind.STRANDED, *others]


def test_a_record_of_no_whole_attempt_stands_for_none_and_does_not_stop_the_audit(stack: Stack) -> None:
    stack.dynamodb.put_item(TableName=stack.match_cache_table, Item=failed("m-1"))
    half = record("m-1", "track_id is ' '") | {"attempt": {"N": "1.5"}}
    stack.dynamodb.put_item(TableName=stack.failed_play_log_table, Item=half)
    assert breaches(look(stack)) == [Breach(Kind.FAILED_WITHOUT_RECORD, "m-1", attempt=1)]


def test_what_a_throttled_table_did_not_give_is_asked_for_again(stack: Stack, aws: Aws) -> None:
    expected = break_the_law(stack)

    def withhold(body: dict[str, Any]) -> None:
        for table, items in body["Responses"].items():
            names = ["match_id", "attempt"] if table == stack.failed_play_log_table else ["match_id"]
            names = ["station_id", "play_id"] if table == stack.play_log_table else names
            keys = [{name: item[name] for name in names} for item in items]
            body["UnprocessedKeys"] = {table: {"Keys": keys, "ConsistentRead": True}}
            items.clear()

    aws.door.faults = [on("BatchGetItem", answered(withhold), times=3)]
    assert breaches(look(stack)) == expected
    aws.door.faults = [on("BatchGetItem", answered(withhold))]
    with pytest.raises(CommandError, match="is throttled"):
        look(stack)


# --- What is mended, and what is not ---


def mended(stack: Stack) -> list[str]:
    return sorted(each.match_id for each in repairs_of(stack, look(stack)) if repair_match(stack, each))


def test_a_stranded_match_with_a_time_gets_its_shard_and_nothing_else_changes(stack: Stack, aws: Aws) -> None:
    no_shard = without(make_item("no-shard", own={"S": "stays"}), "unprocessed_shard")
    beyond = make_item("beyond", unprocessed_shard={"S": "9"}, matched_at={"S": "soon"})
    aws.put(no_shard, beyond)
    assert mended(stack) == ["beyond", "no-shard"]
    assert aws.match("no-shard") == no_shard | {"unprocessed_shard": {"S": "4"}}
    assert aws.match("beyond") == beyond | {"unprocessed_shard": {"S": "4"}}
    run(aws)
    assert look(stack).violations == []


def test_a_stranded_match_without_a_time_is_left_to_a_person(stack: Stack, aws: Aws) -> None:
    aws.put(without(make_item("m-1"), "matched_at"))
    assert mended(stack) == []


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(make_item("m-1"), id="as it was"),
        pytest.param(make_item("m-1", track_id={"S": "another"}), id="created the play, put with other data"),
        pytest.param(make_item("m-2"), id="joined the play"),
        pytest.param(make_item("m-2", track_id={"S": "another"}, play_id={"S": PLAY_ID}), id="still names its play"),
    ],
)
def test_a_stranded_match_that_may_have_been_played_is_not_played_a_second_time(
    stack: Stack, aws: Aws, again: Item
) -> None:
    aws.put(make_item("m-1"), make_item("m-2"))
    run(aws)
    aws.put(without(again, "unprocessed_shard"))
    assert mended(stack) == []


@pytest.mark.parametrize(
    "now", [played("m-1"), failed("m-1"), make_item("m-1"), without(make_item("m-1"), "station_id")], ids=str
)
def test_a_stranded_match_that_was_changed_meanwhile_is_left_as_it_is(stack: Stack, aws: Aws, now: Item) -> None:
    aws.put(without(make_item("m-1"), "unprocessed_shard"))
    aws.door.faults = [Meanwhile(lambda: aws.put(now), before=0, operation="UpdateItem")]
    assert mended(stack) == []
    assert aws.match("m-1") == now


def test_a_stranded_match_that_was_deleted_meanwhile_is_not_put_back(stack: Stack, aws: Aws) -> None:
    aws.put(without(make_item("m-1"), "unprocessed_shard"))
    aws.door.faults = [Meanwhile(lambda: aws.delete("m-1"), before=0, operation="UpdateItem")]
    assert mended(stack) == []
    assert aws.matches() == []


# --- The command ---


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("playlog_cli.commands.audit.find_stack", lambda *_, **__: stack)
    return lambda *arguments: CliRunner().invoke(command, list(arguments))


def test_the_exit_status_tells_a_script_whether_the_law_holds(aws: Aws, invoke: Callable[..., Result]) -> None:
    aws.put(make_item("m-1"))
    assert invoke().exit_code == 0
    assert "The invariants hold" in invoke().output
    aws.put(without(make_item("m-1"), "unprocessed_shard"))
    result = invoke()
    assert result.exit_code == 1
    assert "The invariants are violated: 1 violation." in result.output
    assert "match 'm-1' is stranded: it has no unprocessed_shard" in result.output


def test_the_screen_shows_a_few_of_a_kind_and_json_all(aws: Aws, invoke: Callable[..., Result]) -> None:
    aws.put(*(without(make_item(f"m-{number:02}"), "unprocessed_shard") for number in range(12)))
    shown = invoke().output
    assert shown.count("is stranded: ") == 10
    assert "... and 2 more; --json lists them all" in shown
    result = invoke("--json")
    assert result.exit_code == 1
    violations = json.loads(result.stdout)["violations"]
    assert [each["match_id"] for each in violations] == [f"m-{number:02}" for number in range(12)]
    assert violations[0] == {
        "kind": "stranded",
        "sentence": "match 'm-00' is stranded: it has no unprocessed_shard",
        "match_id": "m-00",
        "station_id": None,
        "play_id": None,
        "attempt": None,
    }


def test_nothing_is_mended_unasked(aws: Aws, invoke: Callable[..., Result]) -> None:
    stranded = without(make_item("m-1"), "unprocessed_shard")
    aws.put(stranded)
    for arguments in (["--repair"], ["--repair", "--json"]):
        result = invoke(*arguments)
        assert isinstance(result.exception, CommandError)
        assert "--yes" in str(result.exception)
    assert aws.matches() == [stranded]


def test_a_repair_shows_what_it_does_and_leaves_the_law_kept(aws: Aws, invoke: Callable[..., Result]) -> None:
    aws.put(without(make_item("m-1"), "unprocessed_shard"))
    result = invoke("--repair", "--yes")
    assert result.exit_code == 0
    assert "match m-1 gets unprocessed_shard 4" in result.output
    assert "Repaired: 1 match." in result.output
    aws.put(without(make_item("m-2"), "unprocessed_shard"), without(make_item("m-3"), "matched_at"))
    result = invoke("--repair", "--yes", "--json")
    assert result.exit_code == 1, "m-3 has no time and is left"
    assert json.loads(result.stdout)["mended"] == ["m-2"]
