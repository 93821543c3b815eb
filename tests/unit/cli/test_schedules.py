"""When a schedule fires next: an operator who waits for it is told the right time."""

from datetime import UTC, datetime, timedelta

import pytest
from playlog_cli.schedules import interval, next_time, problem_of

# A Saturday.
NOW = datetime(2026, 3, 14, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(2 minutes)", timedelta(minutes=2)),
        ("rate(12 hours)", timedelta(hours=12)),
        ("rate(7 days)", timedelta(days=7)),
        ("cron(0 12 * * ? *)", None),
        ("every now and then", None),
    ],
)
def test_the_time_between_two_runs_is_read_off_a_rate(expression: str, wanted: timedelta | None) -> None:
    assert interval(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        # The examples of the EventBridge User Guide.
        ("cron(0 10 * * ? *)", "2026-03-15T10:00"),
        ("cron(15 12 * * ? *)", "2026-03-14T12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-03-16T18:00"),
        ("cron(0 8 1 * ? *)", "2026-04-01T08:00"),
        ("cron(0/15 * * * ? *)", "2026-03-14T12:15"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-03-16T00:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-03-16T08:00"),
        ("cron(0/30 20-2 ? * MON-FRI *)", "2026-03-16T00:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-04-06T09:00"),  # the first Monday
        # Each sign that a field may have.
        ("cron(*/2 * * * ? *)", "2026-03-14T12:02"),
        ("cron(1,3 * * * ? *)", "2026-03-14T12:01"),
        ("cron(0 0 L * ? *)", "2026-03-31T00:00"),
        ("cron(0 0 15W * ? *)", "2026-03-16T00:00"),  # the 15th is a Sunday
        ("cron(0 0 1W * ? *)", "2026-04-01T00:00"),
        ("cron(0 0 1W AUG ? *)", "2026-08-03T00:00"),  # the 1st is a Saturday, and July is another month
        ("cron(0 0 LW MAY ? *)", "2026-05-29T00:00"),  # the 31st is a Sunday
        ("cron(0 0 ? * 6L *)", "2026-03-27T00:00"),  # the last Friday
        ("cron(0 0 ? * L *)", "2026-03-21T00:00"),
        ("cron(0 0 ? * FRI-SUN *)", "2026-03-15T00:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29T00:00"),
        ("cron(0 0 1 JAN,JUL ? 2027-2030)", "2027-01-01T00:00"),
        # There is none, or it is none.
        ("cron(0 0 1 1 ? 2020)", None),
        ("cron(0 0 31 2 ? *)", None),
        ("cron(0 25 * * ? *)", None),
        ("cron(0 0 * *)", None),
        ("rate(2 minutes)", None),
    ],
)
def test_the_next_time_of_a_cron_expression(expression: str, wanted: str | None) -> None:
    found = next_time(expression, NOW)

    assert found == (datetime.fromisoformat(wanted).replace(tzinfo=UTC) if wanted else None)


def test_the_next_time_is_told_in_utc_and_is_later() -> None:
    noon_in_berlin = datetime.fromisoformat("2026-03-14T13:00:00+01:00")

    assert next_time("cron(0 12 * * ? *)", noon_in_berlin) == datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(2 minutes)",
        "rate(1 hour)",
        "rate(7 days)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(0 10 * * ? *)",
        "cron(15 12 * * ? *)",
        "cron(0 8 1 * ? *)",
        "cron(0/15 * * * ? *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * 6L 2026-2030)",
        "cron(0 9 LW * ? *)",
        "cron(0 9 3W JAN,JUL ? *)",
        "cron(0 9 L * ? *)",
    ],
)
def test_what_eventbridge_documents_is_valid(expression: str) -> None:
    assert problem_of(expression) is None


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("rate(1 minutes)", "write rate(1 minute)"),
        ("rate(2 minute)", "write rate(2 minutes)"),
        ("rate(0 minutes)", "the number must be 1 or more"),
        ("rate(30 seconds)", "it must be like rate(2 minutes)"),
        ("rate(1.5 hours)", "it must be like rate(2 minutes)"),
        ("every minute", "it must be like rate(2 minutes)"),
        ("", "it must be like rate(2 minutes)"),
        ("cron(0/5 * * * ?)", "it has 5 fields and must have six"),
        ("cron(0/5 * * * *)", "it has 5 fields and must have six"),
        ("cron(0 8 * * * *)", "exactly one of day of month and day of week must be ?"),
        ("cron(0 8 ? * ? *)", "exactly one of day of month and day of week must be ?"),
        ("cron(60 8 * * ? *)", "minutes is '60': '60' must be a number from 0 to 59"),
        ("cron(0 24 * * ? *)", "hours is '24'"),
        ("cron(0 8 * 13 ? *)", "month is '13'"),
        ("cron(0 8 ? * 0 *)", "day of week is '0'"),
        ("cron(0 8 ? * 2#6 *)", "day of week is '2#6'"),
        ("cron(0 8 32 * ? *)", "day of month is '32'"),
        ("cron(0 8 * * ? 2200)", "year is '2200'"),
        ("cron(0/0 8 * * ? *)", "minutes is '0/0'"),
        ("cron(x 8 * * ? *)", "minutes is 'x'"),
        ("cron(0 8 W * ? *)", "day of month is 'W'"),
        ("cron(0 8 * * ? *", "it must be like cron("),
    ],
)
def test_what_eventbridge_refuses_is_refused_with_what_would_be_right(expression: str, told: str) -> None:
    problem = problem_of(expression)
    assert problem
    assert problem.startswith(f"{expression!r}: ")
    assert told in problem
