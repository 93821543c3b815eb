"""What Athena does only on AWS: limits, lost answers, refusals, and answers that are too long for one page."""

import json
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.response import StreamingBody
from playlog_cli.app import app
from playlog_cli.commands.athena_cost import answered
from playlog_cli.errors import CommandError, explain
from playlog_cli.exporting.by_athena import queries
from playlog_cli.exporting.by_athena.athena import LONGEST_STATEMENT, Athena
from playlog_cli.exporting.by_athena.cost import dollars, expected_bytes
from playlog_cli.exporting.by_athena.tables import database_name
from playlog_cli.exporting.by_athena.workgroup import Workgroup
from playlog_cli.exporting.manifest import ExportFile, Manifest, Origin
from playlog_cli.exporting.places import Bucket
from playlog_cli.stacks.stack import CLIENT_CONFIG
from typer.testing import CliRunner

from tests.unit.cli.reporting.test_figures import CARD

LIMIT = 10**12
FILES = [
    ExportFile(
        "plays", "20260401T000000.000000Z/plays/month=2026-03/part-00000-0.parquet", 7, 90_000_000, "", "2026-03"
    ),
    ExportFile(
        "plays", "20260401T000000.000000Z/plays/month=2041-01/part-00000-0.parquet", 1, 40_000_000, "", "2041-01"
    ),
    ExportFile("matches", "20260401T000000.000000Z/matches/part-00000.parquet", 9, 20_000_000, ""),
]
MANIFEST = Manifest(
    stack="prod",
    region="us-east-1",
    generation="20260401T000000.000000Z",
    origin=Origin.SCAN,
    began_at="2026-04-01T00:00:00.000000+0000",
    ended_at="2026-04-01T00:10:00.000000+0000",
    instant=None,
    unprocessed_shards=8,
    files=FILES,
)
IN_ORDER = {"State": "ENABLED", "Configuration": {"BytesScannedCutoffPerQuery": LIMIT}}


