"""The functions as Lambda calls them: events in, answers, log lines and metrics out."""

import importlib.util
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from playlog.domain.match import Item

from tests.support.aws import ROOT, Aws, cancelled, environment, on, refused, slow, taken_on
from tests.support.builders import make_item

pytest_plugins = ["tests.support.aws_fixture"]

Handler: TypeAlias = Callable[[dict[str, Any]], Any]

LETTER = {
    "version": 1,
    "match_id": "m-1",
    "attempt": 1,
    "reason_code": "INVALID_SOURCE",
    "reason": "source is 'Cinema'",
    "will_retry": False,
    "failed_at": "2026-03-14T12:00:00.000000+0000",
}


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of itself."""

    milliseconds_left: int
    function_name: str = "a-function"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:a-function"
    aws_request_id: str = "a-request"

    def get_remaining_time_in_millis(self) -> int:
        """All that there was at the beginning."""
        return self.milliseconds_left


@pytest.fixture
def cold(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Handler]:
    """A function as Lambda starts it: in the environment of template.yaml, imported anew for its first event."""

    def make(folder: str, function: str) -> Handler:
        variables = environment(function)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        @cache
        def app() -> ModuleType:
            for module in [name for name in sys.modules if name.partition(".")[0] == "playlog"]:
                monkeypatch.delitem(sys.modules, module)
            # Powertools makes the logger of a service once a process; it writes to the standard output of that time.
            logging.Logger.manager.loggerDict.pop(variables["POWERTOOLS_SERVICE_NAME"], None)
            started = load_module(f"{folder}_app", ROOT / "functions" / folder / "app.py")
            for module in ("converting.run", "converting.hand_over", "runtime.retry"):
                monkeypatch.setattr(f"playlog.{module}.time", aws.clock)
            return started

        return lambda event: app().handler(event, Context(110_000 if function.startswith("Convert") else 10_000))

    return make


def load_module(name: str, path: Path) -> ModuleType:
    """The module of a file, executed now."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def convert(cold: Callable[[str, str], Handler]) -> Handler:
    return cold("convert_matches", "ConvertMatchesFunction")


@pytest.fixture
def store(cold: Callable[[str, str], Handler]) -> Handler:
    return cold("store_failures", "StoreFailuresFunction")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """What a function wrote to its log so far: each line is JSON."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def event(name: str) -> dict[str, Any]:
    """One of the events that the README offers."""
    content: dict[str, Any] = json.loads((ROOT / "events" / name).read_text())
    return content


def batch(*bodies: str) -> dict[str, Any]:
    """Messages of the dead-letter queue, ``message-0`` and so on."""
    (record, *_) = event("dead-letters.json")["Records"]
    return {
        "Records": [{**record, "messageId": f"message-{number}", "body": body} for number, body in enumerate(bodies)]
    }


def letter(**fields: Any) -> str:
    """A dead letter, but for ``fields``."""
    told = {**LETTER, **fields}
    return json.dumps({"match": {"match_id": told["match_id"]}, **told})


def failed(answer: Any) -> list[str]:
    """The messages that go back to the queue."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


# --- ConvertMatches ---


@pytest.mark.parametrize("name", ["scheduled.json", "manual.json"])
def test_every_match_that_waits_is_converted_for_the_schedule_and_for_a_person(
    aws: Aws, convert: Handler, name: str
) -> None:
    aws.put(*(make_item(f"m-{n}", station_id={"S": str(n)}, unprocessed_shard={"S": str(n)}) for n in range(8)))

    assert convert(event(name)) == {
        "success": True,
        "message": "8 matches processed, 8 plays created, 0 failed",
        "processed": 8,
        "plays": 8,
        "failed": 0,
        "waiting": False,
    }
    assert aws.violations() == []


def test_a_person_may_name_the_shards(aws: Aws, convert: Handler) -> None:
    asked = event("shards.json")["shards"]
    aws.put(*(make_item(f"m-{n}", station_id={"S": str(n)}, unprocessed_shard={"S": str(n)}) for n in range(8)))

    assert convert(event("shards.json"))["plays"] == len(asked)

    assert {play["station_id"]["S"] for play in aws.plays()} == set(asked)


def test_the_log_has_one_line_for_the_run_and_one_for_each_failure(
    aws: Aws, convert: Handler, written: Callable[[], list[dict[str, Any]]]
) -> None:
    aws.put(
        make_item("good"),
        make_item("silent", track_id={"S": " "}),
        make_item("cinema", source={"S": "Cinema"}),
    )

    convert({})

    lines = [line for line in written() if "_aws" not in line]
    assert {(line["match_id"], line["reason_code"]) for line in lines if line["message"] == "failure"} == {
        ("silent", "MISSING_TRACK"),
        ("cinema", "INVALID_SOURCE"),
    }
    (of_run,) = [line for line in lines if line["message"] != "failure"]
    assert {name: of_run[name] for name in ("level", "processed", "plays", "failed", "waiting")} == {
        "level": "INFO",
        "processed": 1,
        "plays": 1,
        "failed": 2,
        "waiting": False,
    }
    assert {line["function_request_id"] for line in lines} == {"a-request"}
    assert {line["service"] for line in lines} == {"playlog-convert-matches"}


