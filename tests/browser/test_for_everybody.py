"""The page can be used by everybody: axe-core's rules hold in light and dark, on a screen and on a phone."""

from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.driving import Site

DAY = "station=moonwave&day=2026-03-13"
PAGES = (
    "/",
    "/failures",
    "/failures?reason=INVALID_SOURCE",
    "/failures/match?id=wrong-295",
    "/plays",
    f"/plays/day?{DAY}",
    "/plays/track?track=track-1",
    "/reports",
    "/parking-lot",
    "/nothing",
)
SIZES = {"screen": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_rule_of_accessibility_is_broken(site: Site, browser: Browser, scheme: str, size: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport=SIZES[size])  # type: ignore[arg-type]
    page = context.new_page()
    site.let_in(page)
    found = {path: broken for path in PAGES if (broken := violations(page, site, path))}
    context.close()

    assert found == {}


def violations(page: Page, site: Site, path: str) -> list[str]:
    page.goto(f"{site.home}{path}")
    page.wait_for_load_state("networkidle")
    answer = Axe().run(page)
    return [f"{each['id']}: {each['nodes'][0]['target']}" for each in answer.response["violations"]]


@pytest.mark.usefixtures("stack")
def test_a_page_is_never_wider_than_a_phone(site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport=SIZES["phone"])  # type: ignore[arg-type]
    page = context.new_page()
    site.let_in(page)
    widths = {}
    for path in PAGES:
        page.goto(f"{site.home}{path}")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    context.close()

    assert {path: width for path, width in widths.items() if width > SIZES["phone"]["width"]} == {}


@pytest.mark.usefixtures("stack")
def test_the_days_of_the_failures_chart_can_be_read_on_a_phone(site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport=SIZES["phone"])  # type: ignore[arg-type]
    page = context.new_page()
    site.let_in(page)
    labels = page.locator("#failures .axis span").filter(has_text="-")
    labels.first.wait_for(timeout=60_000)
    boxes = [label.bounding_box() for label in labels.all()]
    context.close()

    assert len(boxes) == 7
    assert min(box["height"] for box in boxes if box) >= 12
    assert all(left["x"] + left["width"] < right["x"] for left, right in pairwise(filter(None, boxes)))