class Aws:
    """Answers the requests of boto3's clients before they are sent.

    Attributes:
        answers: by operation: an answer, an error, or several for one request after the other, of which the last stays.
        asked: each operation with its arguments.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {
            "GetObject": [error("NoSuchKey", "", "GetObject")],
            "HeadBucket": [{"BucketRegion": "us-east-1"}],
            "CreateDatabase": [{}],
            "CreateTable": [{}],
            "GetDatabases": [{"DatabaseList": []}],
            "GetWorkGroup": [{"WorkGroup": IN_ORDER}],
            "StartQueryExecution": [{"QueryExecutionId": "q"}],
            "StopQueryExecution": [{}],
            "GetQueryExecution": [ended("SUCCEEDED", scanned=30_000_000)],
            "GetQueryResults": [page([["n"], ["7"]], ["bigint"])],
        }
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._session: Any = boto3.Session("test", "test", region_name="us-east-1")
        self.region_name = "us-east-1"

    def client(self, service: str, **options: Any) -> Any:
        """A client that asks this object."""
        client = self._session.client(service, **options)
        client.meta.events.register("before-parameter-build", self._note)
        client.meta.events.register("before-call", self._answer)
        return client

    def operations(self) -> list[str]:
        """What was asked, in order."""
        return [operation for operation, _ in self.asked]

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.asked.append((model.name, dict(params)))

    def _answer(self, model: Any, **_: Any) -> Any:
        answers = self.answers[model.name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return SimpleNamespace(status_code=200), answer


def ended(state: str, reason: str = "", scanned: int = 0) -> dict[str, Any]:
    status = {"State": state, "StateChangeReason": reason}
    return {
        "QueryExecution": {
            "QueryExecutionId": "q",
            "Status": status,
            "Statistics": {"DataScannedInBytes": scanned},
            "ResultConfiguration": {"OutputLocation": "s3://results/of prod/q#1.csv"},
        }
    }


def page(rows: list[list[str | None]], types: list[str], token: str | None = None) -> dict[str, Any]:
    cells = [{"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in rows]
    answer: dict[str, Any] = {
        "ResultSet": {
            "Rows": cells,
            "ResultSetMetadata": {"ColumnInfo": [{"Name": "", "Type": each} for each in types]},
        }
    }
    return answer if token is None else {**answer, "NextToken": token}


def error(code: str, message: str, operation: str = "StartQueryExecution") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setattr(queries, "FIRST_PAUSE", 0.0)
    return Aws()


@pytest.fixture
def athena(aws: Aws) -> Athena:
    return Athena(Bucket("s3://exports/of/prod", "exports", "of/prod", aws), MANIFEST)  # type: ignore[arg-type]


def test_a_statement_that_exceeds_the_limit_says_so_and_how_to_raise_it(aws: Aws, athena: Athena) -> None:
    reason = "Query cancelled! : Bytes scanned limit was exceeded"
    aws.answers["GetQueryExecution"] = [ended("RUNNING"), ended("CANCELLED", reason, scanned=LIMIT)]
    with pytest.raises(
        CommandError, match=f"more than 1,000,000,000,000 bytes, the limit of workgroup {athena.workgroup.name}"
    ):
        list(athena.rows("SELECT 1"))
    assert athena.scanned == LIMIT, "a cancelled statement is billed"


def test_a_statement_that_somebody_cancelled_is_no_answer(aws: Aws, athena: Athena) -> None:
    aws.answers["GetQueryExecution"] = [ended("CANCELLED", "Query was cancelled by user", scanned=5)]
    with pytest.raises(CommandError, match="was cancelled: Query was cancelled by user"):
        list(athena.rows("SELECT 1"))
    assert athena.scanned == 10_000_000


def test_a_statement_that_failed_says_why_and_is_free(aws: Aws, athena: Athena) -> None:
    aws.answers["GetQueryExecution"] = [ended("FAILED", "Insufficient permissions to execute the query: glue:GetTable")]
    with pytest.raises(CommandError, match=r"could not answer: Insufficient permissions .* glue:GetTable"):
        list(athena.rows("SELECT 1"))
    assert athena.scanned == 0


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), error("ExpiredTokenException", "", "GetQueryExecution")])
def test_a_statement_that_nobody_waits_for_is_stopped(aws: Aws, athena: Athena, interruption: BaseException) -> None:
    aws.answers["GetQueryExecution"] = [ended("RUNNING"), interruption]
    with pytest.raises(type(interruption)):
        list(athena.rows("SELECT 1"))
    assert aws.asked[-1] == ("StopQueryExecution", {"QueryExecutionId": "q"})


def test_ctrl_c_wins_over_a_stop_that_is_refused(aws: Aws, athena: Athena) -> None:
    aws.answers["GetQueryExecution"] = [KeyboardInterrupt()]
    aws.answers["StopQueryExecution"] = [error("AccessDeniedException", "no", "StopQueryExecution")]
    with pytest.raises(KeyboardInterrupt):
        list(athena.rows("SELECT 1"))


def http(status: int, body: dict[str, Any]) -> AWSResponse:
    headers: Any = {}
    raw: Any = SimpleNamespace(stream=lambda: [json.dumps(body).encode()])
    return AWSResponse("", status, headers, raw)


@pytest.mark.parametrize(
    "first", [ConnectionClosedError(endpoint_url="Athena"), http(400, {"__type": "TooManyRequestsException"})]
)
def test_a_lost_answer_and_throttling_start_no_second_query(monkeypatch: pytest.MonkeyPatch, first: Any) -> None:
    """AWS knows the second request by its token: see ClientRequestToken of StartQueryExecution."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    tokens = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        tokens.append(json.loads(request.body)["ClientRequestToken"])
        if len(tokens) == 1:
            if isinstance(first, Exception):
                raise first
            return cast("AWSResponse", first)
        return http(200, {"QueryExecutionId": "q"})

    client = boto3.Session("test", "test", region_name="us-east-1").client("athena", config=CLIENT_CONFIG)
    client.meta.events.register("before-send.athena.StartQueryExecution", answer)
    done = SimpleNamespace(status_code=200), ended("SUCCEEDED")
    client.meta.events.register("before-call.athena.GetQueryExecution", lambda **_: done)

    assert queries.run(client, "SELECT 1", "database", "workgroup") == ended("SUCCEEDED")["QueryExecution"]

    assert len(tokens) == 2
    assert tokens[0] == tokens[1]


