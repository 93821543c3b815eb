"""Plays are looked at and edited in a browser, and each edit is kept with who made it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import Site

DAY = "2026-03-13"
STATION = "moonwave"


@pytest.fixture
def play(site: Site, page: Page) -> Page:
    """The page of a play."""
    page.goto(f"{site.home}/plays/day?station={STATION}&day={DAY}")
    page.get_by_role("table", name="Plays of the day").get_by_role("link").nth(3).click()
    return page


def test_a_stations_day_shows_matches_and_plays_on_a_time_line(site: Site, page: Page) -> None:
    page.goto(f"{site.home}/plays")
    page.get_by_role("combobox", name="Station").fill(STATION)
    page.get_by_label("Day, UTC").fill(DAY)
    page.get_by_role("button", name="Show").first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{STATION}, {DAY}")
    assert page.locator(".timeline rect").count() > 100


def test_a_play_is_withdrawn_and_restored_and_both_are_kept(play: Page) -> None:
    play.get_by_role("button", name="Withdraw").click()
    expect(play.get_by_role("heading", level=1)).to_contain_text("withdrawn")
    play.get_by_role("button", name="Restore").click()
    expect(play.get_by_role("heading", level=1)).not_to_contain_text("withdrawn")

    expect(play.get_by_role("row").filter(has_text="active")).to_have_count(2)


def test_a_play_is_flagged_and_the_flag_is_taken_away(play: Page) -> None:
    play.get_by_role("button", name="Flag", exact=True).click()
    expect(play.get_by_role("heading", level=1)).to_contain_text("flagged")
    play.get_by_role("button", name="Take the flag away").click()
    expect(play.get_by_role("heading", level=1)).not_to_contain_text("flagged")


def test_a_plays_matches_are_shown(play: Page) -> None:
    expect(play.locator("#matches ~ *").get_by_role("link").first).to_be_visible()
