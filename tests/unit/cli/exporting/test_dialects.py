"""Each statement is SQL for DuckDB and for Athena: the one that nobody runs every day must not rot."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from playlog_cli.auditing import sql as of_audit
from playlog_cli.exporting.by_athena.athena import Athena
from playlog_cli.exporting.columns import PLAYS
from playlog_cli.exporting.engine import Engine, Query
from playlog_cli.exporting.items import columns_of, listed
from playlog_cli.reporting.figures import By, Period
from playlog_cli.reporting.plays import ATTRIBUTES
from playlog_cli.reporting.rate_card_file import parse_rate_card
from playlog_cli.reporting.sums import sql as of_report
from playlog_cli.reporting.sums.sql import Selection

from tests.support.athena import COMMON, check_is_common_sql, functions_of
from tests.unit.cli.reporting.test_figures import CARD

YEAR = Selection(Period(date(2026, 1, 1), date(2027, 1, 1), ZoneInfo("Europe/Berlin")), ("it's",), ("t", "u"))
BY = [By.TRACK, By.STATION, By.DAY, By.HOUR]
STATEMENTS: dict[str, str | Query] = {
    "states": of_audit.states(8),
    "matches": of_audit.matches(64),
    "sums": of_report.sums(YEAR, BY, None),
    "sums with a card": of_report.sums(YEAR, BY, parse_rate_card(CARD)),
    "counts": of_report.counts(YEAR, BY),
    "exceptions": of_report.exceptions(YEAR),
    "doubtful": of_report.doubtful(YEAR, listed(columns_of(PLAYS, ATTRIBUTES))),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_each_statement_is_sql_for_both_engines(name: str) -> None:
    check_is_common_sql(STATEMENTS[name])


def test_plays_are_audited_by_both_engines() -> None:
    check_is_common_sql(of_audit.plays(1_773_489_600, Athena.brief))
    assert functions_of(of_audit.plays(1_773_489_600, Engine.brief), "duckdb") <= {*COMMON, "HASH"}