def test_two_statements_have_tokens_of_their_own(aws: Aws, athena: Athena) -> None:
    for _ in range(2):
        list(athena.rows("SELECT 1"))
    tokens = {
        arguments["ClientRequestToken"] for operation, arguments in aws.asked if operation == "StartQueryExecution"
    }
    assert len(tokens) == 2


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("TooManyRequestsException", "AWS is throttling"),
        ("AccessDeniedException", "AWS denies this to the credentials in use"),
        ("InvalidRequestException", "WorkGroup is disabled"),
    ],
)
def test_what_athena_refuses_is_said_in_a_sentence(aws: Aws, athena: Athena, code: str, sentence: str) -> None:
    aws.answers["StartQueryExecution"] = [error(code, "WorkGroup is disabled")]
    with pytest.raises(ClientError) as caught:
        list(athena.rows("SELECT 1"))
    assert sentence in explain(caught.value)
    assert "StopQueryExecution" not in aws.operations()


def test_a_statement_that_is_too_long_is_not_sent(aws: Aws, athena: Athena) -> None:
    with pytest.raises(CommandError, match="name fewer stations"):
        list(athena.rows("-" * (LONGEST_STATEMENT + 1)))
    assert aws.asked == []


def test_an_export_in_another_region_is_not_read_across(aws: Aws, athena: Athena) -> None:
    aws.answers["HeadBucket"] = [{"BucketRegion": "eu-central-1"}]
    with pytest.raises(CommandError, match="add --region eu-central-1"):
        athena.prepare()
    assert aws.operations() == ["HeadBucket"]


HARD = ['a "b", c', "", None, "1\r\n2\u2028", "0.30000000000000000000000000000000001", "true"]
TYPES = ["varchar", "varchar", "varchar", "varchar", "decimal(38,35)", "boolean"]
TYPED = ('a "b", c', "", None, "1\r\n2\u2028", Decimal("0.30000000000000000000000000000000001"), True)
FILE = (
    '"n","n","n","n","n","n"\n' + '"a ""b"", c","",,"1\r\n2\u2028","0.30000000000000000000000000000000001","true"\n' * 3
)


def test_a_short_answer_keeps_each_value(aws: Aws, athena: Athena) -> None:
    aws.answers["GetQueryResults"] = [page([["n"] * 6, HARD], TYPES)]
    assert list(athena.rows("SELECT 1")) == [TYPED]
    assert "GetObject" not in aws.operations()


def test_a_long_answer_is_read_from_its_file_and_keeps_each_value(aws: Aws, athena: Athena) -> None:
    aws.answers["GetQueryResults"] = [page([["n"] * 6, HARD], TYPES, token="more")]
    aws.answers["GetObject"] = [{"Body": StreamingBody(BytesIO(FILE.encode()), len(FILE.encode()))}]
    assert list(athena.rows("SELECT 1")) == [TYPED] * 3
    operation, arguments = aws.asked[-1]
    assert (operation, arguments["Bucket"], arguments["Key"]) == ("GetObject", "results", "of prod/q#1.csv")
    assert aws.operations().count("GetQueryResults") == 1


def test_a_long_answer_without_a_file_is_read_page_by_page(aws: Aws, athena: Athena) -> None:
    aws.answers["GetQueryResults"] = [
        page([["n"] * 6, HARD], TYPES, token="2"),
        page([HARD], TYPES, token="3"),
        page([HARD], TYPES),
    ]
    assert list(athena.rows("SELECT 1")) == [TYPED] * 3
    pages = [arguments.get("NextToken") for operation, arguments in aws.asked if operation == "GetQueryResults"]
    assert pages == [None, "2", "3"]


def test_the_first_command_makes_a_workgroup_with_a_limit(aws: Aws, athena: Athena) -> None:
    missing = error("InvalidRequestException", "WorkGroup is not found.", "GetWorkGroup")
    aws.answers["GetWorkGroup"] = [missing, {"WorkGroup": IN_ORDER}]
    aws.answers["CreateWorkGroup"] = [{}]
    assert athena.workgroup == Workgroup(f"playlog-prod-{athena.place.digest}", LIMIT)
    (made,) = [arguments for operation, arguments in aws.asked if operation == "CreateWorkGroup"]
    assert made["Configuration"] == {
        "EnforceWorkGroupConfiguration": True,
        "BytesScannedCutoffPerQuery": LIMIT,
        "ResultConfiguration": {"OutputLocation": "s3://exports/of/prod/athena/"},
    }


