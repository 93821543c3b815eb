"""The audit of an export finds what the audit of the tables finds, with the same keys and sentences."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog_cli.auditing.audit import audit
from playlog_cli.auditing.export_audit import audit_export
from playlog_cli.auditing.invariants import Kind, Violation
from playlog_cli.commands.audit import audit_command
from playlog_cli.commands.export import export_command
from playlog_cli.errors import CommandError
from playlog_cli.exporting.by_athena.athena import Athena
from playlog_cli.exporting.engine import Engine, Query, Statements
from playlog_cli.exporting.manifest import Origin
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.breaches import break_the_law
from tests.support.aws import Aws
from tests.support.builders import without
from tests.support.reporting.broken import broken_tables
from tests.support.reporting.exports import INSTANT, exported
from tests.unit.cli.auditing.test_invariants import (
    PLAY_ID,
    SHARDS,
    Tables,
    altered,
    failed,
    play,
    played,
    record,
    waiting,
)

pytest_plugins = ["tests.support.aws_fixture"]

ODD: list[Item] = [
    {"attempts": {"N": "1.5"}},
    {"attempts": {"N": "-3"}},
    {"attempts": {"N": "123456789012345678901234567890"}},
    {"attempts": {"S": "2"}},
    {"attempt": {"N": "1.5"}},
    {"match_count": {"N": "1.5"}},
    {"match_count": {"S": "1"}},
    {"unprocessed_shard": {"N": "3"}},
    {"unprocessed_shard": {"NULL": True}},
    {"processed": {"S": "true"}},
    {"play_id": {"N": "1"}},
    {"station_id": {"S": ""}},
    {"matched_at": {"S": "20260314T080000.5+01"}},
    {"matched_at": {"S": "yesterday"}},
    {"start_time": {"S": "2026-03-14T07:00:00Z"}},
    {"start_time": {"S": "2026-W11-6T07:00:00.00001+00:00"}},
    {"stop_time": {"S": "2026-03-14T07:03:00.000005Z"}},
    {"duration_seconds": {"N": "180"}},
    {"duration_seconds": {"N": "179.9999999"}},
    {"duration_seconds": {"N": "1E+100"}},
    {"duration_seconds": {"S": "180"}},
    {"avg_confidence_score": {"N": "80.000001"}},
    {"avg_confidence_score": {"N": "1E-120"}},
    {"avg_confidence_score": {"N": "99999999"}},
    {"will_retry": {"S": "no"}},
    {"reason": {"N": "1"}},
    {"match_id": {"NULL": True}},
    {"note": {"B": b"of a person"}},
    {"expires_at": {"N": "1773489600"}},
    {"expires_at": {"S": "never"}},
    {"matches_expire_at": {"N": "1.5"}},
    {"matches_expire_at": {"N": "1"}, "match_count": {"N": "2"}},
]


@st.composite
def tables_with_odd_values(draw: st.DrawFn) -> Tables:
    """Tables in which up to three items have an attribute that nobody expects."""
    tables = draw(altered())
    for _ in range(draw(st.integers(0, 3))):
        items = draw(st.sampled_from([each for each in (tables.matches, tables.plays, tables.records) if each]))
        change = draw(st.sampled_from(ODD))
        keys = {"station_id", "play_id"} if items is tables.plays else {"match_id", "attempt"}
        if not keys & change.keys():
            number = draw(st.integers(0, len(items) - 1))
            items[number] = items[number] | change
    return tables


@dataclass(frozen=True)
class InOneStatement:
    """Answers each query in one statement, as Athena does, and by keys that a test chooses."""

    engine: Engine
    key: Callable[..., str] = Athena.brief

    def brief(self, *texts: str) -> str:
        """SQL for a key."""
        return self.key(*texts)

    def rows(self, statement: str | Query) -> Iterator[tuple[Any, ...]]:
        """Rows."""
        return self.engine.rows(str(statement))


def violations_of_export(
    tables: Tables, answering: Callable[[Engine], Statements] = lambda engine: engine
) -> list[Violation]:
    items = {"matches": tables.matches, "plays": tables.plays, "failures": tables.records}
    with exported(items, shards=SHARDS) as (engine, manifest):
        return list(audit_export(engine, answering(engine), manifest).violations)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables_with_odd_values())
def test_an_export_of_any_tables_has_the_violations_of_the_tables(tables: Tables) -> None:
    expected = set(tables.violations())
    assert set(violations_of_export(tables)) == expected
    assert set(violations_of_export(tables, InOneStatement)) == expected, "as Athena is asked"


@pytest.mark.parametrize("seed", range(3))
def test_every_kind_of_violation_is_found_among_plays_that_are_in_order(seed: int) -> None:
    made = broken_tables(airings=200, of_each_kind=4, seed=seed)
    tables = Tables(made.matches, made.plays, made.failures)
    expected = set(tables.violations())
    assert {each.kind for each in expected} == set(Kind)
    assert set(violations_of_export(tables)) == expected
    assert set(violations_of_export(tables, InOneStatement)) == expected


def test_whatever_a_person_wrote_into_an_attribute_hides_no_violation() -> None:
    tables = Tables()
    heard: Item = {"duration_seconds": {"N": "180"}, "avg_confidence_score": {"N": "80"}}
    says: Item = {"stop_time": {"S": "2026-03-14T07:03:00.000000+0000"}, "avg_confidence_score": {"N": "80"}}
    for number, change in enumerate(ODD):
        names = [f"{number}-{kind}" for kind in ("match", "play", "waits", "failed", "record")]
        of_match, of_play, waits, fails, of_record = names
        named = [{"play_id": {"S": name}} for name in (of_match, of_play)]
        tables.matches += [
            played(of_match, attempts={"N": "1"}) | heard | named[0] | without(change, "match_id"),
            played(of_play) | heard | named[1],
            waiting(waits) | without(change, "match_id"),
            failed(fails) | without(change, "match_id"),
            failed(of_record),
        ]
        tables.plays += [
            play(1, of_match, of_match) | says,
            play(1, of_play, of_play) | says | without(without(change, "play_id"), "station_id"),
        ]
        tables.records += [record(of_record) | without(without(change, "match_id"), "attempt"), record(fails, 2)]
    assert set(violations_of_export(tables)) == set(tables.violations())


def test_plays_with_the_same_number_in_place_of_their_keys_are_told_apart() -> None:
    made = broken_tables(airings=40, of_each_kind=2, seed=1)
    tables = Tables(made.matches, made.plays, made.failures)
    for numbers in (1, 3):
        few = partial(InOneStatement, key=lambda *texts, few=numbers: f"MOD({Engine.brief(*texts)}, {few})")
        assert set(violations_of_export(tables, few)) == set(tables.violations())


@pytest.mark.parametrize(
    "says",
    [
        {"start_time": {"S": "2026-03-14T07:00:00.000011+00:00"}},
        {"stop_time": {"S": "2026-03-14T07:03:29.999989+00:00"}},
        {"avg_confidence_score": {"N": "70.000011"}},
        {"avg_confidence_score": {"N": "69.999989"}},
    ],
)
@pytest.mark.parametrize("matches", [1, 3])
def test_a_play_that_says_a_little_else_than_its_matches_is_found(says: Item, matches: int) -> None:
    """At the least that the audit of the tables finds."""
    held = [
        played("m-1", duration_seconds={"N": "210"}, avg_confidence_score={"N": "70"}),
        played("m-2", matched_at={"S": "2026-03-14T08:00:10+01:00"}, duration_seconds={"N": "200"}),
        played("m-3", duration_seconds={"N": "10"}, avg_confidence_score={"N": "70"}),
    ][:matches]
    right = play(matches) | {
        "start_time": {"S": "2026-03-14T07:00:00.000000+0000"},
        "stop_time": {"S": "2026-03-14T07:03:30.000000+0000"},
        "avg_confidence_score": {"N": "70"},
    }
    assert violations_of_export(Tables(held, [right])) == []
    tables = Tables(held, [right | says])
    (violation,) = violations_of_export(tables)
    assert [violation] == tables.violations()
    assert violation.kind is Kind.PLAY_DIFFERS


def test_a_violation_that_is_found_twice_counts_once() -> None:
    found = violations_of_export(Tables([played(attempts={"N": "1"}) | {"processed_at": {"NULL": True}}]))
    assert len(found) == len(set(found)) == 3


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("playlog_cli.commands.export.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.auditing.audit.SETTLE_SECONDS", 0)
    app = typer.Typer()
    app.command("export")(export_command)
    app.command("audit")(audit_command)
    return lambda *arguments: CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.usefixtures("aws")
def test_every_kind_of_violation_is_found_in_the_export_of_a_stack(
    stack: Stack, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    broken = break_the_law(stack)
    invoke("export", "--to", tmp_path)

    result = invoke("audit", "--export", tmp_path, "--json")

    told = json.loads(result.stdout)
    of_tables = audit(stack, lambda _table, _items: None)
    assert told["violations"] == [asdict(each) for each in of_tables.violations]
    assert [each["kind"] for each in told["violations"]] == [each.kind for each in broken]
    names = ("matches", "waiting", "played", "failed", "stranded", "in_two_states", "plays", "failures")
    assert {name: told[name] for name in names} == {name: getattr(of_tables, name) for name in names}
    assert result.exit_code == 1


@pytest.mark.usefixtures("aws")
def test_the_screen_says_what_was_audited(stack: Stack, invoke: Callable[..., Result], tmp_path: Path) -> None:
    break_the_law(stack)
    invoke("export", "--to", tmp_path)
    result = invoke("audit", "--export", tmp_path)
    assert "The invariants are violated: 10 violations." in result.output
    assert "is no snapshot: a violation may be work that was in flight" in result.output
    assert "dead letters" not in result.output


def test_an_export_cannot_be_repaired(aws: Aws, invoke: Callable[..., Result], tmp_path: Path) -> None:
    aws.door.requests.clear()
    result = invoke("audit", "--export", tmp_path, "--repair")
    assert isinstance(result.exception, CommandError)
    assert aws.door.requests == []


def test_records_of_other_attempts_are_not_taken_for_the_last() -> None:
    tables = Tables([failed(attempts={"N": "2"})], [], [record(attempt=1), record(attempt=3)])
    (violation,) = violations_of_export(tables)
    assert (violation.kind, violation.attempt) == ("failed_without_record", 2)


def test_all_records_of_a_match_whose_attempts_are_odd_are_looked_at() -> None:
    tables = Tables([played(attempts={"N": "2.5"})], [], [record(attempt=number) for number in (1, 2, 3)])
    (violation,) = violations_of_export(tables)
    assert violation.kind is Kind.PLAYED_WITHOUT_PLAY


def test_matches_that_expired_are_not_missed() -> None:
    at = int(timestamps.from_text(INSTANT).timestamp())
    expired, later = ({"matches_expire_at": {"N": str(second)}} for second in (at, at + 1))
    assert violations_of_export(Tables([played("m-2")], [play(2, "m-1") | expired])) == []
    assert len(violations_of_export(Tables([played("m-2")], [play(2, "m-1") | later]))) == 1
    assert len(violations_of_export(Tables([played("m-1"), played("m-2")], [play(1, "m-1") | expired]))) == 1
    put_again = Tables([failed("m-1")], [play(1, "m-1", PLAY_ID) | expired], [record("m-1")])
    (violation,) = violations_of_export(put_again)
    assert violation.kind == "play_of_another_match"


def test_a_match_that_expires_while_a_scan_reads_the_tables_is_not_missed() -> None:
    at = int(timestamps.from_text(INSTANT).timestamp())
    ended_at = timestamps.to_text(timestamps.from_text(INSTANT) + timedelta(minutes=10))
    for second, missed in ((at + 300, 0), (at + 601, 1)):
        plays = [play(1, "m-1") | {"matches_expire_at": {"N": str(second)}}]
        with exported({"plays": plays}, shards=SHARDS) as (engine, manifest):
            scanned = replace(manifest, origin=Origin.SCAN, ended_at=ended_at, instant=None)
            assert len(list(audit_export(engine, engine, scanned).violations)) == missed
