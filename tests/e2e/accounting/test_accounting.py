"""From the deployed stack's sample day to what societies and musicians receive, by the command itself."""

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack

from samples.make_airplay import Day, make_day
from tests.e2e import tables
from tests.e2e.tables import ROOT, wait_for

SAMPLES = ROOT / "samples"
PLAYLOG = Path(sys.executable).parent / "playlog"
CARD = ["--rate-card", str(SAMPLES / "rate-card.toml")]
CATALOG = ["--catalog", str(SAMPLES / "catalog.csv")]


@pytest.fixture(scope="module")
def day(stack: Stack) -> Day:
    """The sample day, converted."""
    made = make_day()
    assert load_files(stack, [SAMPLES / "airplay.csv"], lambda _progress: None).ok
    valid = {row.match_id for row in made.rows} - set(made.reason_codes)

    def is_played() -> bool:
        convert(stack)
        played = {item["match_id"]["S"] for item in tables.of(stack).items().matches if "play_id" in item}
        return valid <= played

    wait_for(is_played, within=180, what="the sample day is played")
    return made


@pytest.fixture(scope="module")
def period(day: Day) -> list[str]:
    """The options that choose the plays of the sample day, and of no other test."""
    failed = set(day.reason_codes)
    rows = [row for row in day.rows if row.match_id not in failed]
    stations = sorted({row.station_id for row in rows})
    chosen = ["--from", "2026-03-01", "--to", "2026-04-01"]
    return [*chosen, *(word for station in stations for word in ("--station", station))]


def playlog(*arguments: str | Path, status: int = 0) -> str:
    """What the command prints."""
    ended = subprocess.run(
        [PLAYLOG, *map(str, arguments)], env=os.environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout


def manifest_of(path: Path) -> Any:
    return json.loads(path.with_name(f"{path.name}.manifest.json").read_text())


def test_a_catalog_is_drafted_from_the_matches_and_checked_against_the_plays(
    day: Day, period: list[str], tmp_path: Path
) -> None:
    playlog("catalog", "make", tmp_path / "catalog.csv")
    with (tmp_path / "catalog.csv").open(newline="") as file:
        titles = {row["track_id"]: row["title"] for row in csv.DictReader(file, strict=True)}
    assert all(titles[row.track_id] for row in day.rows if row.match_id not in day.reason_codes)

    found = json.loads(playlog("catalog", "check", *period, *CATALOG, *CARD, "--json", status=1))
    assert {each["problem"] for each in found["findings"]} >= {"no ISRC", "no payee"}
    assert sum(Decimal(each["amount"]) for each in found["findings"]) > 0


def test_each_play_is_listed_once_and_a_layout_has_a_row_for_each(day: Day, period: list[str], tmp_path: Path) -> None:
    plays = [json.loads(line) for line in playlog("plays", *period, *CATALOG, "--json").splitlines()]
    assert len(plays) == day.expected_plays
    assert plays == sorted(plays, key=lambda play: play["played_at"])

    playlog("plays", *period, *CATALOG, "--layout", "playlog", "--folder", tmp_path)
    (path,) = tmp_path.glob("*.csv")
    with path.open(newline="") as file:
        assert len(list(csv.DictReader(file, strict=True))) == day.expected_plays
    assert manifest_of(path)["inputs"]["plays"]["count"] == day.expected_plays


def test_statements_and_what_is_held_back_are_the_total_of_a_report_with_names(
    day: Day, period: list[str], tmp_path: Path
) -> None:
    page, table = tmp_path / "report.html", tmp_path / "report.csv"
    by_track = [*period, *CATALOG, *CARD]
    playlog("report", *by_track, "--by", "track", "--html", page, "--csv", table)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert sum(int(row["plays"]) for row in rows) == day.expected_plays
    titled = next(row for row in rows if row["title"])
    assert titled["title"] in page.read_text()

    summary = json.loads(playlog("statements", *by_track, "--folder", tmp_path / "statements", "--json"))
    (folder,) = (tmp_path / "statements").iterdir()
    with (folder / "summary.csv").open(newline="") as file:
        stated = sum(Decimal(row["total"]) for row in csv.DictReader(file, strict=True))
    assert stated == Decimal(summary["total"]) == sum(Decimal(row["amount"]) for row in rows)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["inputs"]["plays"] == manifest_of(page)["inputs"]["plays"]
    assert manifest["inputs"]["plays"]["count"] == day.expected_plays
