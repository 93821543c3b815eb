"""Time zones: a wrong suggestion moves plays to another day, and pays them by another rule."""

import pytest
from playlog_cli.time_zones import time_zone, wanted_zone


@pytest.mark.parametrize("name", ["GMT+2", "UTC+2", "CEST", "MSK", "IST", "Berln", "Asia/Omks", "", 7])
def test_no_zone_is_suggested_by_spelling(name: object) -> None:
    said = wanted_zone(name)

    assert "did you mean" not in said
    assert "like Europe/Berlin, Asia/Kolkata or America/New_York: an area and a place" in said


@pytest.mark.parametrize(
    ("name", "zone"),
    [("Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("New York", "America/New_York")],
)
def test_a_place_is_suggested_by_its_own_name(name: str, zone: str) -> None:
    assert wanted_zone(name).endswith(f"did you mean {zone}?")
    assert time_zone(zone) is not None
