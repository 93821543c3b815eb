"""The bench's counting and arithmetic. What it measures is measured by ``make bench``, and by no test."""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playlog.domain.match import Item
from playlog_cli.errors import CommandError
from playlog_cli.wiring import built_template

from bench import cost
from bench.backlog import matches
from bench.capacity import Meter, NoRuleError, Place, Rule, Table, item_bytes, of_page, of_write
from bench.figures import page
from bench.proxy import CountingProxy
from bench.results import Backlog, ColdStart, Machine, Process, Results, Units

ROOT = Path(__file__).parents[3]
INDEXED = Table("T", ("id",), {"by-shard": ("shard", "at")})
WAITS: Item = {"id": {"S": "1"}, "shard": {"S": "0"}, "at": {"S": "noon"}}
RESTS: Item = {"id": {"S": "1"}}


@pytest.fixture
def meter() -> Meter:
    """A meter that knows the template's tables, and has seen two matches wait."""
    template = built_template.load(ROOT / "template.yaml")
    by_name = {"matches": "MatchCacheTable", "plays": "PlayLogTable"}
    known = {
        name: Table.of(logical_id, template.value(template.resources[logical_id].properties))
        for name, logical_id in by_name.items()
    }
    meter = Meter(known)
    query = {"TableName": "matches", "IndexName": "unprocessed-index"}
    meter.count("Query", query, {"Items": list(matches(2, 8))}, 200)
    return meter


def transaction() -> dict[str, Any]:
    """The two matches played, each its own play."""
    actions: list[dict[str, Any]] = []
    for match in matches(2, 8):
        shared = {name: match[name] for name in ("station_id", "track_id", "match_id", "source")}
        play_id = {"S": f"{match['matched_at']['S']}#{match['track_id']['S']}"}
        play = {**shared, "play_id": play_id, "played_at": match["matched_at"]}
        played = {
            "TableName": "matches",
            "Key": {"match_id": match["match_id"]},
            "UpdateExpression": "SET #processed = :true, play_id = :play REMOVE unprocessed_shard, failed_reason",
            "ExpressionAttributeNames": {"#processed": "processed"},
            "ExpressionAttributeValues": {":true": {"BOOL": True}, ":play": play_id},
        }
        actions += [{"Put": {"TableName": "plays", "Item": play}}, {"Update": played}]
    return {"TransactItems": actions}


def test_a_clean_match_is_charged_what_dynamodb_charges_for_it_and_each_place_by_its_rule(meter: Meter) -> None:
    meter.count("TransactWriteItems", transaction(), {}, 200)

    written = {(place.table, place.index, rule): units / 2 for (place, rule), units in meter.units.items()}
    assert written.pop(("MatchCacheTable", "unprocessed-index", Rule.PAGE)) == 0.25
    assert written == {
        ("MatchCacheTable", "", Rule.IN_TRANSACTION): 2,
        ("MatchCacheTable", "unprocessed-index", Rule.ENTRY_REMOVED): 1,
        ("PlayLogTable", "", Rule.IN_TRANSACTION): 2,
        ("PlayLogTable", "track-index", Rule.ENTRY_ADDED): 1,
    }
    assert meter.played == 2
    assert meter.requests == {"Query": 1, "TransactWriteItems": 1}


def test_an_engine_that_charges_otherwise_is_not_taken_on_trust(meter: Meter) -> None:
    index = {"track-index": {"CapacityUnits": 2.0}}
    consumed = [
        {"TableName": "plays", "CapacityUnits": 6.0, "GlobalSecondaryIndexes": index},
        {"TableName": "matches", "CapacityUnits": 4.0},
    ]
    meter.count("TransactWriteItems", transaction(), {"ConsumedCapacity": consumed}, 200)

    (sentence,) = meter.disagreements()
    assert sentence == "MatchCacheTable unprocessed-index: 2 write units by the rules, 0 by the engine"


def test_a_refused_request_is_counted_as_a_request_and_charged_nothing(meter: Meter) -> None:
    before = dict(meter.units)
    meter.count("TransactWriteItems", transaction(), {"__type": "TransactionCanceledException"}, 400)
    assert (meter.refused, meter.units) == (1, before)


