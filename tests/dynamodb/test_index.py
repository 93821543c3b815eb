"""The index of unprocessed matches: what a run does not find there, nobody is paid for."""

import pytest
from botocore.exceptions import ClientError
from playlog.converting.reading import read_pages
from playlog.converting.writing.written import Written
from playlog.runtime.retry import Retry

from tests.dynamodb.conftest import Database
from tests.dynamodb.made import WAITING, Conversion, match, write
from tests.support.clients import client_of

MATCHES = 23


def put_waiting(database: Database, shard: str, times: list[str]) -> list[str]:
    """Writes a waiting match for each time; says their ids."""
    ids = [f"{shard}-{number:02}" for number in range(len(times))]
    for match_id, time in zip(ids, times, strict=True):
        database.put_match(match_id, unprocessed_shard={"S": shard}, matched_at={"S": time})
    return ids


def found(database: Database, shard: str, page_size: int, retry: Retry) -> list[list[str]]:
    """The ids of the matches that a pass through a shard reads, page by page."""
    pages = read_pages(client_of(database.client), database.tables.match_cache, shard, page_size, retry)
    return [[item["match_id"]["S"] for item in page] for page in pages]


def test_index_holds_the_matches_that_wait_and_no_others(database: Database, unique: str, retry: Retry) -> None:
    shard, time = {"S": unique}, WAITING["matched_at"]
    database.put_match(f"{unique}-waits", unprocessed_shard=shard, matched_at=time, isrc={"S": "comes along"})
    database.put_match(f"{unique}-stranded-1", unprocessed_shard=shard)
    database.put_match(f"{unique}-stranded-2", matched_at=time)
    database.put_match(f"{unique}-other", unprocessed_shard={"S": f"{unique}-other"}, matched_at=time)
    database.put_match(f"{unique}-played", unprocessed_shard=shard, matched_at=time)
    assert database.transact(*Conversion.of(database.tables, match(f"{unique}-played")).actions) == []

    (page,) = read_pages(client_of(database.client), database.tables.match_cache, unique, 100, retry)

    assert page == [database.match(f"{unique}-waits")]


@pytest.mark.parametrize("page_size", [1, 5, MATCHES, 100])
def test_each_match_is_read_once_and_the_oldest_first(
    database: Database, unique: str, retry: Retry, page_size: int
) -> None:
    ids = put_waiting(database, unique, [f"2026-03-14T12:00:{second:02}+00:00" for second in range(MATCHES)])

    pages = found(database, unique, page_size, retry)

    assert [match_id for page in pages for match_id in page] == ids
    assert all(len(page) <= page_size for page in pages)


def test_matches_of_one_instant_are_all_read_wherever_a_page_ends(
    database: Database, unique: str, retry: Retry
) -> None:
    ids = put_waiting(database, unique, ["2026-03-14T12:00:00+00:00"] * MATCHES)

    pages = found(database, unique, 4, retry)

    assert sorted(match_id for page in pages for match_id in page) == ids


def test_matches_that_are_played_while_a_run_reads_on_take_none_with_them(
    database: Database, unique: str, retry: Retry
) -> None:
    ids = put_waiting(database, unique, [f"2026-03-14T12:00:{second:02}+00:00" for second in range(MATCHES)])
    written = Written()

    # The cursor names the last match of the page before, which stands in the index no more.
    for page in read_pages(client_of(database.client), database.tables.match_cache, unique, 5, retry):
        write(database.client, database.tables, [match(item["match_id"]["S"]) for item in page], written, retry)

    assert written.matches == len(ids)
    assert found(database, unique, 100, retry) == [[]]


takes_numbers = pytest.mark.differs("moto", how="takes a number where a key of an index must be text")


@pytest.mark.parametrize(
    "attribute",
    [
        {"matched_at": {"S": ""}},
        pytest.param({"matched_at": {"N": "1773489600"}}, marks=takes_numbers),
        {"matched_at": {"NULL": True}},
        {"unprocessed_shard": {"S": ""}},
        pytest.param({"unprocessed_shard": {"N": "0"}}, marks=takes_numbers),
    ],
    ids=["empty time", "time is a number", "time is NULL", "empty shard", "shard is a number"],
)
@pytest.mark.differs("memory", how="takes whatever a key of an index is")
def test_match_that_no_run_could_find_is_refused_to_its_writer(
    database: Database, unique: str, attribute: dict[str, dict[str, object]]
) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        database.put_match(unique, **{**WAITING, **attribute})