def test_the_metrics_say_what_an_alarm_would_want_to_know(
    aws: Aws, convert: Handler, written: Callable[[], list[dict[str, Any]]]
) -> None:
    aws.put(make_item("good"), make_item("again"), *(make_item(f"bad-{n}", source={"S": "Cinema"}) for n in range(3)))
    aws.put(make_item("silent", track_id={"S": " "}))

    convert({})

    of_run, *of_failures = sorted((line for line in written() if "_aws" in line), key=lambda line: "Failures" in line)
    (definition,) = of_run["_aws"]["CloudWatchMetrics"]
    assert definition["Namespace"] == "playlog"
    values = {metric["Name"]: of_run[metric["Name"]] for metric in definition["Metrics"]}
    assert values.pop("RunTime")[0] > 0
    assert values == {
        "SuccessfulRuns": [1.0],
        "MatchesProcessed": [2.0],
        "MatchesFailed": [4.0],
        "Plays": [1.0],
        "LeftWaiting": [0.0],
        "OldestWaitingAge": [0.0],
    }
    assert {line["reason_code"]: line["Failures"] for line in of_failures} == {
        "INVALID_SOURCE": [3.0],
        "MISSING_TRACK": [1.0],
    }
    for line in of_failures:
        (definition,) = line["_aws"]["CloudWatchMetrics"]
        assert all("reason_code" in dimensions for dimensions in definition["Dimensions"])


def test_matches_left_waiting_show_in_the_metrics(
    aws: Aws, convert: Handler, written: Callable[[], list[dict[str, Any]]]
) -> None:
    aws.put(make_item("m-1"), make_item("m-2", track_id={"S": "track-2"}))
    aws.door.faults.append(cancelled({"m-1": "ThrottlingError"}))

    assert convert({})["waiting"] is True

    (of_run,) = [line for line in written() if "LeftWaiting" in line]
    assert of_run["LeftWaiting"] == [1.0]
    assert of_run["OldestWaitingAge"][0] > 0


def test_the_metrics_of_a_run_do_not_add_up_with_those_of_the_one_before(
    aws: Aws, convert: Handler, written: Callable[[], list[dict[str, Any]]]
) -> None:
    """Lambda calls the same process again."""
    aws.put(make_item("m-1"))

    convert({})
    convert({})

    assert [line["MatchesProcessed"] for line in written() if "MatchesProcessed" in line] == [[1.0], [0.0]]


@pytest.mark.parametrize("shards", [[], ["8"], "0"], ids=str)
def test_an_event_that_names_no_shard_is_an_error_and_converts_nothing(
    aws: Aws, convert: Handler, shards: object
) -> None:
    aws.put(make_item())

    with pytest.raises(ValueError, match="shards"):
        convert({"shards": shards})

    assert aws.plays() == []


def test_a_run_that_could_not_do_its_work_is_an_error_and_never_a_success(aws: Aws, convert: Handler) -> None:
    aws.put(make_item())
    aws.door.faults.append(on("TransactWriteItems", refused("ThrottlingException")))

    with pytest.raises(Exception, match="nothing could be converted"):
        convert({})


