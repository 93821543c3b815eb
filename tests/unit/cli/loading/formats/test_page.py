"""What docs/log-formats.md shows is what there is: a person who follows the page must get what it says."""

import re
from pathlib import Path

from playlog_cli.loading.formats.catalog import shipped_formats

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems, skipped

ROOT = Path(__file__).parents[5]
PAGE = (ROOT / "docs/log-formats.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "samples/station-log.toml"


def test_the_sample_format_is_the_one_that_the_page_shows() -> None:
    assert f"```toml\n{SAMPLE.read_text(encoding='utf-8')}```\n" in PAGE


def test_the_page_lists_each_format_that_ships() -> None:
    names = list(shipped_formats())

    assert re.findall(r"^\| `([a-z0-9-]+)` \| ", PAGE, re.MULTILINE)[-len(names) :] == names


def test_the_sample_log_loads_over_the_change_of_the_clock() -> None:
    rows = outcomes(ROOT / "samples/station-log.csv", SAMPLE.read_text(encoding="utf-8"))

    assert [each["matched_at"][:19] for each in matches(rows)] == [
        "2026-10-25T00:50:10",
        "2026-10-25T01:01:20",
        "2026-10-25T01:05:31",
        "2026-10-25T02:00:02",
    ]
    assert (problems(rows), skipped(rows)) == ([], [5, 9])
