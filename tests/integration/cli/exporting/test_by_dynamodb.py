"""DynamoDB's export to S3 becomes an export of playlog, is brought up to date, and goes on where it was broken off."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import duckdb
import pytest
import typer
from playlog.domain import timestamps
from playlog_cli.commands.export import export_command
from playlog_cli.commands.report import report_command
from playlog_cli.errors import CommandError, explained
from playlog_cli.exporting.by_dynamodb import pending, point_in_time
from playlog_cli.exporting.by_dynamodb.point_in_time import windows
from playlog_cli.exporting.columns import MATCHES
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.opened import open_export
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.test_report import MARCH, play_item, put
from tests.support.aws import Aws
from tests.support.builders import make_item
from tests.support.reporting import s3
from tests.support.reporting.s3 import BUCKET, DOOR, Exporter, Trouble, changed

pytest_plugins = ["tests.support.aws_fixture"]

DATES = ["--from", "2026-03-01", "--to", "2026-04-01", "--time-zone", "Europe/Berlin", "--by", "track", "--json"]
TO = f"s3://{BUCKET}/playlog"


@pytest.fixture
def exporter(aws: Aws) -> Iterator[Exporter]:
    yield from s3.exporter(aws)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses before a request is sent again."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for module in ("commands.export", "reporting.sources.finding"):
        monkeypatch.setattr(f"playlog_cli.{module}.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.reporting.sources.finding.open_session", lambda *_: stack.session)
    app = typer.Typer()
    app.command("export")(export_command)
    app.command("report")(report_command)
    return lambda *arguments: CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def tables(aws: Aws) -> None:
    put(aws, *(play_item(f"t-{number % 3}", MARCH.since + timedelta(days=number)) for number in range(7)))
    put(aws, play_item("of-april", MARCH.until + timedelta(days=3)))
    aws.put(make_item("m-1"), make_item("m-2"))


def manifest(exporter: Exporter) -> Manifest:
    body = exporter.s3.get_object(Bucket=BUCKET, Key="playlog/manifest.json")["Body"].read()
    return Manifest.from_json(body.decode())


def sizes_of_columns(exporter: Exporter, made: Manifest) -> dict[str, int]:
    """How many bytes each column of plays takes in all files together."""
    sizes: dict[str, int] = {}
    for file in made.files_of("plays"):
        with NamedTemporaryFile(suffix=".parquet") as copy:
            copy.write(exporter.s3.get_object(Bucket=BUCKET, Key=f"playlog/{file.path}")["Body"].read())
            copy.flush()
            query = "SELECT path_in_schema, SUM(total_compressed_size) FROM parquet_metadata(?) GROUP BY ALL"
            for name, size in duckdb.execute(query, [copy.name]).fetchall():
                sizes[name] = sizes.get(name, 0) + int(size)
    return sizes


def set_instant(exporter: Exporter, instant: datetime) -> None:
    """Makes the export older than it is."""
    values = json.loads(exporter.s3.get_object(Bucket=BUCKET, Key="playlog/manifest.json")["Body"].read())
    values["instant"] = timestamps.to_text(instant)
    exporter.put("playlog/manifest.json", json.dumps(values).encode())


def match_ids(stack: Stack, *more: str) -> list[Any]:
    """The matches in the export."""
    columns = ", ".join(("match_id", *more))
    with open_export(TO, [MATCHES], session=stack.session) as opened:
        rows = list(opened.engine.rows(f"SELECT {columns} FROM matches ORDER BY match_id"))
    return rows if more else [row[0] for row in rows]


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    values = json.loads(result.stdout)
    return {name: value for name, value in values.items() if name != "notes"}


@pytest.mark.usefixtures("tables")
def test_an_export_by_dynamodb_is_as_of_one_instant_and_reads_no_table(
    aws: Aws, exporter: Exporter, invoke: Callable[..., Result]
) -> None:
    result = invoke("export", "--to", TO)
    assert result.exit_code == 0, result.exception
    made = manifest(exporter)
    assert {name: made.rows(name) for name in ("plays", "matches", "failures")} == {
        "plays": 8,
        "matches": 2,
        "failures": 0,
    }
    assert made.instant is not None
    assert len({arguments["ExportTime"] for arguments in exporter.started}) == 1
    assert [key for key in exporter.objects() if "AWSDynamoDB" in key or "pending" in key] == []
    aws.door.requests.clear()
    from_export = told(invoke("report", *DATES, "--export", TO))
    assert aws.door.requests == []
    assert from_export == told(invoke("report", *DATES))
    fetched = {path for method, path in DOOR.requests if method == "GET" and ".parquet" in path}
    assert not any("2026-04" in path for path in fetched), "only files of the period's months are read"


@pytest.mark.usefixtures("tables")
def test_an_export_is_brought_up_to_date(aws: Aws, exporter: Exporter, invoke: Callable[..., Result]) -> None:
    invoke("export", "--to", TO)
    before = manifest(exporter)
    set_instant(exporter, datetime.now(UTC) - timedelta(hours=30))
    key = ("station_id", "play_id")
    moved, gone = play_item("t-0", MARCH.since), play_item("t-1", MARCH.since + timedelta(days=1))
    moved |= {"duration_seconds": {"N": "7"}}
    new = play_item("new", MARCH.since + timedelta(days=9))
    put(aws, moved, new)
    aws.dynamodb.delete_item(TableName=aws.convert_settings.play_log_table, Key={name: gone[name] for name in key})
    lines = [changed(moved, *key), changed(gone, *key, is_deleted=True), changed(new, *key)]
    exporter.changes["PlayLogTable"] = lines

    result = invoke("export", "--to", TO, "--update")

    assert result.exit_code == 0, result.exception
    assert told(invoke("report", *DATES, "--export", TO)) == told(invoke("report", *DATES))
    of_plays = [each["IncrementalExportSpecification"] for each in exporter.started[3:5]]
    assert of_plays[0]["ExportToTime"] == of_plays[1]["ExportFromTime"], "more than a day is two exports"
    after = manifest(exporter)
    april = [next(made.files_of("plays", ["2026-04"])) for made in (before, after)]
    assert april[0].sha256 == april[1].sha256, "a file without changes is copied"
    assert after.column_bytes["plays"] == sizes_of_columns(exporter, after)
    assert {key.split("/")[1] for key in exporter.objects()} == {"manifest.json", after.generation}


@pytest.mark.usefixtures("tables")
def test_later_changes_replace_earlier_ones(aws: Aws, exporter: Exporter, invoke: Callable[..., Result]) -> None:
    invoke("export", "--to", TO)
    set_instant(exporter, datetime.now(UTC) - timedelta(hours=30))
    item = make_item("m-1")
    of_match = [changed(item, "match_id", is_deleted=True), changed(item | {"title": {"S": "Rain"}}, "match_id")]
    windows_of_matches = iter(of_match)
    start = point_in_time.start

    def start_with_changes(stack: Stack, table: str, *more: Any) -> str:
        if table == "MatchCacheTable":
            exporter.changes[table] = [next(windows_of_matches)]
        return start(stack, table, *more)

    point_in_time.start = start_with_changes  # type: ignore[assignment]
    try:
        assert invoke("export", "--to", TO, "--update").exit_code == 0
    finally:
        point_in_time.start = start
    assert manifest(exporter).rows("matches") == 2
    assert aws.match("m-1") is not None


def test_matches_that_expired_stay_in_an_export_that_is_brought_up_to_date(
    aws: Aws, exporter: Exporter, invoke: Callable[..., Result], stack: Stack
) -> None:
    at = int(datetime.now(UTC).timestamp())
    expired, unexpired = ({"expires_at": {"N": str(second)}} for second in (at - 9, at + 999_999))
    matches = [make_item("m-1") | expired, make_item("m-2") | unexpired, make_item("m-3")]
    aws.put(*matches)
    invoke("export", "--to", TO)
    set_instant(exporter, datetime.now(UTC) - timedelta(hours=2))
    exporter.changes["MatchCacheTable"] = [changed(each, "match_id", is_deleted=True) for each in matches]

    result = invoke("export", "--to", TO, "--update")

    assert result.exit_code == 0, result.exception
    assert match_ids(stack) == ["m-1"]
    again = invoke("export", "--to", TO)
    assert "keeps matches that have expired" in str(again.exception), "a new export would lose them"
    set_instant(exporter, datetime.now(UTC) - timedelta(hours=2))
    assert invoke("export", "--to", TO, "--update").exit_code == 0
    assert match_ids(stack) == ["m-1"]
    assert "keeps matches that have expired" in str(invoke("export", "--to", TO).exception)


def test_a_match_that_was_played_and_expired_since_the_last_export_stays(
    aws: Aws, exporter: Exporter, invoke: Callable[..., Result], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.put(make_item("m-1"), make_item("put-again") | {"expires_at": {"N": "1"}})
    invoke("export", "--to", TO)
    set_instant(exporter, datetime.now(UTC) - timedelta(hours=30))
    played = [make_item("m-1") | {"expires_at": {"N": "2"}}, make_item("put-again") | {"expires_at": {"N": "3"}}]
    periods = iter(
        [[changed(each, "match_id", is_deleted=is_deleted) for each in played] for is_deleted in (False, True)]
    )
    start = point_in_time.start

    def start_with_changes(stack: Stack, table: str, *more: Any) -> str:
        if table == "MatchCacheTable":
            exporter.changes[table] = next(periods)
        return start(stack, table, *more)

    monkeypatch.setattr(point_in_time, "start", start_with_changes)
    assert invoke("export", "--to", TO, "--update").exit_code == 0

    assert match_ids(stack, "expires_at") == [("m-1", 2), ("put-again", 3)]


@pytest.mark.usefixtures("tables")
def test_a_command_that_was_broken_off_goes_on(exporter: Exporter, invoke: Callable[..., Result]) -> None:
    DOOR.left = 2  # pending.json, and one file
    assert invoke("export", "--to", TO).exit_code == 1
    DOOR.left = None
    result = invoke("report", *DATES, "--export", TO)
    assert isinstance(result.exception, CommandError)
    assert "was broken off" in str(result.exception)

    assert invoke("export", "--to", TO).exit_code == 0

    assert len(exporter.started) == 3, "DynamoDB exports once"
    assert told(invoke("report", *DATES, "--export", TO)) == told(invoke("report", *DATES))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("trouble", [each for each in Trouble if each is not Trouble.ACCESS_DENIED])
def test_an_export_with_which_s3_had_trouble_is_the_same(
    exporter: Exporter, invoke: Callable[..., Result], trouble: Trouble
) -> None:
    invoke("export", "--to", TO)
    undisturbed = manifest(exporter)
    DOOR.fails_each_once, DOOR.trouble = True, trouble

    result = invoke("export", "--to", TO)

    assert result.exit_code == 0, result.exception
    made = manifest(exporter)
    assert made.generation > undisturbed.generation
    assert [file.sha256 for file in made.files] == [file.sha256 for file in undisturbed.files]
    assert {key.split("/")[1] for key in exporter.objects()} == {"manifest.json", made.generation}


@pytest.mark.usefixtures("tables", "exporter")
def test_an_export_that_s3_denies_is_a_message(invoke: Callable[..., Result]) -> None:
    invoke("export", "--to", TO)
    DOOR.fails_each_once, DOOR.trouble = True, Trouble.ACCESS_DENIED
    for command in (["report", *DATES, "--export", TO], ["export", "--to", TO]):
        result = invoke(*command)
        assert result.exit_code == 1
        assert isinstance(result.exception, Exception)
        assert "AWS denies this" in str(explained(result.exception))


@pytest.mark.usefixtures("tables", "exporter")
@pytest.mark.parametrize(
    ("trouble", "step"), [(Trouble.UNREACHABLE, 1), (Trouble.ACCESS_DENIED, 5), (Trouble.ANSWER_LOST, 5)]
)
def test_whichever_write_fails_an_old_export_stays_whole(
    invoke: Callable[..., Result], trouble: Trouble, step: int
) -> None:
    invoke("export", "--to", TO)
    expected = told(invoke("report", *DATES, "--export", TO))
    DOOR.trouble = trouble
    for left in range(0, 40, step):
        DOOR.left = left
        failed = invoke("export", "--to", TO)
        DOOR.left = None
        assert told(invoke("report", *DATES, "--export", TO)) == expected
        if failed.exit_code == 0:
            assert left > 3
            return
    pytest.fail("the export never succeeded")


@pytest.mark.usefixtures("tables")
def test_exports_that_failed_are_asked_for_again(exporter: Exporter, invoke: Callable[..., Result]) -> None:
    exporter.status = "FAILED"
    result = invoke("export", "--to", TO)
    assert "DynamoDB could not export" in str(result.exception)
    assert "the bucket is not there" in str(result.exception)
    exporter.status = "COMPLETED"
    exporter.s3.delete_object(Bucket=BUCKET, Key=f"playlog/{pending.NAME}")
    assert invoke("export", "--to", TO).exit_code == 0


@pytest.mark.usefixtures("tables")
def test_a_file_of_dynamodb_that_was_changed_is_not_converted(
    exporter: Exporter, invoke: Callable[..., Result]
) -> None:
    DOOR.left = 1
    invoke("export", "--to", TO)
    DOOR.left = None
    key = next(key for key in exporter.objects() if key.endswith("data/0.json.gz"))
    exporter.put(key, b"something else")
    assert "is not what DynamoDB wrote" in str(invoke("export", "--to", TO).exception)


@pytest.mark.usefixtures("tables", "exporter")
def test_a_folder_can_be_filled_through_a_bucket(invoke: Callable[..., Result], tmp_path: Path) -> None:
    assert invoke("export", "--to", tmp_path, "--through", TO).exit_code == 0
    assert json.loads((tmp_path / "manifest.json").read_text())["origin"] == "point in time"


@pytest.mark.usefixtures("tables", "exporter")
def test_an_export_by_scan_cannot_be_brought_up_to_date(invoke: Callable[..., Result], tmp_path: Path) -> None:
    invoke("export", "--to", tmp_path)
    assert "cannot be brought up to date" in str(
        invoke("export", "--to", tmp_path, "--through", TO, "--update").exception
    )
    assert "--update needs DynamoDB's export" in str(invoke("export", "--to", tmp_path, "--update").exception)


def test_a_period_is_cut_into_windows_that_dynamodb_takes() -> None:
    start = datetime(2026, 3, 14, tzinfo=UTC)
    with pytest.raises(CommandError, match="15 minutes or more"):
        windows(start, start + timedelta(minutes=14))
    for hours in (1, 24, 25, 72, 1000):
        found = windows(start, start + timedelta(hours=hours))
        assert (found[0].since, found[-1].until) == (start, start + timedelta(hours=hours))
        assert all(timedelta(minutes=15) <= each.until - each.since <= timedelta(hours=24) for each in found)
        assert all(one.until == other.since for one, other in pairwise(found))
