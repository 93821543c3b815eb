"""`playlog failures`: an operator sees what fails and why, and a mended match gets back in line once."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.shards import shard_of
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import connect, store
from playlog.schema import ReasonCode
from playlog_cli.commands.operating.failures import failures_app
from playlog_cli.errors import CommandError
from playlog_cli.failures.history import Change, history_of
from playlog_cli.failures.records import plain_values
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.support.aws import Aws, Request, Send
from tests.support.builders import NOW, make_item, without

pytest_plugins = ["tests.support.aws_fixture"]

TV: Item = {"source": {"S": "TV"}}
SOURCE_REASON = "source is 'TV': it must be Radio or Streaming"


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("playlog_cli.commands.operating.failures.find_stack", lambda *_, **__: stack)
    return lambda *arguments: CliRunner().invoke(failures_app, list(arguments))


def letters(matches: Iterable[Item], at: datetime = NOW) -> list[DeadLetter]:
    verdicts = [validate(match, now=NOW, default_duration=timedelta(minutes=3)) for match in matches]
    failures = [verdict for verdict in verdicts if isinstance(verdict, Failure)]
    return [DeadLetter.of(failure, max_attempts=3, now=at) for failure in failures]


def deliver(aws: Aws, dead_letters: Iterable[DeadLetter]) -> list[bool]:
    connection = connect(aws.convert_settings.match_cache_table, aws.store_settings.failed_play_log_table)
    return [store(letter, connection, aws.retry_budget()) for letter in dead_letters]


def fail(aws: Aws, *matches: Item, at: datetime = NOW) -> None:
    """The matches are put, judged, and their failures stored."""
    aws.put(*matches)
    assert all(deliver(aws, letters(matches, at)))


def fail_again(aws: Aws, match_id: str, at: datetime = NOW) -> None:
    deliver(aws, letters([aws.match(match_id)], at))


def set_source(aws: Aws, match_id: str, source: str = "Radio") -> None:
    aws.put(aws.match(match_id) | {"source": {"S": source}})


def error_of(result: Result) -> str:
    assert isinstance(result.exception, CommandError), result.output
    return str(result.exception)


# --- list ---


def test_failures_are_counted_by_reason_and_the_newest_shown_with_what_their_matches_are_now(
    aws: Aws, invoke: Callable[..., Result]
) -> None:
    fail(aws, make_item("m-1", **TV), at=NOW)
    fail(aws, make_item("m-2", track_id={"S": " "}), at=NOW + timedelta(seconds=2))
    fail(aws, make_item("m-3", **TV), at=NOW + timedelta(seconds=1))
    aws.delete("m-1")
    listed = json.loads(invoke("list", "--json").stdout)
    assert listed["counts"] == {"MISSING_TRACK": 1, "INVALID_SOURCE": 2}
    assert [(each["match_id"], each["now"]) for each in listed["newest"]] == [
        ("m-2", "failed"),
        ("m-3", "failed"),
        ("m-1", "gone"),
    ]
    assert listed["newest"][1] == {
        "failed_at": "2026-03-14T12:00:01.000000+0000",
        "reason_code": "INVALID_SOURCE",
        "match_id": "m-3",
        "attempt": 1,
        "station_id": "station-1",
        "reason": SOURCE_REASON,
        "now": "failed",
        "title": None,
        "artist": None,
        "matched_at": "2026-03-14T08:00:00+01:00",
    }
    shown = invoke("list").output
    assert f"m-3 (attempt 1, station-1; failed): {SOURCE_REASON}" in shown
    assert shown.index("INVALID_SOURCE") < shown.index("MISSING_TRACK"), "the most frequent first"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["m-3", "m-2", "m-1"]),
        (["--reason", "INVALID_SOURCE"], ["m-3", "m-1"]),
        (["--station", "station-2"], ["m-3"]),
        (["--since", "2026-03-14T13:00:01+01:00"], ["m-3", "m-2"]),
        (["--until", "2026-03-14T12:00:01Z"], ["m-2", "m-1"]),
        (["--since", "2026-03-14T12:00:01+00:00", "--until", "2026-03-14T12:00:01+00:00"], ["m-2"]),
    ],
)
def test_failures_are_found_by_reason_station_and_time(
    aws: Aws, invoke: Callable[..., Result], options: list[str], expected: list[str]
) -> None:
    fail(aws, make_item("m-1", **TV), at=NOW)
    fail(aws, make_item("m-2", track_id={"S": " "}), at=NOW + timedelta(seconds=1))
    fail(aws, make_item("m-3", station_id={"S": "station-2"}, **TV), at=NOW + timedelta(seconds=2))
    listed = json.loads(invoke("list", "--json", *options).stdout)
    assert [each["match_id"] for each in listed["newest"]] == expected
    assert sum(listed["counts"].values()) == len(expected)


def test_a_limit_bounds_what_is_read_not_what_is_counted(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, *(make_item(f"m-{number}", **TV) for number in range(5)))
    listed = json.loads(invoke("list", "--json", "--limit", "2").stdout)
    assert (listed["counts"], len(listed["newest"])) == ({"INVALID_SOURCE": 5}, 2)


@pytest.mark.parametrize("time", ["yesterday", "2026-03-14", "2026-03-14T08:00:00"])
def test_an_invalid_time_is_named_with_what_would_be_right(invoke: Callable[..., Result], time: str) -> None:
    message = error_of(invoke("list", "--since", time))
    assert message.startswith(f"--since is '{time}': it must be an ISO 8601 time with an offset, like ")


# --- show ---


def test_a_failure_is_shown_with_all_that_a_person_needs_to_mend_it(stack: Stack, aws: Aws) -> None:
    fail(aws, make_item("m-1", artist={"S": "Otis"}, **TV))
    history = history_of(stack, "m-1", NOW)
    assert (history.state, history.defect, history.changes) == ("failed", SOURCE_REASON, ())
    (attempt,) = history.attempts
    assert (attempt.reason_code, attempt.reason, attempt.will_retry) == ("INVALID_SOURCE", SOURCE_REASON, False)
    assert attempt.match["artist"] == "Otis"
    set_source(aws, "m-1")
    mended = history_of(stack, "m-1", NOW)
    assert mended.defect is None
    assert mended.changes == (Change("source", "TV", "Radio"),)


def test_every_attempt_is_shown_the_first_one_first(stack: Stack, aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, make_item("m-1", **TV))
    set_source(aws, "m-1", "Cinema")
    invoke("retry", "m-1", "--yes")
    fail_again(aws, "m-1", NOW + timedelta(minutes=2))
    history = history_of(stack, "m-1", NOW)
    assert [(each.attempt, each.match["source"]) for each in history.attempts] == [(1, "TV"), (2, "Cinema")]
    shown = invoke("show", "m-1").output
    assert shown.index("attempt 1,") < shown.index("attempt 2,")
    assert "It would fail again as it is now: source is 'Cinema'" in shown


def test_a_match_that_is_gone_is_shown_as_it_was(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, make_item("m-1", **TV))
    aws.delete("m-1")
    shown = invoke("show", "m-1").output
    assert "match m-1 is not in MatchCache any more" in shown
    assert '  source: "TV"' in shown


def test_an_unknown_match_is_one_clear_line(invoke: Callable[..., Result]) -> None:
    assert error_of(invoke("show", "m-9")) == "stack `playlog` has no match 'm-9', nor a failure of one"


def test_whatever_a_match_holds_can_be_shown_and_is_as_in_its_record(stack: Stack, aws: Aws) -> None:
    odd: Item = {
        "score": {"N": "85.9"},
        "long": {"N": "3.14159265358979323846"},
        "whole": {"N": "7"},
        "huge": {"N": "1E+125"},
        "cover": {"B": b"\x00\x01"},
        "tags": {"SS": ["a", "b"]},
        "levels": {"NS": ["1"]},
        "covers": {"BS": [b"\x00"]},
        "nested": {"M": {"list": {"L": [{"N": "1"}, {"NULL": True}]}}},
    }
    fail(aws, make_item("m-1", **TV, **odd))
    history = history_of(stack, "m-1", NOW)
    assert json.loads(json.dumps(history.match)) == history.match
    assert plain_values(odd) == {
        "score": 85.9,
        "long": "3.14159265358979323846",
        "whole": 7,
        "huge": 10**125,
        "cover": "AAE=",
        "tags": ["a", "b"],
        "levels": [1],
        "covers": ["AA=="],
        "nested": {"list": [1, None]},
    }
    assert history.changes == ()


# --- retry ---


def test_a_retried_match_waits_again_with_its_history(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, make_item("m-1", **TV))
    result = invoke("retry", "m-1", "--yes")
    assert (result.exit_code, result.stdout) == (0, "To wait again: 1 match.\n")
    match = aws.match("m-1")
    assert match["unprocessed_shard"] == {"S": shard_of("station-1", 8)}
    assert match["attempts"] == {"N": "1"}
    assert "failed_reason" not in match
    assert len(aws.failures()) == 1
    assert aws.violations() == []
    fail_again(aws, "m-1")
    assert [int(each["attempt"]["N"]) for each in aws.failures()] == [1, 2], "one more attempt"
    assert aws.violations() == []


def test_a_match_without_a_station_gets_the_shard_of_its_id(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, make_item("m-7", station_id={"S": " "}))
    invoke("retry", "m-7", "--yes")
    assert aws.match("m-7")["unprocessed_shard"] == {"S": shard_of("m-7", 8)}


@pytest.mark.parametrize(
    ("match", "why"),
    [
        (make_item("m-1"), "it has not failed"),
        (without(make_item("m-1", processed={"BOOL": True}), "unprocessed_shard"), "it has not failed"),
        (
            without(make_item("m-1", failed_reason={"S": "x"}, processed={"BOOL": True}), "unprocessed_shard"),
            "it has not failed",
        ),
        (
            without(make_item("m-1", failed_reason={"S": "x"}), "matched_at") | {"unprocessed_shard": {"S": "0"}},
            "failed",
        ),
    ],
)
def test_a_match_that_has_not_failed_is_left_as_it_is(
    aws: Aws, invoke: Callable[..., Result], match: Item, why: str
) -> None:
    aws.put(match)
    result = invoke("retry", "m-1", "--yes", "--json")
    assert result.exit_code == 1
    (left,) = json.loads(result.stdout)["left"]
    assert left["match_id"] == "m-1"
    assert why in left["why"]
    assert aws.match("m-1") == match


def test_a_failed_match_without_a_time_cannot_wait_and_is_told_so(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, make_item("m-1", **TV))
    aws.put(without(aws.match("m-1"), "matched_at"))
    result = invoke("retry", "m-1", "m-9", "--yes")
    assert result.exit_code == 1
    assert "match m-1 is left as it is: it has no matched_at, without which it cannot wait" in result.stderr
    assert "match m-9 is left as it is: there is no such match" in result.stderr


def test_all_of_a_reason_are_retried_and_no_others(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, *(make_item(f"m-{number}", **TV) for number in range(3)))
    fail(aws, make_item("other", track_id={"S": " "}))
    # It failed for this reason once, and rests for another one now.
    invoke("retry", "m-2", "--yes")
    aws.put(aws.match("m-2") | {"track_id": {"S": " "}})
    fail_again(aws, "m-2")
    # It was retried, and waits.
    invoke("retry", "m-1", "--yes")
    result = invoke("retry", "--reason", "INVALID_SOURCE", "--yes", "--json")
    assert json.loads(result.stdout)["retried"] == 1
    waiting = {match["match_id"]["S"] for match in aws.matches() if "unprocessed_shard" in match}
    assert waiting == {"m-0", "m-1"}
    assert json.loads(invoke("retry", "--all", "--yes", "--json").stdout)["retried"] == 2
    assert aws.violations() == []


def test_what_would_fail_again_is_said_before_it_is_retried(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, make_item("m-1", **TV), make_item("m-2", **TV))
    set_source(aws, "m-2")
    message = error_of(invoke("retry", "--all"))
    assert message.startswith("To wait again: 2 matches, of which 1 would fail again unless corrected first.")
    assert all("unprocessed_shard" not in match for match in aws.matches()), "nobody said yes"


def test_a_match_that_fails_again_meanwhile_is_retried_once(
    aws: Aws, invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playlog_cli.failures.records.RECORDS_PER_PAGE", 1)
    fail(aws, *(make_item(f"m-{number}", track_id={"S": " "}, **TV) for number in range(3)))
    busy = False

    def run_goes_on(request: Request, _send: Send) -> None:
        """What waits fails anew: for the same reason, or for one that is looked at later."""
        nonlocal busy
        if request.operation != "Query" or busy:
            return
        busy = True
        for match in aws.matches():
            if "unprocessed_shard" in match:
                if match["match_id"]["S"] != "m-0":
                    aws.put(match | {"track_id": {"S": "track-1"}})
                fail_again(aws, match["match_id"]["S"], datetime.now(UTC) + timedelta(minutes=1))
        busy = False

    aws.door.faults = [run_goes_on]
    assert json.loads(invoke("retry", "--all", "--yes", "--json").stdout)["retried"] == 3


def act_before_update(aws: Aws, act: Callable[[], object]) -> None:
    busy = False

    def fault(request: Request, _send: Send) -> None:
        nonlocal busy
        if request.operation == "UpdateItem" and not busy:
            busy = True
            act()

    aws.door.faults = [fault]


def retried_elsewhere(aws: Aws) -> None:
    match = without(aws.match("m-1"), "failed_reason")
    aws.put(match | {"unprocessed_shard": {"S": "4"}})


def failed_anew(aws: Aws) -> None:
    retried_elsewhere(aws)
    fail_again(aws, "m-1")


def played_meanwhile(aws: Aws) -> None:
    aws.put(without(aws.match("m-1"), "failed_reason") | {"processed": {"BOOL": True}})


def played_and_failed_at_once(aws: Aws) -> None:
    aws.put(aws.match("m-1") | {"processed": {"BOOL": True}})


def given_a_shard_by_hand(aws: Aws) -> None:
    aws.put(aws.match("m-1") | {"unprocessed_shard": {"S": "0"}})


def time_taken_away(aws: Aws) -> None:
    aws.put(without(aws.match("m-1"), "matched_at"))


@pytest.mark.parametrize(
    "change",
    [
        retried_elsewhere,
        failed_anew,
        played_meanwhile,
        played_and_failed_at_once,
        given_a_shard_by_hand,
        time_taken_away,
    ],
)
def test_only_the_failure_that_was_seen_is_retried(
    aws: Aws, invoke: Callable[..., Result], change: Callable[[Aws], None]
) -> None:
    fail(aws, make_item("m-1", **TV))
    after: dict[str, Any] = {}

    def act() -> None:
        change(aws)
        after.update(aws.match("m-1"))

    act_before_update(aws, act)
    result = invoke("retry", "m-1", "--yes")
    assert result.exit_code == 1
    assert "match m-1 is left as it is: it was changed meanwhile" in result.stderr
    assert aws.match("m-1") == after


def test_a_match_that_was_deleted_meanwhile_is_not_put_back(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, make_item("m-1", **TV))
    act_before_update(aws, lambda: aws.delete("m-1"))
    assert invoke("retry", "m-1", "--yes").exit_code == 1
    assert aws.matches() == []


def test_a_late_letter_of_an_earlier_attempt_changes_nothing(aws: Aws, invoke: Callable[..., Result]) -> None:
    match = make_item("m-1", **TV)
    fail(aws, match)
    invoke("retry", "m-1", "--yes")
    before = aws.match("m-1")
    assert deliver(aws, letters([match])) == [False]
    assert aws.match("m-1") == before
    assert len(aws.failures()) == 1


@pytest.mark.parametrize(
    "arguments", [[], ["m-1", "--all"], ["--all", "--reason", "MALFORMED"], ["m-1", "--reason", "MALFORMED"]]
)
def test_which_matches_to_retry_must_be_said_in_one_way(invoke: Callable[..., Result], arguments: list[str]) -> None:
    assert error_of(invoke("retry", *arguments)).startswith("say which matches to retry")


def test_with_nothing_to_retry_nothing_is_asked(invoke: Callable[..., Result]) -> None:
    result = invoke("retry", "--all")
    assert (result.exit_code, result.stdout) == (0, "To wait again: none.\n")


def test_every_reason_code_can_be_asked_for(invoke: Callable[..., Result]) -> None:
    for code in ReasonCode:
        assert invoke("list", "--reason", code.value.lower()).output == "No failures.\n"


# --- A stack that is newer than this command ---


@pytest.fixture
def newer(aws: Aws) -> None:
    """Two matches failed for a reason that this version does not know, and one for one that it knows."""
    fail(aws, make_item("m-1", **TV), make_item("m-2", **TV), make_item("m-3", track_id={"S": " "}))
    for record in aws.failures():
        if record["match_id"]["S"] in ("m-1", "m-2"):
            record["reason_code"] = {"S": "OUT_OF_TUNE"}
            aws.dynamodb.put_item(TableName=aws.store_settings.failed_play_log_table, Item=record)


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("arguments", [[], ["--since", "2020-01-01T00:00:00+00:00"], ["--station", "station-1"]])
def test_an_unknown_reason_code_is_counted_and_listed_like_any_other(
    invoke: Callable[..., Result], arguments: list[str]
) -> None:
    listed = json.loads(invoke("list", "--json", *arguments).stdout)
    assert listed["counts"] == {"MISSING_TRACK": 1, "OUT_OF_TUNE": 2}
    assert sorted(each["match_id"] for each in listed["newest"]) == ["m-1", "m-2", "m-3"]


@pytest.mark.usefixtures("newer")
def test_an_unknown_reason_code_can_be_asked_for(invoke: Callable[..., Result]) -> None:
    assert json.loads(invoke("list", "--json", "--reason", "out_of_tune").stdout)["counts"] == {"OUT_OF_TUNE": 2}
    message = error_of(invoke("list", "--reason", "OUT_OF_TIME"))
    assert message.startswith("--reason is 'OUT_OF_TIME': it must be one of ")
    assert message.endswith(", OUT_OF_TUNE")


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("arguments", [["--all"], ["--reason", "OUT_OF_TUNE"]])
def test_matches_with_an_unknown_reason_code_are_retried(
    aws: Aws, invoke: Callable[..., Result], arguments: list[str]
) -> None:
    assert invoke("retry", "--yes", *arguments).exit_code == 0
    for match_id in ("m-1", "m-2"):
        assert "unprocessed_shard" in aws.match(match_id)


@pytest.mark.usefixtures("newer")
def test_a_match_with_an_unknown_reason_code_is_shown(invoke: Callable[..., Result]) -> None:
    assert "OUT_OF_TUNE, final" in invoke("show", "m-1").stdout
