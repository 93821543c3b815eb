"""Whatever Athena answers over an export in S3 is what DuckDB answers over it, to the last digit."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from playlog.domain.match import Item
from playlog_cli.app import app
from playlog_cli.auditing.invariants import Kind
from playlog_cli.errors import explain
from playlog_cli.exporting.export import export_by_scan
from playlog_cli.exporting.places import Bucket, place_of
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.e2e.tables import ROOT, away_from_the_schedule
from tests.integration.cli.breaches import break_the_law
from tests.integration.cli.test_report import MARCH, play_item
from tests.support.athena import check_is_common_sql
from tests.unit.cli.reporting.test_figures import CARD

BUCKET = "exports-for-athena"
PLAYS, BREACHES = f"s3://{BUCKET}/plays", f"s3://{BUCKET}/breaches"
DATES = ["--from", "2026-03-01", "--to", "2026-04-01", "--time-zone", "Europe/Berlin"]
CATALOG = """\
track_id,title,artist,album,label,isrc,composers,payee,shares
t-0,Rain,Anna,,,,,,1/3 Anna as artist; 2/3 Ben as composer
t-1,Sun,"Ben ""B"" and Co",,,,,Ben,
"""
COMMANDS = {
    "report by track": ["report", *DATES, "--by", "track", "--by", "day", "--json"],
    "report with a card": ["report", *DATES, "--by", "station", "--by", "hour", "--rate-card", "CARD", "--json"],
    "report of a station": ["report", *DATES, "--station", "it's", "--track", "t-1", "--json"],
    "plays": ["plays", *DATES, "--jsonl", "OUT"],
    "plays of a station": ["plays", *DATES, "--station", "it's", "--flagged", "--jsonl", "OUT"],
    "withdrawn plays": ["plays", *DATES, "--withdrawn", "--jsonl", "OUT"],
    "statements": ["statements", *DATES, "--catalog", "CATALOG", "--rate-card", "CARD", "--json"],
    "catalog check": ["catalog", "check", *DATES, "--catalog", "CATALOG", "--rate-card", "CARD", "--json"],
}


def plays() -> Iterator[Item]:
    """Plays of March and of later months, with what is hard to keep exact."""
    for number in range(40):
        more: dict[str, Any] = {"duration_seconds": {"N": f"{number}.{number:06}"}}
        more["avg_confidence_score"] = {"N": f"{number + 50}.{'3' * 26}"}
        if number % 7 == 0:
            more["active"] = {"BOOL": False}
        if number % 5 == 0:
            more |= {"flagged": {"BOOL": True}, "station_program_id": {"S": 'of "Anna",\nBen'}}
        if number % 11 == 0:
            more["note"] = {"S": ""}  # an attribute of the writer's own
        at = MARCH.since + timedelta(hours=17.5 * number, microseconds=number)
        yield play_item(f"t-{number % 3}", at, "it's" if number % 2 else "s", **more)
    yield play_item("t-0", MARCH.until, "s")
    yield play_item("t-0", MARCH.until.replace(year=2041), "s")


@pytest.fixture(scope="module")
def exports(stack: Stack) -> Any:
    """Two exports in S3: of plays, and of tables that violate the invariants in each way.

    Returns:
        The client of Athena.
    """
    stack.session.client("s3").create_bucket(Bucket=BUCKET)
    with away_from_the_schedule(stack, "athena") as tables:
        apart = replace(
            stack,
            match_cache_table=tables.match_cache,
            play_log_table=tables.play_log,
            failed_play_log_table=tables.failed_play_log,
        )
        for item in plays():
            stack.dynamodb.put_item(TableName=apart.play_log_table, Item=item)
        export_by_scan(apart, place_of(PLAYS, stack.session), lambda _table, _items: None)
        break_the_law(apart)
        export_by_scan(apart, place_of(BREACHES, stack.session), lambda _table, _items: None)
    return stack.session.client("athena")


@pytest.fixture(scope="module")
def run(exports: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Result]:
    """Runs a command on an export. What it writes to the file OUT counts as its output."""
    del exports
    folder = tmp_path_factory.mktemp("athena")
    files = {"CARD": folder / "card.toml", "CATALOG": folder / "catalog.csv", "OUT": folder / "plays.jsonl"}
    for name, text in (("CARD", CARD), ("CATALOG", CATALOG)):
        files[name].write_text(text)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, [str(files.get(each, each)) for each in arguments])
        if files["OUT"].exists():
            result.stdout_bytes += files["OUT"].read_bytes()
            files["OUT"].unlink()
        return result

    return invoke


def check_statements(athena: Any) -> None:
    """Checks that all that Athena was asked so far is SQL of both engines."""
    groups = [each["Name"] for each in athena.list_work_groups()["WorkGroups"] if each["Name"].startswith("playlog-")]
    ids = [query for group in groups for query in athena.list_query_executions(WorkGroup=group)["QueryExecutionIds"]]
    assert len(ids) > 1
    for query in ids:
        check_is_common_sql(athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Query"])


def without_time(output: str) -> list[Any]:
    """The JSON of a command, which may be in lines, without the moment at which it was made."""
    try:
        values = [json.loads(output)]
    except ValueError:
        values = list(map(json.loads, output.splitlines()))
    for value in values:
        value.pop("made_at", None)
    return values


@pytest.mark.parametrize("name", COMMANDS)
def test_athena_answers_what_duckdb_answers(exports: Any, run: Callable[..., Result], name: str) -> None:
    by_duckdb = run(*COMMANDS[name], "--export", PLAYS)
    by_athena = run(*COMMANDS[name], "--export", PLAYS, "--athena")

    expected = name == "catalog check"  # it finds tracks that the catalog lacks
    assert (by_duckdb.exit_code, by_athena.exit_code) == (expected, expected), by_athena.exception
    assert len(by_duckdb.stdout) > 200
    assert without_time(by_athena.stdout) == without_time(by_duckdb.stdout)
    assert "Athena: " in by_athena.stderr
    assert "Athena billed " in by_athena.stderr
    check_statements(exports)


def test_an_audit_by_athena_finds_every_kind_of_violation(exports: Any, run: Callable[..., Result]) -> None:
    by_duckdb = run("audit", "--export", BREACHES, "--json")
    by_athena = run("audit", "--export", BREACHES, "--athena", "--json")

    assert by_athena.exit_code == by_duckdb.exit_code == 1
    assert json.loads(by_athena.stdout) == json.loads(by_duckdb.stdout)
    assert {each["kind"] for each in json.loads(by_athena.stdout)["violations"]} == set(Kind)
    check_statements(exports)


@pytest.fixture
def broken(exports: Any, stack: Stack) -> Iterator[tuple[str, list[str]]]:
    """A copy of the export of plays, and the keys of its files."""
    del exports
    s3 = stack.session.client("s3")

    def keys(prefix: str) -> list[str]:
        return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    for key in keys("plays/"):
        if "/athena/" not in key:
            source = {"Bucket": BUCKET, "Key": key}
            s3.copy_object(Bucket=BUCKET, Key=key.replace("plays/", "broken/", 1), CopySource=source)
    yield f"s3://{BUCKET}/broken", keys("broken/")
    for key in keys("broken/"):
        s3.delete_object(Bucket=BUCKET, Key=key)


def test_an_export_that_lost_a_file_gives_no_figures(
    run: Callable[..., Result], stack: Stack, broken: tuple[str, list[str]]
) -> None:
    name, keys = broken
    stack.session.client("s3").delete_object(Bucket=BUCKET, Key=next(key for key in keys if "month=2026-03" in key))
    result = run(*COMMANDS["report by track"], "--export", name, "--athena")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Athena sees " in str(result.exception)


def test_a_file_that_athena_cannot_read_gives_no_figures(
    run: Callable[..., Result], stack: Stack, broken: tuple[str, list[str]]
) -> None:
    name, keys = broken
    key = next(key for key in keys if "month=2026-03" in key)
    stack.session.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"no Parquet")
    result = run(*COMMANDS["plays"], "--export", name, "--athena")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Athena could not answer: " in str(result.exception)
    assert "Athena billed 0 bytes" in result.stderr


def test_a_workgroup_that_was_disabled_is_named(exports: Any, run: Callable[..., Result], stack: Stack) -> None:
    assert run(*COMMANDS["plays"], "--export", PLAYS, "--athena").exit_code == 0
    place = place_of(PLAYS, stack.session)
    assert isinstance(place, Bucket)
    name = f"playlog-{stack.name}-{place.digest}"
    exports.update_work_group(WorkGroup=name, State="DISABLED")
    result = run(*COMMANDS["plays"], "--export", PLAYS, "--athena")
    exports.update_work_group(WorkGroup=name, State="ENABLED")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{name} is disabled" in str(result.exception)


@pytest.fixture
def permit(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Uses a user who has the permissions of docs/athena.md, without one of them."""
    iam = stack.session.client("iam")
    iam.create_user(UserName="operator")
    key = iam.create_access_key(UserName="operator")["AccessKey"]

    def use(without: str) -> None:
        page = (ROOT / "docs/athena.md").read_text(encoding="utf-8")
        policy = page.partition("```json\n")[2].partition("```")[0].replace("my-bucket/playlog", f"{BUCKET}/plays")
        # The embedded AWS does not know the workgroup of a statement that runs.
        policy = policy.replace("arn:aws:athena:*:*:workgroup/playlog-*", "*")
        document = json.loads(policy.replace("my-bucket", BUCKET))
        for statement in document["Statement"]:
            actions = statement["Action"]
            statement["Action"] = (
                [each for each in actions if each != without] if isinstance(actions, list) else actions
            )
        iam.put_user_policy(UserName="operator", PolicyName="athena", PolicyDocument=json.dumps(document))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    yield use
    iam.delete_user_policy(UserName="operator", PolicyName="athena")
    iam.delete_access_key(UserName="operator", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="operator")


def test_the_permissions_of_the_page_are_enough(run: Callable[..., Result], permit: Callable[[str], None]) -> None:
    permit("none")
    result = run(*COMMANDS["report by track"], "--export", PLAYS, "--athena")
    assert result.exit_code == 0, result.exception


@pytest.mark.parametrize(
    "action", ["athena:GetWorkGroup", "athena:StartQueryExecution", "athena:GetQueryResults", "glue:CreateTable"]
)
def test_a_permission_that_is_missing_is_named(
    run: Callable[..., Result], permit: Callable[[str], None], action: str
) -> None:
    permit(action)
    result = run(*COMMANDS["report by track"], "--export", PLAYS, "--athena")
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, ClientError)
    sentence = explain(result.exception)
    assert "AWS denies this to the credentials in use" in sentence
    assert action.partition(":")[2] in sentence