def test_a_workgroup_that_somebody_made_is_used_as_it_is(aws: Aws, athena: Athena) -> None:
    aws.answers["GetWorkGroup"] = [{"WorkGroup": {"Configuration": {"BytesScannedCutoffPerQuery": 10**8}}}]
    assert athena.workgroup.bytes_limit == 10**8
    assert aws.operations() == ["GetWorkGroup"]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({**IN_ORDER, "State": "DISABLED"}, "is disabled: .*--state ENABLED"),
        ({"State": "ENABLED", "Configuration": {}}, "has no limit .*BytesScannedCutoffPerQuery=1000000000000"),
    ],
)
def test_a_workgroup_that_protects_nobody_is_not_used(
    aws: Aws, athena: Athena, found: dict[str, Any], sentence: str
) -> None:
    aws.answers["GetWorkGroup"] = [{"WorkGroup": found}]
    with pytest.raises(CommandError, match=sentence):
        athena.prepare()
    assert "StartQueryExecution" not in aws.operations()


def test_tables_know_the_months_of_the_manifest_also_those_to_come(aws: Aws, athena: Athena) -> None:
    athena.prepare()
    made = {
        arguments["TableInput"]["Name"]: arguments for operation, arguments in aws.asked if operation == "CreateTable"
    }
    assert set(made) == {"plays", "matches", "failures"}
    plays = made["plays"]["TableInput"]
    assert plays["Parameters"]["projection.month.values"] == "2026-03,2041-01"
    folder = "s3://exports/of/prod/20260401T000000.000000Z/plays/"
    assert plays["Parameters"]["storage.location.template"] == f"{folder}month=${{month}}/"


def test_an_export_brought_up_to_date_has_tables_of_its_own_and_those_of_the_old_one_go(
    aws: Aws, athena: Athena
) -> None:
    earlier = database_name(athena.place, MANIFEST)
    others = ["default", "playlog_other_00000000_20200101t000000_000000z"]
    later = Athena(athena.place, replace(MANIFEST, generation="20260402T000000.000000Z"))
    name = database_name(athena.place, later.manifest)
    aws.answers["GetDatabases"] = [{"DatabaseList": [{"Name": each} for each in (*others, earlier, name)]}]
    aws.answers["DeleteDatabase"] = [{}]
    later.prepare()
    assert name != earlier
    assert {arguments["DatabaseName"] for operation, arguments in aws.asked if operation == "CreateTable"} == {name}
    assert [arguments["Name"] for operation, arguments in aws.asked if operation == "DeleteDatabase"] == [earlier]
    list(later.rows("SELECT 1"))
    (started,) = [arguments for operation, arguments in aws.asked if operation == "StartQueryExecution"]
    assert started["QueryExecutionContext"] == {"Database": name}


def test_nothing_is_answered_if_athena_sees_other_rows_than_the_manifest_lists(aws: Aws, athena: Athena) -> None:
    aws.answers["GetQueryResults"] = [page([["total"], ["6"]], ["bigint"])]
    with pytest.raises(CommandError, match="sees 6 rows where the manifest of s3://exports/of/prod lists 7"):
        athena.check([MARCH_PLAYS])


def test_nothing_is_answered_if_the_export_was_replaced_in_the_meantime(aws: Aws, athena: Athena) -> None:
    for generation, is_refused in ((MANIFEST.generation, False), ("20260402T000000.000000Z", True)):
        body = replace(MANIFEST, generation=generation).to_json().encode()
        aws.answers["GetObject"] = [{"Body": StreamingBody(BytesIO(body), len(body))}]
        with pytest.raises(CommandError, match="run the command again") if is_refused else nullcontext():
            athena.confirm()


@pytest.mark.parametrize(
    ("operation", "answer", "sentence"),
    [
        ("GetQueryResults", page([["total"], ["6"]], ["bigint"]), "sees 6 rows"),
        ("GetObject", None, "another export"),
    ],
)
def test_a_command_has_no_figures_of_an_export_that_is_not_whole(
    aws: Aws, athena: Athena, operation: str, answer: Any, sentence: str
) -> None:
    body = replace(MANIFEST, generation="20260402T000000.000000Z").to_json().encode()
    aws.answers[operation] = [answer or {"Body": StreamingBody(BytesIO(body), len(body))}]
    with pytest.raises(CommandError, match=sentence):
        answered(athena, lambda: list(athena.rows(MARCH_PLAYS)))


def test_a_full_disk_is_named(aws: Aws, athena: Athena, tmp_path: Path) -> None:
    aws.answers["GetObject"] = [{"Body": StreamingBody(BytesIO(b"1"), 1)}]
    with pytest.raises(CommandError, match="TMPDIR names another disk"):
        athena.place.download("bucket", "key", tmp_path / "missing" / "file")


MARCH_PLAYS = "SELECT track_id FROM plays WHERE month IN ('2026-03', 'unknown')"


