"""What is read of the matches that wait: a match that no page shows is never played."""

import pytest
from playlog.converting.reading import read_pages
from playlog.domain.match import Item
from playlog.runtime.retry import RequestError, Retry, UnavailableError

from tests.support.aws import Aws, answered, on, refused, slow, unreachable
from tests.support.builders import make_item

pytest_plugins = ["tests.support.aws_fixture"]


def ids(page: list[Item]) -> list[str]:
    return [item["match_id"]["S"] for item in page]


def read(aws: Aws, *, page_size: int = 2, retry: Retry | None = None) -> list[list[str]]:
    """The pages of shard 0."""
    table = aws.convert_settings.match_cache_table
    return [ids(page) for page in read_pages(aws.client, table, "0", page_size, retry or aws.retry_budget())]


def put(aws: Aws, *hours: int) -> None:
    """Matches of these hours, in this order, in shard 0."""
    aws.put(*(make_item(f"m-{hour}", matched_at={"S": f"2026-03-14T0{hour}:00:00Z"}) for hour in hours))


def test_every_match_that_waits_is_read_once_and_the_oldest_first(aws: Aws) -> None:
    put(aws, 3, 1, 5, 2, 4)

    assert read(aws) == [["m-1", "m-2"], ["m-3", "m-4"], ["m-5"]]


def test_matches_that_still_wait_hold_up_none_behind_them(aws: Aws) -> None:
    """Nothing is written between the pages, as if all of them had failed again."""
    put(aws, *range(1, 7))

    assert read(aws, page_size=1) == [[f"m-{hour}"] for hour in range(1, 7)]


def test_other_shards_are_not_read(aws: Aws) -> None:
    put(aws, 1)
    aws.put(make_item("elsewhere", unprocessed_shard={"S": "1"}))

    assert read(aws) == [["m-1"]]


def test_a_shard_with_nothing_in_it_costs_one_request(aws: Aws) -> None:
    assert read(aws) == [[]]
    assert len(aws.sent("Query")) == 1


def test_a_match_that_moved_in_the_index_stands_once_in_its_page(aws: Aws) -> None:
    """A transaction may hold no item twice: one match read twice would cost all others of its page a refusal."""
    put(aws, 1, 2)
    aws.door.faults.append(on("Query", answered(lambda page: page["Items"].append(page["Items"][0]))))

    assert read(aws, page_size=5) == [["m-1", "m-2"]]


@pytest.mark.parametrize(
    "fault",
    [
        refused("ThrottlingException"),
        refused("ProvisionedThroughputExceededException"),
        refused("InternalServerError", status=500),
        unreachable,
    ],
    ids=["throttled", "too much", "broken", "unreachable"],
)
def test_a_page_that_did_not_come_is_asked_for_again_and_none_is_left_out(aws: Aws, fault: object) -> None:
    put(aws, 1, 2, 3, 4)
    aws.door.faults.append(on("Query", fault, times=3))  # type: ignore[arg-type]

    assert read(aws) == [["m-1", "m-2"], ["m-3", "m-4"]]
    assert len(aws.sent("Query")) == 3 + 2


def test_an_index_that_does_not_answer_is_named(aws: Aws) -> None:
    aws.door.faults.append(unreachable)

    with pytest.raises(UnavailableError, match="index unprocessed-index of table MatchCacheTable"):
        read(aws)


def test_no_page_is_asked_for_once_the_time_is_up(aws: Aws) -> None:
    put(aws, *range(1, 7))
    aws.door.faults.append(on("Query", slow(aws.clock, 4)))
    retry = aws.retry_budget(seconds=10)

    with pytest.raises(UnavailableError, match="no time is left"):
        read(aws, page_size=1, retry=retry)
    assert [request.at < retry.deadline for request in aws.sent("Query")] == [True] * 3


def test_who_may_not_read_the_index_is_told_so_and_at_once(aws: Aws) -> None:
    aws.door.faults.append(refused("AccessDeniedException", "not authorized to perform: dynamodb:Query"))

    with pytest.raises(RequestError, match=r"MatchCacheTable.*dynamodb:Query"):
        read(aws)
    assert len(aws.sent("Query")) == 1
