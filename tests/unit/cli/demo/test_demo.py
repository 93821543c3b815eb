"""What the demo says came of each match: a newcomer judges the whole project by these numbers."""

import json
from decimal import Decimal
from typing import Any

import pytest
from playlog_cli.commands.operating import local
from playlog_cli.commands.operating.local import local_app
from playlog_cli.demo.show import Demo, Step
from playlog_cli.demo.summary import NO_STATION, Reason, Station, Summary, summarise
from typer.testing import CliRunner

Item = dict[str, Any]


def played(match_id: str, station_id: str = "fm") -> Item:
    return {"match_id": match_id, "station_id": station_id, "processed": True, "play_id": "p"}


def failed(match_id: str, **attributes: Any) -> Item:
    return {"match_id": match_id, "processed": False, "failed_reason": "track_id is blank", **attributes}


def waiting(match_id: str, shard: str = "0") -> Item:
    return {"match_id": match_id, "unprocessed_shard": shard, "matched_at": "2026-03-14T00:00:00+00:00"}


def play(match_count: int = 1, station_id: str = "fm") -> Item:
    return {"station_id": station_id, "play_id": "p", "match_count": Decimal(match_count)}


def failure(match_id: str, code: str = "MISSING_TRACK") -> Item:
    return {"match_id": match_id, "reason_code": code, "reason": f"{code} of {match_id}"}


def summary(matches: list[Item], plays: list[Item], failures: list[Item], loaded: int | None = None) -> Summary:
    return summarise(len(matches) if loaded is None else loaded, matches, plays, failures, shards=8)


def test_a_day_that_adds_up_has_no_problems() -> None:
    result = summary([played("a"), played("b"), failed("c")], [play(match_count=2)], [failure("c")])

    assert (result.played, result.failed, result.waiting, result.stranded) == (2, 1, 0, 0)
    assert result.problems == ()


def test_a_match_that_got_lost_is_a_problem() -> None:
    assert summary([played("a")], [play()], [], loaded=2).problems == ("MatchCache holds 1 matches, but 2 were loaded",)


def test_a_match_that_still_waits_is_a_problem() -> None:
    result = summary([waiting("a")], [], [])

    assert result.waiting == 1
    assert result.problems == ("matches that are waiting, where none should be by now: 1",)


def test_a_match_that_no_run_reads_is_stranded_and_a_problem() -> None:
    without_time = {"match_id": "a", "unprocessed_shard": "0"}
    result = summary([without_time, waiting("b", shard="8"), {"match_id": "c"}], [], [])

    assert (result.waiting, result.stranded) == (0, 3)
    assert result.problems == ("matches that are stranded, where none should be by now: 3",)


def test_a_match_paid_twice_is_a_problem() -> None:
    assert summary([played("a")], [play(), play()], []).problems == (
        "match_count adds up to 2 over the plays, but 1 matches are played",
    )


def test_a_failure_that_nobody_noted_is_a_problem() -> None:
    assert summary([failed("a"), failed("b")], [], [failure("a")]).problems == (
        "failed matches without an item in FailedPlayLog: 1, b for one",
    )


def test_a_station_shows_its_plays_and_the_repeats_that_joined_them() -> None:
    matches = [played("a"), played("b"), played("c"), failed("d", station_id="fm")]

    assert summary(matches, [play(match_count=2), play()], [failure("d")]).stations == (
        Station("fm", matches=4, plays=2, repeats=1, failed=1),
    )


def test_matches_without_a_proper_station_stand_together_at_the_end() -> None:
    defects: list[Any] = ["", " ", None, Decimal(7), ["fm"]]
    matches = [failed(str(number), station_id=value) for number, value in enumerate(defects)]
    matches += [failed("absent"), played("a", station_id="zebra")]

    stations = summary(matches, [play(station_id="zebra")], [failure(m["match_id"]) for m in matches]).stations

    assert [(station.station_id, station.matches) for station in stations] == [("zebra", 1), (NO_STATION, 6)]


def test_each_reason_shows_an_example_and_the_most_frequent_reason_stands_first() -> None:
    failures = [failure("a", "MISSING_TRACK"), failure("c", "INVALID_TIME"), failure("b", "INVALID_TIME")]

    assert summary([failed("a"), failed("b"), failed("c")], [], failures).reasons == (
        Reason("INVALID_TIME", 2, "b", "INVALID_TIME of b"),
        Reason("MISSING_TRACK", 1, "a", "MISSING_TRACK of a"),
    )


@pytest.fixture
def day_that_lost_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    result = summary([played("a"), failed("b")], [play()], [failure("b")], loaded=3)
    monkeypatch.setattr(local, "demo", lambda _steps: Demo((Step("loaded 3 matches", 1.5),), 2.5, result))


@pytest.mark.usefixtures("day_that_lost_a_match")
def test_a_demo_that_does_not_add_up_fails_and_says_why() -> None:
    run = CliRunner().invoke(local_app, ["demo"])

    assert run.exit_code == 1
    assert "Not accounted for: MatchCache holds 2 matches, but 3 were loaded." in run.stdout
    assert "Every match is accounted for" not in run.stdout
    assert "\x1b" not in run.stdout


@pytest.mark.usefixtures("day_that_lost_a_match")
def test_machines_get_the_same_as_json_and_nothing_else() -> None:
    run = CliRunner().invoke(local_app, ["demo", "--json"])

    assert run.exit_code == 1
    shown = json.loads(run.stdout)
    assert shown["steps"] == [{"did": "loaded 3 matches", "seconds": 1.5}]
    assert shown["summary"]["problems"] == ["MatchCache holds 2 matches, but 3 were loaded"]