def test_the_cost_is_that_of_the_files_that_a_statement_reads() -> None:
    assert expected_bytes(MARCH_PLAYS, MANIFEST) == 90_000_000
    twice = f"{MARCH_PLAYS} UNION ALL {MARCH_PLAYS}"
    assert expected_bytes(twice, MANIFEST) == 180_000_000, "Athena reads a table each time that it is named"
    assert expected_bytes("SELECT 1 FROM plays p JOIN matches m ON TRUE", MANIFEST) == 150_000_000
    assert expected_bytes("SELECT 1 FROM failures", MANIFEST) == 10_000_000, "the least that is billed"
    sizes = {"plays": {"track_id": 25, "month_of": 25, "played_at_us": 50}}
    assert expected_bytes(MARCH_PLAYS, replace(MANIFEST, column_bytes=sizes)) == 22_500_000, "one column in four"
    assert (dollars(10_000_000), dollars(2 * 10**12)) == (Decimal("0.0001"), Decimal(10))


def test_a_stopped_query_is_not_said_to_be_free(aws: Aws, athena: Athena, capsys: Any) -> None:
    aws.answers["GetQueryExecution"] += [ended("RUNNING"), KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        answered(athena, lambda: list(athena.rows(MARCH_PLAYS)))
    said = capsys.readouterr().err
    assert "Athena billed 30,000,000 bytes: $0.0002, and what the query had scanned that was stopped" in said


def test_ctrl_c_ends_a_command_without_figures(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playlog_cli.reporting.sources.finding.open_session", lambda *_: aws)
    body = MANIFEST.to_json().encode()
    aws.answers["GetObject"] = [{"Body": StreamingBody(BytesIO(body), len(body))}]
    aws.answers["GetQueryResults"] = [page([["total"], ["7"]], ["bigint"]), page([["total"], ["0"]], ["bigint"])]
    aws.answers["GetQueryExecution"] = [ended("SUCCEEDED"), ended("SUCCEEDED"), ended("RUNNING"), KeyboardInterrupt()]
    dates = ["--from", "2026-03-01", "--to", "2026-04-01"]
    result = CliRunner().invoke(app, ["report", *dates, "--export", "s3://exports/of/prod", "--athena"])
    assert result.exit_code != 0
    assert result.stdout == ""
    assert aws.operations()[-1] == "StopQueryExecution"
    assert aws.operations().count("StartQueryExecution") == 3


@pytest.mark.parametrize("export", [None, "FOLDER"])
@pytest.mark.parametrize("command", ["report", "plays", "statements", "catalog check", "audit"])
def test_athena_is_refused_for_what_is_not_in_s3(tmp_path: Path, command: str, export: str | None) -> None:
    (tmp_path / "manifest.json").write_text(MANIFEST.to_json())
    (tmp_path / "catalog.csv").write_text("track_id,title\n")
    (tmp_path / "card.toml").write_text(CARD)
    arguments = [*command.split(), "--athena"]
    if command != "audit":
        arguments += ["--from", "2026-03-01", "--to", "2026-04-01"]
    if command in ("statements", "catalog check"):
        arguments += ["--catalog", str(tmp_path / "catalog.csv"), "--rate-card", str(tmp_path / "card.toml")]
    result = CliRunner().invoke(app, [*arguments, *(["--export", str(tmp_path)] if export else [])])
    assert isinstance(result.exception, CommandError), result.output
    assert ("leave --athena out" if export else "name it with --export s3://") in str(result.exception)
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize("fails", [False, True])
def test_the_cost_is_said_before_and_after(aws: Aws, athena: Athena, capsys: Any, fails: bool) -> None:
    def work() -> list[Any]:
        return list(athena.rows(MARCH_PLAYS))

    body = MANIFEST.to_json().encode()
    aws.answers["GetObject"] = [{"Body": StreamingBody(BytesIO(body), len(body))}]
    if fails:
        aws.answers["GetQueryExecution"] += [ended("FAILED", "it is tired")]
    with pytest.raises(CommandError, match="it is tired") if fails else nullcontext():
        assert answered(athena, work) == [(7,)]
    said = capsys.readouterr().err
    assert "Athena: 2 queries over about 100,000,000 bytes: about $0.0005." in said
    billed = "30,000,000 bytes: $0.0002" if fails else "60,000,000 bytes: $0.0003"
    assert f"Athena billed {billed}" in said