@pytest.mark.parametrize("name", ["MATCH_CACHE_TABLE", "PLAY_LOG_TABLE", "DEAD_LETTER_QUEUE_URL", "BATCH_SIZE"])
def test_a_variable_that_the_template_forgot_is_named(
    convert: Handler, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(Exception, match=f"{name} is missing"):
        convert({})


def test_the_run_ends_while_the_function_still_has_the_time_that_a_request_may_take(aws: Aws, convert: Handler) -> None:
    aws.put(make_item())
    started = aws.clock.now
    aws.door.faults.append(on("TransactWriteItems", refused("ThrottlingException")))
    aws.door.requests.clear()

    with pytest.raises(Exception, match="nothing could be converted"):
        convert({})

    assert max(request.at for request in aws.door.requests) - started <= 110 - 15


def test_what_the_schedule_does_not_get_through_it_hands_over_and_says_so(
    aws: Aws, convert: Handler, written: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCH_SIZE", "1")
    aws.put(*(make_item(f"m-{n}", track_id={"S": f"track-{n}"}) for n in range(6)))
    aws.door.faults += [on("TransactWriteItems", slow(aws.clock, 25)), on("Invoke", taken_on)]

    answer = convert(event("scheduled.json"))

    assert (answer["processed"], answer["waiting"], answer["handed_over"]) == (2, True, 1)
    (asked,) = aws.sent("Invoke")
    assert asked.arguments["shards"] == ["0"]
    assert [line["handed_over"] for line in written() if "processed" in line] == [1]
    aws.door.faults.clear()
    assert convert(asked.arguments)["processed"] == 4


# --- StoreFailures ---


def put_the_matches_of_the_event(aws: Aws) -> list[Item]:
    """The matches that events/dead-letters.json tells of, as they wait."""
    items = []
    for record in event("dead-letters.json")["Records"]:
        try:
            told = json.loads(record["body"])["match"]
        except ValueError:
            continue
        items.append({name: {"S": value} for name, value in told.items() if isinstance(value, str)})
    aws.put(*items)
    return items


def test_of_a_batch_with_good_repeated_and_broken_letters_only_the_broken_go_back(aws: Aws, store: Handler) -> None:
    put_the_matches_of_the_event(aws)
    records = event("dead-letters.json")["Records"]
    broken = [record["messageId"] for record in records if "failed_at" not in record["body"]]

    answer = store(event("dead-letters.json"))

    assert failed(answer) == broken
    assert len(broken) == 2
    stored = {failure["match_id"]["S"]: failure["reason_code"]["S"] for failure in aws.failures()}
    assert stored == {"m-260314-01842": "MISSING_TRACK", "m-260314-02069": "MISSING_STATION"}
    assert aws.violations() == []


@pytest.mark.parametrize(
    "broken",
    ["no JSON", "null", letter(attempt="1"), letter(match_id="x" * 2_049)],
    ids=["no JSON", "no object", "a text for a number", "a key that DynamoDB refuses"],
)
def test_a_broken_letter_goes_back_alone_and_says_why(
    aws: Aws, store: Handler, written: Callable[[], list[dict[str, Any]]], broken: str
) -> None:
    aws.put(make_item("m-1"), make_item("m-2"))

    answer = store(batch(letter(), broken, letter(match_id="m-2")))

    assert failed(answer) == ["message-1"]
    assert [failure["match_id"]["S"] for failure in aws.failures()] == ["m-1", "m-2"]
    (line,) = [line for line in written() if line["level"] == "ERROR"]
    assert line["message_id"] == "message-1"
    assert line["error"]
    assert line["function_request_id"] == "a-request"


def test_a_batch_of_nothing_but_broken_letters_sends_each_back(store: Handler) -> None:
    """Raising would do as well for the queue, but count as an error of the function and of its metrics."""
    assert failed(store(batch("no JSON", "nor this"))) == ["message-0", "message-1"]


def test_a_letter_that_could_not_be_stored_goes_back_and_is_stored_the_next_time(aws: Aws, store: Handler) -> None:
    aws.put(make_item("m-1"), make_item("m-2"))
    letters = batch(letter(), letter(match_id="m-2"))
    aws.door.faults.append(refused("ThrottlingException", where='"m-1"'))

    assert failed(store(letters)) == ["message-0"]
    aws.door.faults.clear()
    assert failed(store({"Records": letters["Records"][:1]})) == []

    assert [failure["match_id"]["S"] for failure in aws.failures()] == ["m-1", "m-2"]
    assert aws.violations() == []


def test_each_letter_that_was_stored_is_logged(
    aws: Aws, store: Handler, written: Callable[[], list[dict[str, Any]]]
) -> None:
    aws.put(make_item("m-1"))

    store(batch(letter(), letter()))

    told = [(line["message"], line["match_id"], line["attempt"], line["reason_code"]) for line in written()]
    assert told == [
        ("dead letter stored", "m-1", 1, "INVALID_SOURCE"),
        ("dead letter changes nothing", "m-1", 1, "INVALID_SOURCE"),
    ]


def test_what_a_run_pushes_is_what_the_other_function_stores(aws: Aws, cold: Callable[[str, str], Handler]) -> None:
    aws.put(
        make_item("m-1"),
        make_item("silent", track_id={"S": " "}, artist={"S": "Ünïcode ☃"}, score={"N": "87.5"}),
        make_item("odd", duration_seconds={"S": "3 min"}, own={"L": [{"NULL": True}, {"B": b"\xff"}]}),
        make_item("long", track_id={"S": "x" * 1_024}),
    )
    cold("convert_matches", "ConvertMatchesFunction")({})

    answer = cold("store_failures", "StoreFailuresFunction")(batch(*aws.take_letters()))

    assert failed(answer) == []
    assert {failure["match_id"]["S"]: failure["reason_code"]["S"] for failure in aws.failures()} == {
        "silent": "MISSING_TRACK",
        "odd": "MALFORMED",
        "long": "REJECTED",
    }
    assert not [match for match in aws.matches() if "unprocessed_shard" in match]
    assert aws.violations() == []