@pytest.mark.parametrize(
    ("operation", "request_body"),
    [
        ("Scan", {}),
        ("Query", {"TableName": "matches", "FilterExpression": "x"}),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Move": {"TableName": "matches", "Key": {"match_id": {"S": "1"}}}}]},
        ),
    ],
)
def test_what_there_is_no_rule_for_is_not_counted_as_free(
    meter: Meter, operation: str, request_body: dict[str, Any]
) -> None:
    with pytest.raises(NoRuleError):
        meter.count(operation, request_body, {"Items": []}, 200)


@pytest.mark.parametrize(
    ("before", "after", "rule", "units"),
    [
        (None, WAITS, Rule.ENTRY_ADDED, 1),
        (WAITS, {**WAITS, "title": {"S": "x"}}, Rule.ENTRY_CHANGED, 1),
        (WAITS, {**WAITS, "at": {"S": "one"}}, Rule.ENTRY_MOVED, 2),
        (WAITS, RESTS, Rule.ENTRY_REMOVED, 1),
        (WAITS, None, Rule.ENTRY_REMOVED, 1),
        ({**WAITS, "title": {"S": "x" * 2_000}}, RESTS, Rule.ENTRY_REMOVED, 2),
    ],
)
def test_an_index_is_charged_for_what_becomes_of_its_entry(
    before: Item | None, after: Item | None, rule: Rule, units: int
) -> None:
    of_index = [charge for charge in of_write(INDEXED, before, after) if charge.place.index]
    assert [(charge.rule, charge.units) for charge in of_index] == [(rule, units)]


@pytest.mark.parametrize(("before", "after"), [(RESTS, {**RESTS, "title": {"S": "x"}}), (WAITS, WAITS), (None, RESTS)])
def test_an_index_is_not_charged_where_its_entry_stays_or_there_is_none(before: Item | None, after: Item) -> None:
    assert [charge for charge in of_write(INDEXED, before, after) if charge.place.index] == []


@pytest.mark.parametrize(("size", "units"), [(1_024, 2), (1_025, 4), (2_048, 4), (2_049, 6)])
def test_an_item_in_a_transaction_is_charged_twice_for_each_kb_begun(size: int, units: int) -> None:
    item: Item = {"id": {"S": "x" * (size - len("id"))}}
    for before, after in ((None, item), (item, RESTS)):
        assert [charge.units for charge in of_write(INDEXED, before, after) if not charge.place.index] == [units]


@pytest.mark.parametrize(("size", "units"), [(0, 0.5), (4_096, 0.5), (4_097, 1.0), (40_000, 5.0)])
def test_a_page_is_charged_half_a_unit_for_each_4_kb_begun(size: int, units: float) -> None:
    items: list[Item] = [{"id": {"S": "x" * (size - len("id"))}}] if size else []
    charge = of_page(INDEXED, "by-shard", items)
    assert (charge.place, charge.units) == (Place("T", "by-shard", "read"), units)


@pytest.mark.parametrize(("number", "size"), [("0", 1), ("7", 2), ("187", 3), ("93.5", 3), ("-93.5", 4), ("100", 2)])
def test_a_number_is_billed_a_byte_for_two_digits_and_one_more(number: str, size: int) -> None:
    assert item_bytes({"n": {"N": number}}) == len("n") + size


