"""The sample catalog is what its script says it is, and has the gaps that a catalog of the real world has."""

from datetime import date
from pathlib import Path

import pytest
from playlog_cli.catalog.checking import Played, Problem, check
from playlog_cli.catalog.reading import load_catalog

from samples import make_catalog

COMMITTED = make_catalog.SAMPLES / "catalog.csv"


def test_who_changes_the_script_and_not_the_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "airplay.csv").write_bytes((make_catalog.SAMPLES / "airplay.csv").read_bytes())
    monkeypatch.setattr(make_catalog, "SAMPLES", tmp_path)
    make_catalog.main()
    assert (tmp_path / "catalog.csv").read_bytes() == COMMITTED.read_bytes()


def test_it_has_payees_for_most_tracks_and_some_gaps() -> None:
    catalog = load_catalog(COMMITTED)
    played = {track_id: Played(1) for track_id in catalog.entries}
    found = check(catalog, played, date(2026, 3, 14), date(2026, 3, 15))
    problems = [finding.problem for finding in found]
    assert 0 < problems.count(Problem.NO_PAYEE) < len(played) / 20
    assert 0 < problems.count(Problem.NOT_WHOLE) < len(played) / 20
