"""A correction or a retry of many matches ends, whatever some of them hold and AWS answers: the others are changed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playlog.domain.match import Item
from playlog_cli.commands.operating.failures import failures_app
from playlog_cli.failures.mending import MendTally, mend, preview
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.failures.test_mending import RADIO, WHO, fail, tv
from tests.support.aws import Aws, lost_answer, on, refused
from tests.support.builders import NOW

pytest_plugins = ["tests.support.aws_fixture"]

Mend = Callable[..., MendTally]


@pytest.fixture
def mend_all(aws: Aws, stack: Stack) -> Mend:
    """Sets the source of all matches to Radio."""

    def run(*, retry: bool = True) -> MendTally:
        planned = [preview(match, RADIO, NOW) for match in aws.matches()]
        return mend(stack, planned, MendTally(), who=WHO, now=NOW, retry=retry)

    return run


@pytest.mark.parametrize(
    ("broken", "first"),
    [
        ({"S": "by hand"}, [{"S": "by hand"}]),
        ({"NULL": True}, []),
        ({"M": {"by": {"S": "eve"}}}, [{"M": {"by": {"S": "eve"}}}]),
        ({"SS": ["a"]}, [{"SS": ["a"]}]),
        ({"L": []}, []),
        ({"L": [{"N": "1"}]}, [{"N": "1"}]),
    ],
    ids=repr,
)
def test_what_somebody_else_wrote_in_mended_is_kept_and_stops_nothing(
    aws: Aws, mend_all: Mend, broken: dict[str, Any], first: list[Item]
) -> None:
    fail(aws, tv("m-1", mended=broken), tv("m-2"))
    tally = mend_all()
    assert (sorted(tally.mended), tally.left) == (["m-1", "m-2"], [])
    *before, entry = aws.match("m-1")["mended"]["L"]
    assert (before, entry["M"]["by"]) == (first, {"S": WHO})


def test_a_match_that_would_become_too_large_is_left_and_the_others_are_corrected(aws: Aws, mend_all: Mend) -> None:
    fail(aws, *(tv(f"m-{number}") for number in range(5)))
    too_large = "Item size to update has exceeded the maximum allowed size"
    aws.door.faults.append(on("UpdateItem", refused("ValidationException", too_large, where='"m-0"')))
    tally = mend_all()
    assert len(tally.mended) == 4
    assert [each.match_id for each in tally.left] == ["m-0"]
    assert "size" in tally.left[0].why
    assert (tally.retried, tally.refused) == (4, 1)


def test_a_lost_answer_is_no_change_by_somebody_else(aws: Aws, mend_all: Mend) -> None:
    fail(aws, *(tv(f"m-{number}") for number in range(5)))
    aws.door.faults.append(on("UpdateItem", lost_answer, times=3))
    tally = mend_all()
    assert (len(tally.mended), tally.retried, tally.left) == (5, 5, [])
    assert [len(match["mended"]["L"]) for match in aws.matches()] == [1] * 5


def test_throttling_that_does_not_end_leaves_those_matches_alone(
    aws: Aws, mend_all: Mend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)  # between the tries
    fail(aws, *(tv(f"m-{number}") for number in range(5)))
    aws.door.faults.append(on("UpdateItem", refused("ThrottlingException", where='"m-2"')))
    tally = mend_all()
    assert (len(tally.mended), [each.match_id for each in tally.left]) == (4, ["m-2"])
    assert "AWS is throttling" in tally.left[0].why
    assert "mended" not in aws.match("m-2")


def test_the_command_fails_if_aws_refused_a_match(aws: Aws, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playlog_cli.commands.operating.failures.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.commands.operating.failures.identity", lambda _: WHO)
    fail(aws, tv("m-1"), tv("m-2"))
    aws.door.faults.append(on("UpdateItem", refused("AccessDeniedException", where='"m-2"')))
    arguments = ["mend", "--reason", "INVALID_SOURCE", "--set", "source=Radio", "--yes"]
    result: Result = CliRunner().invoke(failures_app, arguments)
    assert result.exit_code == 1
    assert "Corrected: 1 match." in result.stdout
    assert "match m-2 is left as it is: AWS denies this" in result.stderr


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `playlog failures`."""
    monkeypatch.setattr("playlog_cli.commands.operating.failures.find_stack", lambda *_, **__: stack)
    return lambda *arguments: CliRunner().invoke(failures_app, list(arguments))


def test_a_retry_whose_answer_was_lost_is_said_to_be_done(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, *(tv(f"m-{number}") for number in range(3)))
    aws.door.faults.append(on("UpdateItem", lost_answer, times=2))
    result = invoke("retry", "m-0", "m-1", "m-2", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {"retried": 3, "defective": 3, "refused": 0, "left": []},
    )
    assert all("unprocessed_shard" in match for match in aws.matches())


def test_a_retry_that_aws_refuses_for_one_match_retries_the_others(aws: Aws, invoke: Callable[..., Result]) -> None:
    fail(aws, *(tv(f"m-{number}") for number in range(3)))
    aws.door.faults.append(on("UpdateItem", refused("AccessDeniedException", where='"m-1"')))
    result = invoke("retry", "--all", "--yes", "--json")
    done = json.loads(result.stdout)
    assert (result.exit_code, done["retried"], done["defective"], done["refused"]) == (1, 2, 2, 1)
    assert [(each["match_id"], "AWS denies this" in each["why"]) for each in done["left"]] == [("m-1", True)]
    assert [each for each in ("m-0", "m-1", "m-2") if "unprocessed_shard" in aws.match(each)] == ["m-0", "m-2"]
