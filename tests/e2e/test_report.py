"""The deployed stack's plays in a report: what was converted is added up, whichever way it is read."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from playlog_cli.reporting.figures import By, Period, Sum
from playlog_cli.reporting.rate_card_file import parse_rate_card
from playlog_cli.reporting.sources.tables import Tables
from playlog_cli.reporting.sums.report import report
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack

from tests.e2e import tables
from tests.e2e.tables import wait_for
from tests.support.builders import make_item

PERIOD = Period(date(2019, 3, 31), date(2019, 4, 1), ZoneInfo("Europe/Berlin"))  # a day of 23 hours
CARD = parse_rate_card("""
currency = "EUR"
time_zone = "Europe/Berlin"
[[rule]]
name = "early"
hours = ["03-05"]
rate = 0.0125
per = "second"
[[rule]]
name = "later"
rate = 0.5
per = "play"
""")


def test_plays_are_added_up_and_paid_alike_by_scan_by_station_and_by_track(stack: Stack) -> None:
    these = tables.of(stack)
    times = ["2019-03-30T22:59:59Z", "2019-03-30T23:00:00Z", "2019-03-31T01:00:00Z", "2019-03-31T22:00:00Z"]
    these.put(
        make_item(
            f"report-{number}",
            station_id={"S": "report"},
            track_id={"S": "report-track"},
            matched_at={"S": at},
            duration_seconds={"N": "181"},
        )
        for number, at in enumerate(times)
    )

    def is_played() -> bool:
        convert(stack)
        return all(these.match(f"report-{number}").get("processed") == {"BOOL": True} for number in range(len(times)))

    wait_for(is_played, within=60, what="the matches are played")
    for stations, tracks in (([], []), (["report"], []), ([], ["report-track"])):
        figures = report(Tables(stack), PERIOD, [By.HOUR], stations, tracks, CARD, lambda _more: None).figures
        assert [(line.key, line.rule and line.rule.name, line.plays) for line in figures.lines] == [
            (("00:00",), "later", 1),
            (("03:00",), "early", 1),
        ]
        exact = Decimal("2.7625")
        assert figures.total == Sum(plays=2, matches=2, seconds=Decimal(362), exact=exact, amount=Decimal("2.76"))