class _Engine(BaseHTTPRequestHandler):
    """Answers as DynamoDB does, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: dict[str, Any]

    def do_POST(self) -> None:
        type(self).asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"ConsumedCapacity": [{"TableName": "matches", "CapacityUnits": 4.0}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[CountingProxy]:
    """A proxy before an engine."""
    engine = ThreadingHTTPServer(("127.0.0.1", 0), _Engine)
    threading.Thread(target=engine.serve_forever, args=(0.01,), daemon=True).start()
    proxy = CountingProxy(engine.server_address[1])
    yield proxy
    proxy.close()
    engine.shutdown()
    engine.server_close()


def test_the_proxy_counts_and_the_code_that_is_measured_sees_nothing_of_it(
    proxy: CountingProxy, meter: Meter, tmp_path: Path
) -> None:
    sent = json.dumps(transaction()).encode()
    connection = HTTPConnection("127.0.0.1", proxy.port)
    with proxy.counting(meter, tmp_path / "transactions"):
        connection.request("POST", "/", sent, {"X-Amz-Target": "DynamoDB_20120810.TransactWriteItems"})
        answer = connection.getresponse().read()
    connection.close()

    assert answer == b"{}"
    assert _Engine.asked == {**transaction(), "ReturnConsumedCapacity": "INDEXES"}
    assert meter.engine == {Place("MatchCacheTable", "", "write"): 4.0}
    assert meter.requests["TransactWriteItems"] == 1
    assert (tmp_path / "transactions").read_bytes() == sent + b"\n"
    assert proxy.defects == []


def results() -> Results:
    """Figures that meet every target."""
    units = (
        Units("MatchCacheTable", "", "write", "a rule", 40_000.0),
        Units("PlayLogTable", "track-index", "write", "a rule", 20_000.0),
        Units("MatchCacheTable", "unprocessed-index", "read", "a rule", 400.0),
    )
    small = Backlog(1_000, {"Query": 40}, (), (Process(0.105, 1.0, 60.0),), (Process(0.05, 1.0, 20.0),))
    large = Backlog(10_000, {"Query": 300}, units, (Process(1.0, 5.0, 60.0),), (Process(0.5, 5.0, 20.0),))
    starts = [ColdStart("handler", each, 0.4, 0.4, 0.01) for each in (True, False)]
    starts += [ColdStart("botocore", each, 0.3, 0.3, 0.01) for each in (True, False)]
    machine = Machine("a cpu", 2, "3.13.0", "Linux x86_64", "2026-03-14")
    return Results(machine, 1_024, {"DependenciesLayer": 10_000_000}, tuple(starts), (small, large))


def test_figures_that_keep_within_the_targets_meet_them() -> None:
    assert [target.name for target in results().targets if not target.met] == []


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({"requests": {"Query": 311}}, "requests per 1,000 matches"),
        ({"units": (Units("PlayLogTable", "", "write", "a rule", 62_000.0),)}, "write units per match"),
        ({"floor": (Process(0.39, 5.0, 20.0),)}, "CPU per match"),
        ({"converter": (Process(1.2, 5.0, 60.0),)}, "CPU per match, all sizes"),
    ],
)
def test_figures_beyond_a_target_miss_it(worse: dict[str, Any], missed: str) -> None:
    small, large = results().backlogs
    beyond = replace(results(), backlogs=(small, replace(large, **worse)))
    assert [target.name for target in beyond.targets if not target.met] == [missed]


def test_memory_that_grows_with_the_backlog_misses_its_target() -> None:
    *_, large = results().backlogs
    larger = Backlog(100_000, {"Query": 3_000}, large.units, (Process(10.0, 50.0, 67.0),), (Process(5.0, 50.0, 20.0),))
    grown = replace(results(), backlogs=(large, larger))
    assert "memory, 10,000 to 100,000" in [target.name for target in grown.targets if not target.met]


def test_a_single_size_is_not_said_to_cost_the_same_at_every_size() -> None:
    *_, large = results().backlogs
    names = [target.name for target in replace(results(), backlogs=(large,)).targets]
    assert not [name for name in names if name.startswith("memory") or name.endswith("all sizes")]


def test_a_million_matches_are_priced_by_their_units() -> None:
    by_name = {part.name: part.dollars["arm64"] for part in cost.parts(results())}
    assert by_name["writing MatchCache"] == pytest.approx(4 * 0.625)
    assert by_name["writing PlayLog, track-index"] == pytest.approx(2 * 0.625)
    assert by_name["reading MatchCache, unprocessed-index"] == pytest.approx(0.04 * 0.125)


def test_figures_read_back_are_the_figures_that_were_written() -> None:
    assert Results.from_json(json.loads(json.dumps(asdict(results())))) == results()


def test_the_page_takes_new_figures_in_place_of_the_old(tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / "performance.md", tmp_path)
    page.write(results(), tmp_path)
    once = (tmp_path / "performance.md").read_text()
    page.write(results(), tmp_path)

    assert (tmp_path / "performance.md").read_text() == once
    assert "a cpu, 2 cores" in once
    assert all((tmp_path / name).read_text().startswith("<svg") for name in page.DRAWINGS)


def test_a_page_without_a_place_for_figures_says_which_lines_it_needs() -> None:
    with pytest.raises(CommandError, match="<!-- bench: cost -->"):
        page.between_marks("# Performance", "cost", "figures")
