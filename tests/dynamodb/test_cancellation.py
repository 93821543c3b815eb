"""What a cancelled transaction says, from which playlog tells the plays at fault from those that go again at once."""

import pytest

from tests.dynamodb.conftest import Database
from tests.dynamodb.made import WAITING, Conversion, match

REFUSED = "ConditionalCheckFailed"
MATCHES = 50


def test_reasons_stand_in_the_order_of_the_actions_so_that_no_innocent_is_taken_for_the_culprit(
    database: Database, unique: str
) -> None:
    matches = [match(f"{unique}-{number}") for number in range(MATCHES)]
    at_fault = {0, 7, 8, MATCHES - 1}
    for number, each in enumerate(matches):
        if number not in at_fault:
            database.put_match(each.match_id, **WAITING)
    actions = [action for each in matches for action in Conversion.of(database.tables, each).actions]

    codes = database.codes(*actions)

    assert codes == [code for number in range(MATCHES) for code in ("None", REFUSED if number in at_fault else "None")]


def test_nothing_of_a_cancelled_transaction_is_written(database: Database, unique: str) -> None:
    good, gone = match(f"{unique}-good"), match(f"{unique}-gone")
    before = database.put_match(good.match_id, **WAITING)
    conversions = [Conversion.of(database.tables, each) for each in (good, gone)]

    assert database.codes(*(action for each in conversions for action in each.actions)) == ["None"] * 3 + [REFUSED]

    assert database.match(good.match_id) == before
    for each in conversions:
        assert database.play(*each.play.key) is None


def test_both_faults_of_a_play_are_told_at_once_so_that_mending_it_takes_one_more_request(
    database: Database, unique: str
) -> None:
    first, gone, second = (match(f"{unique}-{name}", station=unique) for name in ("first", "gone", "second"))
    for each in (first, second):
        database.put_match(each.match_id, **WAITING)
    assert database.transact(*Conversion.of(database.tables, first).actions) == []

    assert database.codes(*Conversion.of(database.tables, gone, second).actions) == [REFUSED, REFUSED, "None"]


@pytest.mark.differs("ministack", "moto", how="refuse a key that is too long with the whole request")
def test_condition_that_failed_is_told_beside_a_value_that_is_refused(database: Database, unique: str) -> None:
    database.put_match(f"{unique}-long", **WAITING)
    long = Conversion.of(database.tables, match(f"{unique}-long", track="t" * 1000))
    gone = Conversion.of(database.tables, match(f"{unique}-gone"))

    assert database.codes(*long.actions, *gone.actions) == ["ValidationError", "None", "None", REFUSED]
